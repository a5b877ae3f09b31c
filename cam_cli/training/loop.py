"""The loop: epochs of steps, a look at the images to choose by after each, the best one kept, an end in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import torch
from torch import Tensor, nn

from cam_cli.engine.device import precise
from cam_cli.engine.seed import seed_of
from cam_cli.errors import ModelFailed, OutOfMemory

from .material import Batch, Material
from .progress import Epoch, Progress, State, optimizer_state, restore
from .recipe import Part, loss, optimizer, rate, set_rate
from .samples import Samples
from .verdict import Verdict

FROZEN = (nn.modules.batchnorm._BatchNorm,)


@dataclass(frozen=True)
class Plan:
    """epochs: at most; patience: end after so many without a better one or a lower loss, 0 for never. decay, seed: as
    the options.

    competing: classes compete in a softmax. precision: fp32, bf16 or fp16.
    """

    epochs: int
    patience: int
    decay: float
    seed: int
    competing: bool
    device: torch.device
    precision: str


@dataclass
class Learner:
    """module: what learns, on its device: a head on features, or a network on pictures. parts: of its parameters, with
    their rates. learn, choose: what is known of the material's rows. steps: of one epoch. progress: where it is.

    On a CPU, with the same number of threads, the same samples and seed give the same weights, to the bit.
    """

    plan: Plan
    module: nn.Module
    parts: list[Part]
    material: Material
    learn: Samples
    choose: Samples
    steps: int
    stop: Event
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = optimizer(self.parts, self.plan.decay)
        self.scaler = torch.amp.GradScaler(self.plan.device.type, enabled=self.plan.precision == "fp16")
        self.progress = Progress(self.weights(), {}, {})

    def weights(self) -> State:
        """A copy of all weights, on the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self.module.state_dict().items()}

    def resume(self, progress: Progress) -> None:
        """Goes on from there."""
        self.progress = progress
        self.module.load_state_dict(progress.weights)
        restore(self.optimizer, progress.optimizer)

    def run(self, tell: Callable[[Epoch], None]) -> None:
        """Learns until the epochs or the patience are at an end, or `stop` is set: then the epoch in hand is dropped,
        for it will be gone through again, from where it began. tell: told of each epoch, when all of it is in
        `progress`. Raises ModelFailed where the loss is no number any more, OutOfMemory.
        """
        while not self.finished:
            try:
                one = self.epoch(len(self.progress.epochs) + 1)
            except torch.OutOfMemoryError as error:
                raise OutOfMemory(
                    f"{self.plan.device} has too little memory for a step; lower --batch-size or --size"
                ) from error
            if one is None:
                return
            progress = self.progress
            progress.epochs.append(one)
            progress.weights, progress.optimizer = self.weights(), optimizer_state(self.optimizer)
            if one.better(progress.chosen):
                progress.best, progress.chosen = progress.weights, one
            tell(one)

    @property
    def finished(self) -> bool:
        done, patience = len(self.progress.epochs), self.plan.patience
        return done >= self.plan.epochs or bool(patience and done - self.progress.improved >= patience)

    def epoch(self, number: int) -> Epoch | None:
        """One epoch; None where it was stopped. Whatever is drawn in it is drawn from its number."""
        began, total, seen, reached = time.monotonic(), 0.0, 0, 0.0
        device = self.plan.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed_of(self.plan.seed, f"epoch {number}"))
            self.mode(True)
            for step, batch in enumerate(self.material.epoch(number)):
                if self.stop.is_set():
                    return None
                reached = rate((number - 1) * self.steps + step, self.plan.epochs * self.steps)
                total += self.step(batch.inputs, batch.rows, reached) * len(batch.rows)
                seen += len(batch.rows)
        if self.stop.is_set():
            return None
        mean = total / max(seen, 1)
        if not np.isfinite(mean):
            raise ModelFailed(f"the loss is not a number any more in epoch {number}; lower --lr")
        verdict = self.judge(self.material.held_out(self.stop))
        if self.stop.is_set():
            return None
        loss, precision = (verdict.loss, verdict.map) if verdict else (None, None)
        return Epoch(number, mean, loss, precision, reached, time.monotonic() - began)

    def step(self, inputs: Tensor, rows: list[int], part: float) -> float:
        """One step on a batch, at this part of the highest rates; its mean loss."""
        set_rate(self.optimizer, part)
        with precise(self.plan.device, self.plan.precision):
            scores = self.module(inputs)
        found = self.losses(scores.float(), self.learn, rows).mean()
        self.optimizer.zero_grad()
        self.scaler.scale(found).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return float(found.detach())

    def losses(self, scores: Tensor, samples: Samples, rows: list[int]) -> Tensor:
        present, known = (
            torch.from_numpy(table[rows]).float().to(scores.device) for table in (samples.present, samples.known)
        )
        return loss(scores, present, known, self.plan.competing)

    def mode(self, learning: bool) -> None:
        """Batch norms keep the statistics that they came with: those of a few dozen pictures are worse."""
        self.module.train(learning)
        for module in self.module.modules():
            if isinstance(module, FROZEN):
                module.eval()

    def judge(self, batches: Iterable[Batch]) -> Verdict | None:
        """Of the module as it is, on the images to choose by; None without any."""
        self.mode(False)
        probabilities, losses, rows = [], [], list[int]()
        with torch.no_grad():
            for batch in batches:
                with precise(self.plan.device, self.plan.precision):
                    scores = self.module(batch.inputs).float()
                losses.append(self.losses(scores, self.choose, batch.rows).cpu())
                probabilities.append((scores.softmax(1) if self.plan.competing else scores.sigmoid()).cpu())
                rows += batch.rows
        if not rows:
            return None
        present, known = self.choose.present[rows], self.choose.known[rows]
        tables = torch.cat(probabilities), torch.cat(losses)
        return Verdict.of(*tables, present, known, self.choose.classes, self.plan.competing)

    def best(self) -> Verdict | None:
        """Takes the weights of the best epoch, and judges it once more, even when it has been told to stop."""
        self.module.load_state_dict(self.progress.best)
        return self.judge(self.material.held_out(Event()))
