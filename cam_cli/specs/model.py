"""Which networks, with which weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cam_cli.choice import DEFAULT_MODEL, ModelChoice, parse_argument
from cam_cli.errors import UsageError

from .option import MODEL, option

Activation = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class ModelSpec:
    models: tuple[str, ...] = option(
        (),
        "--model",
        "-m",
        panel=MODEL,
        metavar="NAME",
        help="The classifier: a name of `camtool models`, hf/ID_OR_FOLDER, package.module:factory or file.py:factory; "
        "with weights of your own, [ALIAS=]NAME[@CHECKPOINT], or [ALIAS=]@FILE of `camtool train`. "
        f"[default: {DEFAULT_MODEL}, or what the checkpoint says]",
    )
    checkpoint: str | None = option(
        None,
        "--checkpoint",
        panel=MODEL,
        metavar="FILE",
        help="Weights for it: a state dict as .pth, .pt, .ckpt (loaded weights-only) or .safetensors; or a file of "
        "`camtool train`, which names its model.",
    )
    labels: str | None = option(
        None, "--labels", panel=MODEL, metavar="FILE", help="Its class names: a .txt (one a line), .json or .csv."
    )
    activation: Activation | None = option(
        None, "--activation", panel=MODEL, help="What makes its scores probabilities. [default: as the model says]"
    )
    arguments: tuple[str, ...] = option(
        (), "--model-arg", panel=MODEL, metavar="KEY=VALUE", help="A keyword for the model's constructor. Repeatable."
    )
    trust_checkpoint: bool = option(
        False, "--trust-checkpoint", panel=MODEL, help="Unpickle a checkpoint, which runs whatever code is in it."
    )

    def __post_init__(self) -> None:
        self.choices()

    def choices(self) -> tuple[ModelChoice, ...]:
        """The models side by side, in the order given; the default where none is. Raises UsageError."""
        more = {
            "checkpoint": self.checkpoint,
            "arguments": tuple(map(parse_argument, self.arguments)),
            "labels": self.labels,
            "trust": self.trust_checkpoint,
            "activation": self.activation,
        }
        if self.checkpoint and (len(self.models) > 1 or "@" in "".join(self.models)):
            raise UsageError("--checkpoint goes with one --model NAME; name others as ALIAS=NAME@CHECKPOINT")
        choices = tuple(ModelChoice.parse(text, **more) for text in self.models) or (ModelChoice.default(**more),)
        aliases = [one.alias for one in choices]
        for alias in aliases:
            if aliases.count(alias) > 1:
                raise UsageError(f"two models are called {alias!r}; name each: ALIAS=NAME[@CHECKPOINT]")
        return choices

    @property
    def only(self) -> ModelChoice:
        """The model, for what takes one. Raises UsageError."""
        choices = self.choices()
        if len(choices) != 1:
            raise UsageError(f"this command takes one model, not {len(choices)}; run it once for each")
        return choices[0]
