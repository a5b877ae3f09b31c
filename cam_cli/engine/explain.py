"""One batch of pictures to explanations: forward once, choose classes, one gradient a class, every method asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cam_cli.capture import Recording, Tail, replica
from cam_cli.errors import MethodUnsuitable, ModelFailed, OutOfMemory
from cam_cli.maps import fuse
from cam_cli.methods.method import Captured, Needs, Target
from cam_cli.models.layers import Layer
from cam_cli.models.scores import read_scores
from cam_cli.types import ClassMap, Explanation, Failure, Head, LeftOut, MapLabel, Picture

from .answers import Answers, Reading
from .augment import Augmentation
from .column import Column
from .device import to_device
from .forward import Forward
from .grouping import Grouping
from .layout import to_grid
from .likeness import Likeness, less_background
from .probe import LayerProbe, Progress
from .seed import seed_of
from .selection import Selection
from .truth import Truths

TOP = 5


class Question(NamedTuple):
    """What a map answers: of which class, with sign −1 what speaks against it, less the score of the class `other`."""

    target: int
    sign: int = 1
    other: int | None = None


class Chosen(NamedTuple):
    """A map that is wanted of one image. part: of its file names; several maps may answer one question."""

    question: Question
    part: str


@dataclass(frozen=True)
class Explainer:
    """Explains batches of one network. All fields are fixed for a run.

    against: the class whose score is taken off, everywhere. truths: None without `--truth`. only: `wrong` or `right`.
    alike: the layers whose features say which cells a map spreads over; none for maps as their methods make them.
    grouping: where the classes are groups of the network's.
    """

    module: torch.nn.Module
    reading: Reading
    columns: tuple[Column, ...]
    selections: tuple[Selection, ...]
    head: Head | None
    fuse: str
    min_prob: float | None
    device: torch.device
    precision: str
    score: str = "logit"
    against: Selection | None = None
    truths: Truths | None = None
    only: str | None = None
    augmentations: tuple[Augmentation, ...] = (Augmentation(),)
    alike: tuple[Layer, ...] = ()
    seed: int = 0
    tokens: Layer | None = None
    progress: Progress = lambda done, count: None
    grouping: Grouping | None = None

    @cached_property
    def forward(self) -> Forward:
        return Forward(self.module, self.device, self.precision, self.read_scores)

    @cached_property
    def heavy(self) -> bool:
        """Whether a method asks the network many times about an image."""
        return any(Needs.PASSES in column.method.needs for column in self.columns)

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Every layer that is read, by module path."""
        return {layer.path: layer for column in self.columns for layer in (*column.layers, *self.alike)}

    def __call__(self, batch: Sequence[Picture | Failure]) -> Iterator[Explanation | LeftOut | Failure]:
        """One outcome for each of `batch`, in its order. Pictures of one input shape share a forward pass; where the
        model fails on a shape, each picture of it becomes a Failure."""
        outcomes: dict[int, Explanation | LeftOut | Failure] = {}
        pictures = [(position, one) for position, one in enumerate(batch) if isinstance(one, Picture)]
        outcomes |= {position: one for position, one in enumerate(batch) if isinstance(one, Failure)}
        shape = lambda entry: tuple(entry[1].tensor.shape)  # noqa: E731
        for _, group in groupby(sorted(pictures, key=shape), key=shape):
            positions, members = zip(*group, strict=True)
            outcomes |= dict(zip(positions, self.attempt(members), strict=True))
        return (outcomes[position] for position in range(len(batch)))

    def replica(self) -> Explainer:
        """One for another thread: its network shares all values with this one's, but no hooks, modes or flags."""
        return replace(self, module=replica(self.module))

    def attempt(self, pictures: Sequence[Picture]) -> list[Explanation | LeftOut | Failure]:
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

    def explain(self, pictures: Sequence[Picture]) -> list[Explanation | LeftOut]:
        """Pictures of one input shape. Raises ModelFailed, MethodUnsuitable."""
        images = to_device([one.tensor for one in pictures], self.device, channels_last=not self.heavy)
        recording = self.record(images)
        answers = Answers.of(self.reading, recording.scores)
        truths = [self.truths[one.item] if self.truths else () for one in pictures]
        wanted = [self.wants(*one) for one in zip(answers, truths, strict=True)]
        chosen = [self.choose(answers[row], truths[row]) if want else [] for row, want in enumerate(wanted)]
        asked = [list(dict.fromkeys(one.question for one in mine)) for mine in chosen]
        seeds = tuple(seed_of(self.seed, picture.item.id) for picture in pictures)
        maps = self.averaged(images, recording, asked, seeds)
        found = [[dict(zip(asked[row], one, strict=True)) for one in columns] for row, columns in enumerate(maps)]
        return [
            self.explanation(picture, answers[row], truths[row], chosen[row], found[row])
            if wanted[row]
            else LeftOut(picture.item, answers[row].right(truths[row]))
            for row, picture in enumerate(pictures)
        ]

    def explanation(
        self,
        picture: Picture,
        answer: Answers,
        truths: tuple[int, ...],
        chosen: list[Chosen],
        found: list[dict[Question, np.ndarray]],
    ) -> Explanation:
        """found: of each column the raw map of every question."""
        flags = (*picture.flags, *answer.flags)
        flags += ("no_truth",) * (self.truths is not None and not truths) + ("no_class",) * (not chosen)
        return Explanation(
            picture.item,
            picture.geometry,
            tuple(answer[index] for index in answer.best(TOP)),
            tuple(
                ClassMap(
                    answer[one.question.target],
                    column.name,
                    tuple(layer.path for layer in column.layers),
                    raws[one.question],
                    MapLabel(column.part, column.label, one.part),
                    one.question.sign,
                    None if one.question.other is None else answer[one.question.other],
                )
                for column, raws in zip(self.columns, found, strict=True)
                for one in chosen
            ),
            picture.pixels,
            flags,
            answer[truths[0]] if len(truths) == 1 else None,
            answer.right(truths),
            answer.probabilities,
        )

    def record(self, images: Tensor) -> Recording:
        """One pass that serves every column."""
        gradients = any(column.gradients for column in self.columns)
        return self.forward.record(images, list(self.layers), gradients=gradients)

    def wants(self, answer: Answers, truths: tuple[int, ...]) -> bool:
        """Whether `--only` lets an image through. One without a truth it does not; scores that are not finite always:
        they are to be seen."""
        return self.only is None or bool(answer.flags) or answer.right(truths) is (self.only == "right")

    def choose(self, answer: Answers, truths: tuple[int, ...]) -> list[Chosen]:
        """The maps of one image that are wanted, none twice; none of a class against itself."""
        best, names = answer.best, self.reading.labels.names
        others = [index for index, _ in self.against.choose(best, names, truths)] if self.against else [None]
        wanted = {
            part: Chosen(Question(index, selection.sign, other), part)
            for selection in self.selections
            for index, part in selection.choose(best, names, truths)
            for other in others
            if index != other
        }
        least = self.min_prob
        return [one for one in wanted.values() if least is None or answer[one.question.target].probability > least]

    def averaged(
        self, images: Tensor, recording: Recording, asked: list[list[Question]], seeds: tuple[int, ...]
    ) -> list[list[list[np.ndarray]]]:
        """Raw maps by image, column and place in what is `asked` of the image: of each layer the mean over the
        augmentations, spread over what is `alike` where anything is, then fused over layers."""
        rounds = max(map(len, asked), default=0)
        found: list[list[list[np.ndarray]]] = [[[] for _ in self.columns] for _ in asked]
        sums: dict[tuple[int, int, int], Tensor] = {}
        for number, augmentation in enumerate(self.augmentations):
            changed = augmentation.apply(images)
            seen = recording if changed is images else self.record(changed)
            size = changed.shape[2:]
            features = [to_grid(seen.activations[layer.path].detach(), layer, size) for layer in self.alike]
            likeness = Likeness.of(features) if features else None
            for key, raw in self.maps(changed, seen, asked, seeds):
                spread = likeness.spread(raw, rows_of(asked, key[0])) if likeness else raw
                sums[key] = sums[key] + augmentation.undo(spread, sums[key]) if number else spread
        means = {key: one / len(self.augmentations) for key, one in sums.items()}
        if self.alike:
            means = {key: less_background(one) for key, one in means.items()}
        for turn in range(rounds):
            for position, column in enumerate(self.columns):
                raws = [means[turn, position, part].cpu().numpy() for part in range(max(1, len(column.layers)))]
                for place, row in enumerate(rows_of(asked, turn)):
                    layered = [raw[place] for raw in raws]
                    found[row][position].append(
                        layered[0] if len(layered) == 1 else fuse(layered, column.method.fuse or self.fuse)
                    )
        return found

    def maps(
        self, images: Tensor, recording: Recording, asked: list[list[Question]], seeds: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, int, int], Tensor]]:
        """((round, column, layer's place), raw maps (n, u, v) of the images that have a question in that round).

        Images have different numbers of questions: round r answers the r-th of every image that has one.
        """
        size = images.shape[2:]
        activations = {
            path: to_grid(kept.detach(), self.layers[path], size) for path, kept in recording.activations.items()
        }
        scores = recording.scores.detach().float()
        tails: dict[str, dict[int, Tail]] = {path: {} for path in self.layers}
        answers: dict[tuple[int, int], dict[int, Tensor]] = defaultdict(dict)
        rounds = max(map(len, asked), default=0)
        for turn in range(rounds):
            target = self.target([mine[turn] if turn < len(mine) else None for mine in asked])
            rows = rows_of(asked, turn)
            these: Any = rows if len(rows) < len(asked) else slice(None)  # a list would copy
            at: dict[str, dict[str, Any]] = {path: {"activations": kept[these]} for path, kept in activations.items()}
            if any(column.gradients for column in self.columns):
                wanted = torch.zeros(len(asked), dtype=torch.bool, device=self.device)
                wanted[rows] = True
                for path, gradient in recording.gradients(target, wanted, last=turn == rounds - 1).items():
                    at[path]["gradients"] = to_grid(gradient, self.layers[path], size)[these]
            seeded = tuple(seeds[row] for row in rows)
            head = self.head
            if head and self.grouping:
                head = self.grouping.head(head, activations[head.layer][these])
            given = Captured(
                images[these], scores[these], target[these], seeded, head=head, activation=self.reading.activation
            )
            for position, column in enumerate(self.columns):
                for part, layer in enumerate(column.layers or (None,)):
                    seen = replace(given, **at[layer.path]) if layer else given
                    known = tails[layer.path] if layer else {}
                    told = answers[position, part]
                    probe = LayerProbe(self.forward, layer, seen, self.progress, rows, known, self.tokens, told)
                    yield (turn, position, part), column.method.map(seen, probe)

    def target(self, asked: Sequence[Question | None]) -> Target:
        """Of each image the question of one round; any, where it has none left."""
        questions = [one or Question(0, 1, 0) for one in asked]
        return Target(
            torch.tensor([one.target for one in questions], device=self.device),
            torch.tensor([float(one.sign) for one in questions], device=self.device),
            torch.tensor([one.other for one in questions], device=self.device) if self.against else None,
            self.reading.activation if self.score == "probability" else None,
        )

    def read_scores(self, output: Any) -> Tensor:
        """The model's output as scores (b, k), one for every label. Raises ModelFailed."""
        scores, classes = read_scores(output), len(self.reading.labels)
        if self.grouping:
            scores = self.grouping.scores(scores)
        if scores.shape[1] != classes:
            raise ModelFailed(f"the model puts out {scores.shape[1]} classes, its labels name {classes}")
        return scores


def rows_of(asked: Sequence[Sequence[Question]], turn: int) -> list[int]:
    """The images of a batch that have a question in round `turn`."""
    return [row for row, mine in enumerate(asked) if turn < len(mine)]
