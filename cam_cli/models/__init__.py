"""Where a network comes from. The tables are literal and torch-free; a source is imported when a name is resolved.

To add a source: one file that ends in `source = Source(knows, names, build)`, and one line in `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cam_cli.errors import ModelUnknown, nearest
from cam_cli.registry import Entry, Registry

from .labels import Labels, imagenet1k

if TYPE_CHECKING:
    from .network import Network, Source

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

    Raises ModelUnknown with the nearest names, WeightsUnavailable, InputMissing, CheckpointUnreadable,
    CheckpointUnsafe, CheckpointMismatch, ModelFailed where its input is neither RGB nor grey.
    """
    from .network import suited

    return suited(source_of(name).build(name, checkpoint))


def source_of(name: str) -> Source:
    """The first source that knows the name. Raises ModelUnknown with the nearest names."""
    known: list[str] = []
    for key in SOURCES:
        source: Source = SOURCES.load(key)
        if source.knows(name):
            return source
        known += source.names()
    if "/" in name or ":" in name:
        raise ModelUnknown(
            f"no source of this version knows names like {name!r} (it has: {', '.join(SOURCES)})"
            f"{nearest(name.rpartition('/')[2].partition(':')[0], known)}; list: `camtool models`"
        )
    raise ModelUnknown(f"no model is called {name!r}{nearest(name, known)} (list: `camtool models`)")


def labels_of(name: str, checkpoint: str | None = None) -> Labels:
    """The class names of a model; those of a bundled one without importing torch. Raises what `load` raises."""
    if checkpoint is not None:
        return load(name, checkpoint).labels
    return imagenet1k() if name in MODELS else source_of(name).labels(name)


def catalog() -> Iterator[dict[str, str]]:
    """Every model that has a name: its name, source, and what it is."""
    for key, entry in SOURCES.items():
        source: Source = SOURCES.load(key)
        for name in source.names():
            yield {"model": name, "source": key, "what": MODELS.get(name, entry).summary}
