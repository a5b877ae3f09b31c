"""The error tree: what a person reads on stderr, and the exit code a script sees.

    CamtoolError                 1
    ├── UsageError               2   an option's value is not of its kind
    ├── InputError               3   what was given to read
    │   ├── InputMissing  InputEmpty  InputUnreadable
    │   ├── ImageUnreadable  ImageTooLarge  ImageUnwritable     (of one image: its record; the run ends with 5)
    │   ├── CheckpointUnreadable  CheckpointUnsafe  CheckpointMismatch
    │   └── LabelsUnreadable  DatasetUnreadable  MapUnreadable  MapMissing  ReportUnreadable  ShardUnfit
    ├── ModelSideError           4   a name the model side does not know, or cannot serve
    │   ├── ModelUnknown  LayerUnknown  ClassUnknown  MethodUnknown  MetricUnknown
    │   ├── MethodUnsuitable  LayerUnsuitable  ModelFailed  OutOfMemory
    │   └── WeightsUnavailable  PackageMissing
    ├── ImagesFailed             5   more images failed than --max-failures allows; the rest is done
    ├── OutputError              6
    │   └── OutputRefused  OutputFailed
    └── GateFailed               7   a number is on the wrong side of its bar; everything is written

`kind` is the class name: it stands in `camtool: error[KIND]: …` and in the `error` of a record; scripts match on it.
"""

from collections.abc import Sequence
from difflib import get_close_matches


class CamtoolError(Exception):
    """An error with a message for people: what went wrong, with what, and what to do next, in one line."""

    exit_code = 1

    @property
    def kind(self) -> str:
        return type(self).__name__

    @property
    def message(self) -> str:
        return " ".join(str(self.args[0]).split()) if self.args else self.kind


class UsageError(CamtoolError):
    exit_code = 2


class InputError(CamtoolError):
    exit_code = 3


class InputMissing(InputError): ...


class InputEmpty(InputError): ...


class InputUnreadable(InputError): ...


class ImageUnreadable(InputError): ...


class ImageTooLarge(InputError): ...


class ImageUnwritable(InputError): ...


class CheckpointUnreadable(InputError): ...


class CheckpointUnsafe(InputError): ...


class CheckpointMismatch(InputError): ...


class LabelsUnreadable(InputError): ...


class DatasetUnreadable(InputError): ...


class MapUnreadable(InputError): ...


class MapMissing(InputError): ...


class ReportUnreadable(InputError): ...


class ShardUnfit(InputError): ...


class ModelSideError(CamtoolError):
    exit_code = 4


class ModelUnknown(ModelSideError): ...


class LayerUnknown(ModelSideError): ...


class ClassUnknown(ModelSideError): ...


class MethodUnknown(ModelSideError): ...


class MetricUnknown(ModelSideError): ...


class MethodUnsuitable(ModelSideError): ...


class LayerUnsuitable(ModelSideError): ...


class ModelFailed(ModelSideError): ...


class OutOfMemory(ModelSideError): ...


class WeightsUnavailable(ModelSideError): ...


class PackageMissing(ModelSideError): ...


class ImagesFailed(CamtoolError):
    exit_code = 5


class OutputError(CamtoolError):
    exit_code = 6


class OutputRefused(OutputError): ...


class OutputFailed(OutputError): ...


class GateFailed(CamtoolError):
    exit_code = 7


def nearest(name: str, known: Sequence[str], count: int = 3) -> str:
    """`"; did you mean a, b?"`: known names that hold what was typed, else those spelled alike; or an empty string."""
    typed, folded = name.casefold(), {entry.casefold(): entry for entry in known}
    holding = [entry for entry in folded if typed and typed in entry]
    matches = holding[:count] or get_close_matches(typed, list(folded), n=count, cutoff=0.6)
    return f"; did you mean {', '.join(folded[match] for match in matches)}?" if matches else ""
