"""One batch of pictures to explanations: forward once, choose classes, one gradient a class, every method asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cam_cli.capture import Recording, Tail
from cam_cli.errors import MethodUnsuitable, ModelFailed, OutOfMemory
from cam_cli.maps import fuse
from cam_cli.methods.method import Captured, Method, Needs, Target
from cam_cli.models.labels import Labels
from cam_cli.models.layers import Layer
from cam_cli.types import ClassMap, Explanation, Failure, Head, MapLabel, Picture, Prediction

from .augment import Augmentation
from .device import to_device
from .forward import Forward
from .layout import to_grid
from .likeness import Likeness, less_background
from .probe import LayerProbe, Progress
from .selection import Selection

TOP = 5


@dataclass(frozen=True)
class Column:
    """A method at one layer, or at several fused: what one map of an image stands for, its class aside.

    layers: none for a method that has none. label: the layer's part of file names. why: why this layer, for people.
    """

    name: str
    method: Method
    layers: tuple[Layer, ...]
    label: str
    why: str = ""

    @property
    def gradients(self) -> bool:
        return Needs.GRADIENTS in self.method.needs


class Chosen(NamedTuple):
    """A class of one image to explain. part: of its file names. sign: −1 for what speaks against it."""

    target: Prediction
    part: str
    sign: int = 1


@dataclass(frozen=True)
class Answers:
    """The model's answer for one image. logits, probabilities: float32 (k,), on the CPU."""

    labels: Labels
    logits: Tensor
    probabilities: Tensor

    @cached_property
    def ranking(self) -> list[int]:
        """All class indices, best first; equal scores in the order of their indices."""
        return self.logits.argsort(descending=True, stable=True).tolist()

    @property
    def flags(self) -> tuple[str, ...]:
        return () if self.logits.isfinite().all() else ("scores_not_finite",)

    def __getitem__(self, index: int) -> Prediction:
        wnid = self.labels.wnids[index] if self.labels.wnids else None
        return Prediction(
            index, self.labels.names[index], wnid, self.logits[index].item(), self.probabilities[index].item()
        )


@dataclass(frozen=True)
class Explainer:
    """Explains batches of one network. All fields are fixed for a run.

    alike: the layers whose features say which cells a map spreads over; none for maps as their methods make them.
    """

    module: torch.nn.Module
    labels: Labels
    columns: tuple[Column, ...]
    selections: tuple[Selection, ...]
    head: Head | None
    fuse: str
    min_prob: float | None
    device: torch.device
    precision: str
    activation: str = "softmax"
    augmentations: tuple[Augmentation, ...] = (Augmentation(),)
    alike: tuple[Layer, ...] = ()
    seed: int = 0
    progress: Progress = lambda done, count: None

    @cached_property
    def forward(self) -> Forward:
        return Forward(self.module, self.device, self.precision, self.read_scores)

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer that is read, by module path."""
        return {layer.path: layer for column in self.columns for layer in (*column.layers, *self.alike)}

    def __call__(self, batch: Sequence[Picture | Failure]) -> Iterator[Explanation | Failure]:
        """One outcome for each of `batch`, in its order. Pictures of one input shape share a forward pass; where the
        model fails on a shape, each picture of it becomes a Failure."""
        outcomes: dict[int, Explanation | Failure] = {}
        pictures = [(position, one) for position, one in enumerate(batch) if isinstance(one, Picture)]
        outcomes |= {position: one for position, one in enumerate(batch) if isinstance(one, Failure)}
        shape = lambda entry: tuple(entry[1].tensor.shape)  # noqa: E731
        for _, group in groupby(sorted(pictures, key=shape), key=shape):
            positions, members = zip(*group, strict=True)
            outcomes |= dict(zip(positions, self.attempt(members), strict=True))
        return (outcomes[position] for position in range(len(batch)))

    def attempt(self, pictures: Sequence[Picture]) -> list[Explanation | Failure]:
        """`explain`, in halves where the device runs out of memory; what cannot be explained becomes a Failure."""
        try:
            return [*self.explain(pictures)]
        except (ModelFailed, MethodUnsuitable) as error:
            return [Failure.of(one.item, error) for one in pictures]
        except torch.OutOfMemoryError as error:
            if len(pictures) == 1:
                words = f"{self.device} has too little memory for one image; use a smaller --size or --device cpu"
                return [Failure.of(pictures[0].item, OutOfMemory(f"{words} ({str(error).partition('.')[0]})"))]
        half = len(pictures) // 2
        return self.attempt(pictures[:half]) + self.attempt(pictures[half:])

    def explain(self, pictures: Sequence[Picture]) -> list[Explanation]:
        """Pictures of one input shape. Raises ModelFailed, MethodUnsuitable."""
        images = to_device([one.tensor for one in pictures], self.device)
        recording = self.record(images)
        scores = recording.scores.detach().float().cpu()
        probabilities = scores.sigmoid() if self.activation == "sigmoid" else scores.softmax(1)
        answers = [Answers(self.labels, *both) for both in zip(scores, probabilities, strict=True)]
        chosen = [self.choose(answer) for answer in answers]
        seeds = tuple(seed_of(self.seed, picture.item.id) for picture in pictures)
        maps = self.averaged(images, recording, chosen, seeds)
        return [
            Explanation(
                picture.item,
                picture.geometry,
                tuple(answer[index] for index in answer.ranking[:TOP]),
                tuple(
                    ClassMap(
                        one.target,
                        column.name,
                        tuple(layer.path for layer in column.layers),
                        maps[row][position][place],
                        MapLabel(column.name, column.label, one.part),
                    )
                    for position, column in enumerate(self.columns)
                    for place, one in enumerate(chosen[row])
                ),
                picture.pixels,
                (*picture.flags, *answer.flags, *(() if chosen[row] else ("no_class",))),
            )
            for row, (picture, answer) in enumerate(zip(pictures, answers, strict=True))
        ]

    def record(self, images: Tensor) -> Recording:
        """One pass that serves every column."""
        gradients = any(column.gradients for column in self.columns)
        return self.forward.record(images, list(self.layers), gradients=gradients)

    def choose(self, answer: Answers) -> list[Chosen]:
        """The classes of one image to explain, none twice."""
        wanted = {
            part: Chosen(answer[index], part)
            for selection in self.selections
            for index, part in selection.choose(answer.ranking, self.labels.names)
        }
        least = self.min_prob
        return [one for one in wanted.values() if least is None or one.target.probability > least]

    def averaged(
        self, images: Tensor, recording: Recording, chosen: list[list[Chosen]], seeds: tuple[int, ...]
    ) -> list[list[list[np.ndarray]]]:
        """Raw maps by image, column and place in the image's `chosen`: of each layer the mean over the augmentations,
        spread over what is `alike` where anything is, then fused over layers."""
        rounds = max(map(len, chosen), default=0)
        found: list[list[list[np.ndarray]]] = [[[] for _ in self.columns] for _ in chosen]
        sums: dict[tuple[int, int, int], Tensor] = {}
        for number, augmentation in enumerate(self.augmentations):
            changed = augmentation.apply(images)
            seen = recording if changed is images else self.record(changed)
            features = [to_grid(seen.activations[layer.path].detach(), layer) for layer in self.alike]
            likeness = Likeness.of(features) if features else None
            for key, raw in self.maps(changed, seen, chosen, seeds):
                spread = likeness.spread(raw, rows_of(chosen, key[0])) if likeness else raw
                sums[key] = sums[key] + augmentation.undo(spread, sums[key]) if number else spread
        means = {key: one / len(self.augmentations) for key, one in sums.items()}
        if self.alike:
            means = {key: less_background(one) for key, one in means.items()}
        for turn in range(rounds):
            for position, column in enumerate(self.columns):
                raws = [means[turn, position, part].cpu().numpy() for part in range(max(1, len(column.layers)))]
                for place, row in enumerate(rows_of(chosen, turn)):
                    layered = [raw[place] for raw in raws]
                    found[row][position].append(layered[0] if len(layered) == 1 else fuse(layered, self.fuse))
        return found

    def maps(
        self, images: Tensor, recording: Recording, chosen: list[list[Chosen]], seeds: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, int, int], Tensor]]:
        """((round, column, layer's place), raw maps (n, u, v) of the images that have a class in that round).

        Images have different numbers of classes: round r explains the r-th class of every image that has one.
        """
        activations = {path: to_grid(kept.detach(), self.layers[path]) for path, kept in recording.activations.items()}
        scores = recording.scores.detach().float()
        tails: dict[str, dict[int, Tail]] = {path: {} for path in self.layers}
        rounds = max(map(len, chosen), default=0)
        for turn in range(rounds):
            target = self.target([mine[turn] if turn < len(mine) else None for mine in chosen])
            rows = rows_of(chosen, turn)
            at: dict[str, dict[str, Any]] = {path: {"activations": kept[rows]} for path, kept in activations.items()}
            if any(column.gradients for column in self.columns):
                wanted = torch.zeros(len(chosen), dtype=torch.bool, device=self.device)
                wanted[rows] = True
                for path, gradient in recording.gradients(target, wanted, last=turn == rounds - 1).items():
                    at[path]["gradients"] = to_grid(gradient, self.layers[path])[rows]
            seeded = tuple(seeds[row] for row in rows)
            given = Captured(images[rows], scores[rows], target[rows], seeded, head=self.head)
            for position, column in enumerate(self.columns):
                for part, layer in enumerate(column.layers or (None,)):
                    seen = replace(given, **at[layer.path]) if layer else given
                    known = tails[layer.path] if layer else {}
                    probe = LayerProbe(self.forward, layer, seen, self.progress, rows, known)
                    yield (turn, position, part), column.method.map(seen, probe)

    def target(self, chosen: Sequence[Chosen | None]) -> Target:
        """Of each image the class of one round; any, where it has none left."""
        indices = [one.target.index if one else 0 for one in chosen]
        signs = [float(one.sign) if one else 1.0 for one in chosen]
        return Target(torch.tensor(indices, device=self.device), torch.tensor(signs, device=self.device))

    def read_scores(self, output: Any) -> Tensor:
        """The model's output as scores (b, k). Raises ModelFailed when it is anything else."""
        if not isinstance(output, Tensor) or output.ndim != 2:
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ModelFailed(
                f"the model puts out {shape}, not scores (images, classes); only classifiers are explained"
            )
        if output.shape[1] != len(self.labels.names):
            raise ModelFailed(f"the model puts out {output.shape[1]} classes, its labels name {len(self.labels.names)}")
        return output


def rows_of(chosen: Sequence[Sequence[Chosen]], turn: int) -> list[int]:
    """The images of a batch that have a class in round `turn`."""
    return [row for row, mine in enumerate(chosen) if turn < len(mine)]


def seed_of(seed: int, image: str) -> int:
    """A seed for one image of a run: the same in whatever batch, order or selection it comes."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{image}".encode("utf-8", "surrogateescape")).digest()[:7], "big")
