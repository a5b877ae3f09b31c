"""Where a network comes from. The tables are literal and torch-free; a source is imported when a name is resolved.

To add a source: one file that ends in `source = Source(knows, names, build)`, and one line in `SOURCES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cam_cli.errors import ModelUnknown, nearest
from cam_cli.registry import Entry, Registry

if TYPE_CHECKING:
    from .network import Network

DEFAULT_MODEL = "efficientnet_lite0"

MODELS = Registry(
    "model",
    ModelUnknown,
    {
        "efficientnet_lite0": Entry(
            "cam_cli.models.efficientnet_lite:efficientnet_lite0",
            "ImageNet-1k, 224 px, 4.7 M parameters, exact CAM; works offline (the default)",
        ),
        "efficientnet_lite1": Entry(
            "cam_cli.models.efficientnet_lite:efficientnet_lite1",
            "ImageNet-1k, 240 px, 5.4 M parameters, exact CAM; works offline",
            extra="lite",
        ),
        "efficientnet_lite2": Entry(
            "cam_cli.models.efficientnet_lite:efficientnet_lite2",
            "ImageNet-1k, 260 px, 6.1 M parameters, exact CAM; works offline",
            extra="lite",
        ),
    },
)

SOURCES = Registry(
    "source of models",
    ModelUnknown,
    {
        "bundled": Entry("cam_cli.models.bundled:source", "networks whose weights are installed with pip; no download"),
        "torchvision": Entry(
            "cam_cli.models.torchvision:source", "torchvision's classification models; weights are downloaded once"
        ),
    },
)


def load(name: str, checkpoint: str | None = None) -> Network:
    """The network called `name`, in eval mode, float32, on the CPU; with `checkpoint`, the weights of that file.

    The first source that knows the name builds it. Raises ModelUnknown with the nearest names, WeightsUnavailable,
    InputMissing, CheckpointUnreadable, CheckpointUnsafe, CheckpointMismatch.
    """
    known: list[str] = []
    for key in SOURCES:
        source = SOURCES.load(key)
        if source.knows(name):
            network: Network = source.build(name, checkpoint)
            return network
        known += source.names()
    if "/" in name or ":" in name:
        near = suggestion(name.rpartition("/")[2].partition(":")[0], known)
        raise ModelUnknown(
            f"no source of this version knows names like {name!r} (it has: {', '.join(SOURCES)}){near}; "
            "list: `camtool models`"
        )
    raise ModelUnknown(f"no model is called {name!r}{suggestion(name, known)} (list: `camtool models`)")


def suggestion(name: str, known: list[str]) -> str:
    """What could have been meant: names that hold what was typed (`lite0`), else names spelled alike; or nothing."""
    holding = [entry for entry in known if name and name.casefold() in entry]
    return f"; did you mean {', '.join(holding[:3])}?" if holding else nearest(name, known)
