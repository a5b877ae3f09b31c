"""One batch of pictures to explanations: forward once, choose classes, one gradient a class, every method asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cam_cli.capture import Recording, record
from cam_cli.errors import ModelFailed, OutOfMemory
from cam_cli.maps import fuse
from cam_cli.methods.method import Captured, Method, Needs
from cam_cli.models.labels import Labels
from cam_cli.models.layers import Layer
from cam_cli.models.scores import read_scores
from cam_cli.types import ClassMap, Explanation, Failure, Head, MapLabel, Picture, Prediction

from .device import precise, to_device
from .selection import Selection

TOP = 5


@dataclass(frozen=True)
class Column:
    """A method at one layer, or at several fused: what one map of an image stands for, its class aside.

    label: the layer's part of file names. why: why this layer, for people.
    """

    name: str
    method: Method
    layers: tuple[Layer, ...]
    label: str
    why: str = ""

    @property
    def gradients(self) -> bool:
        return Needs.GRADIENTS in self.method.needs


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
    """Explains batches of one network. All fields are fixed for a run."""

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
        except ModelFailed as error:
            return [Failure.of(one.item, error) for one in pictures]
        except torch.OutOfMemoryError as error:
            if len(pictures) == 1:
                words = f"{self.device} has too little memory for one image; use a smaller --size or --device cpu"
                return [Failure.of(pictures[0].item, OutOfMemory(f"{words} ({str(error).partition('.')[0]})"))]
        half = len(pictures) // 2
        return self.attempt(pictures[:half]) + self.attempt(pictures[half:])

    def explain(self, pictures: Sequence[Picture]) -> list[Explanation]:
        """Pictures of one input shape. Raises ModelFailed."""
        layers = {layer.path: layer for column in self.columns for layer in column.layers}
        images = to_device([one.tensor for one in pictures], self.device)
        with precise(self.device, self.precision):
            recording = record(
                self.module,
                images,
                list(layers),
                gradients=any(column.gradients for column in self.columns),
                read_scores=self.read_scores,
            )
        scores = recording.scores.detach().float().cpu()
        probabilities = scores.sigmoid() if self.activation == "sigmoid" else scores.softmax(1)
        answers = [Answers(self.labels, *both) for both in zip(scores, probabilities, strict=True)]
        chosen = [self.choose(answer) for answer in answers]
        maps = self.maps(recording, layers, [[target.index for target, _ in targets] for targets in chosen])
        return [
            Explanation(
                picture.item,
                picture.geometry,
                tuple(answer[index] for index in answer.ranking[:TOP]),
                tuple(
                    ClassMap(
                        target,
                        column.name,
                        tuple(layer.path for layer in column.layers),
                        maps[row][position][place],
                        MapLabel(column.name, column.label, part),
                    )
                    for position, column in enumerate(self.columns)
                    for place, (target, part) in enumerate(chosen[row])
                ),
                picture.pixels,
                (*picture.flags, *answer.flags, *(() if chosen[row] else ("no_class",))),
            )
            for row, (picture, answer) in enumerate(zip(pictures, answers, strict=True))
        ]

    def choose(self, answer: Answers) -> list[tuple[Prediction, str]]:
        """The classes of one image to explain, each with the name part of its files; none twice."""
        wanted = {
            part: answer[index]
            for selection in self.selections
            for index, part in selection.choose(answer.ranking, self.labels.names)
        }
        least = self.min_prob
        return [(one, part) for part, one in wanted.items() if least is None or one.probability > least]

    def maps(
        self, recording: Recording, layers: dict[str, Layer], targets: list[list[int]]
    ) -> list[list[list[np.ndarray]]]:
        """Raw maps by image, column and place in the image's `targets`.

        Images have different numbers of targets: round r explains the r-th target of every image that has one.
        """
        found: list[list[list[np.ndarray]]] = [[[] for _ in self.columns] for _ in targets]
        activations = {path: grid(kept.detach(), layers[path]) for path, kept in recording.activations.items()}
        rounds = max(map(len, targets), default=0)
        for turn in range(rounds):
            wanted = torch.tensor([turn < len(mine) for mine in targets], device=self.device)
            indices = torch.tensor([mine[turn] if turn < len(mine) else 0 for mine in targets], device=self.device)
            gradients = {}
            if any(column.gradients for column in self.columns):
                taken = recording.gradients(indices, wanted, last=turn == rounds - 1)
                gradients = {path: grid(gradient, layers[path]) for path, gradient in taken.items()}
            for position, column in enumerate(self.columns):
                raws = [
                    column.method.map(Captured(activations[layer.path], indices, gradients.get(layer.path), self.head))
                    .cpu()
                    .numpy()
                    for layer in column.layers
                ]
                for row in range(len(targets)):
                    if turn < len(targets[row]):
                        mine = [raw[row] for raw in raws]
                        found[row][position].append(mine[0] if len(mine) == 1 else fuse(mine, self.fuse))
        return found

    def read_scores(self, output: Any) -> Tensor:
        """The model's output as scores (b, k), one for every label. Raises ModelFailed."""
        scores = read_scores(output)
        if scores.shape[1] != len(self.labels.names):
            raise ModelFailed(f"the model puts out {scores.shape[1]} classes, its labels name {len(self.labels.names)}")
        return scores


def grid(tensor: Tensor, layer: Layer) -> Tensor:
    """A layer's output or gradient as float32 (b, c, u, v)."""
    return (tensor.permute(0, 3, 1, 2) if layer.channels_last else tensor).float()
