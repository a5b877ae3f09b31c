"""The layers of a network that have a spatial grid, as one pass shows them, and what a person may mean by `--layer`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from math import log2

from torch import Tensor, nn

from cam_cli.capture import observe
from cam_cli.errors import LayerUnknown, LayerUnsuitable, nearest

from .network import Network, Specimen
from .stages import STAGES, Grid, Layer, Shape, blocks, grid_of, pools, stages

__all__ = ["Layer", "Survey", "survey"]

STAGE = re.compile(r"(?:layer|stage)(\d+)")
WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Survey:
    """What one forward pass at the native input showed.

    outputs: by module path, in the order they finished (a module that ran twice: its last call), the shape of the
    output, or the type's name when that is not one tensor.
    """

    specimen: Specimen
    outputs: dict[str, Shape | str]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer with a grid, in the order they finish; those that stand for a stage say so."""
        found = tuple(self._layer(path) for path in self.outputs if self._grid(path))
        ends = {} if self.tokens else stages(self.specimen.module, found)
        named = {layer.path: name for name, layer in ends.items()}
        return tuple(replace(layer, stage=named.get(layer.path)) for layer in found)

    @cached_property
    def stages(self) -> dict[str, Layer]:
        """`layer1` … `layer4` (fewer where the network has fewer grids): `layer4` is the last stage before pooling, the
        others count back by grid size. Empty when the picture goes on as tokens after its last grid."""
        return {layer.stage: layer for layer in sorted(self.layers, key=lambda layer: layer.stage or "") if layer.stage}

    @cached_property
    def steps(self) -> tuple[Layer, ...]:
        """The last building block of each width and grid in the last two stages, less the very last, which says the
        class rather than the thing; where that leaves none, the last stage but one."""
        last = tuple(self.stages.values())[-2:]
        grids = {(layer.rows, layer.cols) for layer in last}
        found = blocks(self.specimen.module, self.layers)
        ends = {(one.rows, one.cols, one.channels): one for one in found if (one.rows, one.cols) in grids}
        return tuple(ends.values())[:-1] or last[:1]

    @cached_property
    def tokens(self) -> str | None:
        """The first module after the last grid that puts out the picture as a row of tokens (b, n, c), if one does."""
        tokens, cells = None, 0
        for path in self.outputs:
            if grid := self._grid(path):
                tokens, cells = None, grid.rows * grid.cols
            elif tokens is None and 0 < cells <= self._rows(path):
                tokens = path
        return tokens

    @property
    def default(self) -> Layer:
        """The layer for a run that names none. Raises LayerUnsuitable."""
        if self.stages:
            return self.stages[f"layer{STAGES}"]
        raise LayerUnsuitable(self._without_stages())

    def choose(self, text: str) -> list[tuple[Layer, ...]]:
        """What one `--layer` value asks for: entries side by side, each one layer, or several to fuse.

        A module path, else a stage (`layer4`, `stage4`), a glob over paths (`*` stays within a dotted part) or, where
        no path matches, over stages; `a+b` fuses. Raises LayerUnknown, LayerUnsuitable.
        """
        parts = [list(self._named(part.strip())) for part in text.split("+")]
        if len(parts) == 1:
            return [(layer,) for layer in parts[0]]
        return [tuple(layer for part in parts for layer in part)]

    def _named(self, text: str) -> Iterator[Layer]:
        by_path = {layer.path: layer for layer in self.layers}
        modules = dict(self.specimen.module.named_modules(remove_duplicate=False))
        if WILD.search(text):
            found = [layer for path, layer in by_path.items() if matches(path, text)]
            found = found or [layer for name, layer in self.stages.items() if matches(name, text)]
            if not found:
                raise LayerUnknown(f"no layer with a grid matches {text!r} (list: `camtool layers`)")
            yield from found
        elif text and text in modules:
            path = next(
                path for path, module in modules.items() if module is modules[text]
            )  # tied modules: its first name
            if path not in by_path:
                raise LayerUnsuitable(self._without_grid(path))
            yield by_path[path]
        elif stage := STAGE.fullmatch(text):
            name = f"layer{stage[1]}"
            if not self.stages:
                raise LayerUnsuitable(self._without_stages())
            if name not in self.stages:
                raise LayerUnknown(
                    f"{self.specimen.name} has no stage {text!r}; its stages are {', '.join(self.stages)}"
                )
            yield self.stages[name]
        else:
            known = [*self.stages, *filter(None, modules)]
            raise LayerUnknown(
                f"{self.specimen.name} has no layer {text!r}{nearest(text, known)} (list: `camtool layers`)"
            )

    def _grid(self, path: str) -> Grid | None:
        shape = self.outputs[path]
        return None if isinstance(shape, str) else grid_of(shape, 1)

    def _rows(self, path: str) -> int:
        """How many tokens the module puts out, as (1, n, c); 0 for anything else."""
        shape = self.outputs[path]
        return shape[1] if not isinstance(shape, str) and len(shape) == 3 and shape[0] == 1 else 0

    def _layer(self, path: str) -> Layer:
        grid, module = self._grid(path), self.specimen.module.get_submodule(path)
        assert grid is not None
        stride = power_of_two(self.specimen.size / grid.rows)
        kind = type(module).__name__
        return Layer(path, kind, grid.channels, grid.rows, grid.cols, stride, grid.channels_last, pools(module))

    def _without_grid(self, path: str) -> str:
        out = self.outputs.get(path)
        if out is None:
            said = "does not run by itself"
        elif isinstance(out, str):
            said = f"puts out {out}"
        elif len(out) == 3:
            said = (
                f"puts out {out[1]} tokens of {out[2]} channels (this version reads grids only; token grids come later)"
            )
        else:
            said = f"puts out {'×'.join(map(str, out))}"
        return f"layer {path} of {self.specimen.name} {said}, not rows and columns of cells{self._instead()}"

    def _without_stages(self) -> str:
        name = self.specimen.name
        if self.tokens:
            return (
                f"{name} carries the picture as tokens (from {self.tokens} on), and this version reads layers with "
                f"a grid only; token grids come later{self._instead()}"
            )
        return f"no layer of {name} has a spatial grid to map"

    def _instead(self) -> str:
        usable = [layer for layer in self.layers if not layer.pooling]
        return f"; name one with a grid, such as {usable[-1].path}" if usable else ""


def survey(network: Network | nn.Module, size: int | None = None) -> Survey:
    """Runs the network once on a fixed noise image, square, at its native size (or `size` px). Raises ModelFailed."""
    specimen = Specimen.of(network, size)
    return Survey(specimen, traced(specimen, specimen.noise(1)))


def outputs_at(network: Network, height: int, width: int) -> dict[str, Shape | str]:
    """`Survey.outputs` at another input size, which need not be square. Raises ModelFailed."""
    specimen = Specimen.of(network, None)
    square = replace(specimen, size=max(height, width)).noise(1)
    return traced(specimen, square[:, :, :height, :width])


def traced(specimen: Specimen, images: Tensor) -> dict[str, Shape | str]:
    """The shape of every module's output on `images`, or its type's name, in the order they finish."""
    outputs: dict[str, Shape | str] = {}

    def visit(path: str, module: nn.Module, inputs: object, output: object) -> None:
        outputs.pop(path, None)  # a dict keeps the first position; the last call is the one that counts
        outputs[path] = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__

    observe(specimen.module, images, visit)
    return outputs


def power_of_two(ratio: float) -> int:
    """The stride behind input size / grid size, which padding and borders put off: 28.9 (260 px, 9 cells) is 32."""
    return int(2 ** round(log2(max(ratio, 1))))


def matches(path: str, pattern: str) -> bool:
    """Does the glob cover the dotted path part by part? So `*` never crosses a dot."""
    parts, patterns = path.split("."), pattern.split(".")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))
