"""What `localize` takes by default where it differs from its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from . import Fit, GeometrySpec, MethodSpec, OutputSpec
from .option import again


@dataclass(frozen=True)
class LocalizeMethodSpec(MethodSpec):
    methods: tuple[str, ...] = again(
        MethodSpec,
        "methods",
        (),
        help="A method of `camtool methods`. Repeat for several. [default: cam where it is exact, else gradcam]",
    )


@dataclass(frozen=True)
class LocalizeGeometrySpec(GeometrySpec):
    fit: Fit = again(GeometrySpec, "fit", "squash")


@dataclass(frozen=True)
class LocalizeOutputSpec(OutputSpec):
    save: tuple[str, ...] = again(OutputSpec, "save", ("boxes",))
