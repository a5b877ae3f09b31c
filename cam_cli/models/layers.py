"""The layers of a network that have a spatial grid, plain or as tokens, and what a person may mean by `--layer`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from math import log2

import torch
from torch import Tensor, nn

from cam_cli.capture import observe, record, record_attention
from cam_cli.errors import LayerUnknown, LayerUnsuitable, MethodUnsuitable, nearest

from .network import Network, Specimen
from .order import row_by_row
from .scores import raw_scores
from .stages import STAGES, Grid, GridReader, Layer, Shape, blocks, normalises, pools, stages

__all__ = ["Layer", "Survey", "survey"]

STAGE = re.compile(r"(?:layer|stage)(\d+)")
WILD = re.compile(r"[*?\[]")
SWEEP = "stages"


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
        named = {layer.path: name for name, layer in self.stages.items()}
        return tuple(replace(layer, stage=named.get(layer.path)) for layer in self._found)

    @cached_property
    def stages(self) -> dict[str, Layer]:
        """`layer1` … `layer4` (fewer where the network has fewer grids): `layer4` is the last stage before pooling, the
        others count back by grid size. Among tokens, whose blocks often put out no tensor, or one in which the scores
        read the class token only, a stage is the last normalisation of its grid that the scores read the picture from:
        of a class token's network the input norm of the last attention block."""
        ends = stages(self.specimen.module, self._found)
        if any(layer.prefix is not None for layer in ends.values()):
            self._check_order()
        ends = {name: layer if layer.prefix is None else self._read(layer) for name, layer in ends.items()}
        return {name: replace(layer, stage=name) for name, layer in sorted(ends.items())}

    def _read(self, end: Layer) -> Layer:
        """The layer of tokens that stands for a stage which ends with `end`."""
        alike = [one for one in self._found if one.prefix is not None and (one.rows, one.cols) == (end.rows, end.cols)]
        alive = [one for one in alike if one.path in self.alive] or alike
        module = self.specimen.module
        return next((one for one in reversed(alive) if normalises(module.get_submodule(one.path))), alive[-1])

    def _check_order(self) -> None:
        """Raises LayerUnsuitable where the first normalisation of tokens does not have the picture row by row."""
        if not self._in_order:
            raise LayerUnsuitable(
                f"{self.specimen.name} sorts its tokens (they are not the picture row by row), so that maps of its "
                "layers cannot be put in place; use another model"
            )

    @cached_property
    def _in_order(self) -> bool:
        tokens = (layer for layer in self._found if layer.prefix is not None)
        first = next((one for one in tokens if normalises(self.specimen.module.get_submodule(one.path))), None)
        return first is None or row_by_row(self.specimen, first)

    @cached_property
    def alive(self) -> frozenset[str]:
        """The layers of tokens whose part for the picture the scores depend on, by value: one pass forward and back on
        noise. Behind the last attention block a class token's network reads that token only, and every gradient of the
        others is 0. Empty where no score depends on the input, as with an untrained head. Raises ModelFailed."""
        tokens = {layer.path: layer for layer in self._found if layer.prefix is not None}
        images = self.specimen.noise(1)
        recording = record(self.specimen.module, images, list(tokens), gradients=True, read_scores=raw_scores)
        weights = torch.randn(recording.scores.shape[1], generator=torch.Generator().manual_seed(0))
        everyone = torch.ones(1, dtype=torch.bool, device=images.device)
        found = recording.gradients(lambda scores: scores @ weights.to(scores), everyone, last=True)
        return frozenset(path for path, gradient in found.items() if gradient[:, tokens[path].prefix :].any())

    @cached_property
    def attended(self) -> Layer:
        """A layer of the tokens that every block attends between. Raises MethodUnsuitable where blocks attend
        otherwise, or between rows that are no picture; LayerUnsuitable, ModelFailed."""
        images = self.specimen.noise(1)
        recording = record_attention(self.specimen.module, images, gradients=False, read_scores=raw_scores)
        tokens = recording.activations["0"].shape[-1]
        self._check_order()
        for layer in self._found:
            if layer.prefix is not None and layer.prefix + layer.rows * layer.cols == tokens:
                return layer
        raise MethodUnsuitable(
            f"{self.specimen.name} attends between {tokens} tokens, which are no grid of its picture"
        )

    def check_gradients(self, layers: Iterable[Layer]) -> None:
        """Raises LayerUnsuitable for a layer where every gradient of the picture's tokens is 0."""
        name = self.specimen.name
        for layer in layers:
            if layer.prefix is None or layer.path in self.alive:
                continue
            if not self.alive:
                raise LayerUnsuitable(f"the scores of {name} do not depend on the picture at all; is its head trained?")
            raise LayerUnsuitable(
                f"from layer {layer.path} on the scores of {name} depend on no token of the picture (only on its class "
                f"token), so that every gradient there is 0; use --layer {self.default.path}"
            )

    @cached_property
    def steps(self) -> tuple[Layer, ...]:
        """The last building block of each width and grid in the last two stages, less the very last, which says the
        class rather than the thing; where that leaves none, the last stage but one."""
        last = tuple(self.stages.values())[-2:]
        grids = {(layer.rows, layer.cols) for layer in last}
        found = blocks(self.specimen.module, self.layers, self.outputs)
        ends = {(one.rows, one.cols, one.channels): one for one in found if (one.rows, one.cols) in grids}
        return tuple(ends.values())[:-1] or last[:1]

    @property
    def default(self) -> Layer:
        """The layer for a run that names none. Raises LayerUnsuitable."""
        if self.stages:
            return self.stages[f"layer{STAGES}"]
        raise LayerUnsuitable(f"no layer of {self.specimen.name} has a spatial grid to map")

    def choose(self, text: str) -> list[tuple[Layer, ...]]:
        """What one `--layer` value asks for: entries side by side, each one layer, or several to fuse.

        A module path, else a stage (`layer4`, `stage4`), a glob over paths (`*` stays within a dotted part) or, where
        no path matches, over stages; `stages` is all of them; `a+b` fuses. Raises LayerUnknown, LayerUnsuitable.
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
        elif text == SWEEP and self.stages:
            yield from self.stages.values()
        elif stage := STAGE.fullmatch(text):
            name = f"layer{stage[1]}"
            if not self.stages:
                raise LayerUnsuitable(f"no layer of {self.specimen.name} has a spatial grid to map")
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

    @cached_property
    def _found(self) -> tuple[Layer, ...]:
        """`layers`, before any is known to stand for a stage."""
        reader = GridReader(1)
        grids = {path: reader(path, shape) for path, shape in self.outputs.items() if not isinstance(shape, str)}
        return tuple(self._layer(path, grid) for path, grid in grids.items() if grid)

    def _layer(self, path: str, grid: Grid) -> Layer:
        module, ratio = self.specimen.module.get_submodule(path), self.specimen.size / grid.rows
        return Layer(
            path,
            type(module).__name__,
            grid.channels,
            grid.rows,
            grid.cols,
            power_of_two(ratio) if grid.prefix is None else round(ratio),
            grid.channels_last,
            pools(module),
            prefix=grid.prefix,
        )

    def _without_grid(self, path: str) -> str:
        out = self.outputs.get(path)
        if out is None:
            said = "does not run by itself"
        elif isinstance(out, str):
            said = f"puts out {out}"
        elif len(out) == 3:
            said = f"puts out {out[1]} rows of {out[2]} channels"
        else:
            said = f"puts out {'×'.join(map(str, out))}"
        return f"layer {path} of {self.specimen.name} {said}, not rows and columns of cells{self._instead()}"

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


def sweeps(text: str) -> bool:
    """Whether a value of `--layer` may name several layers, side by side."""
    return bool(WILD.search(text)) or text == SWEEP
