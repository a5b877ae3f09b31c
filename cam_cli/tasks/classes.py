"""From the options that name classes to what a run explains, once the model has said what its classes are called."""

from __future__ import annotations

from dataclasses import dataclass

from cam_cli.engine.answers import Reading
from cam_cli.engine.grouping import Grouping
from cam_cli.engine.selection import Selection, parse_against, parse_selections
from cam_cli.engine.truth import TrueClasses, Truths
from cam_cli.errors import UsageError
from cam_cli.images.listing import Listing
from cam_cli.images.truth import Called
from cam_cli.models.network import Network
from cam_cli.specs import ClassSpec

from .listener import Listener


@dataclass(frozen=True)
class Classes:
    """The classes of a run. against, truths: None where the options name none. grouping: where they are groups of the
    network's."""

    reading: Reading
    selections: tuple[Selection, ...]
    against: Selection | None
    truths: Truths | None
    images: int
    grouping: Grouping | None = None

    def tell(self, listener: Listener) -> None:
        """What was understood, where a person's words needed looking up."""
        named = [("class", one) for one in self.selections] + [("against", one) for one in (self.against,) if one]
        for topic, one in named:
            for index in one.indices if len(one.indices) == 1 else ():
                listener.note(topic, f"{one.text}: {self.reading.labels.names[index]} ({index})")
        if isinstance(self.truths, TrueClasses):
            known = self.images - self.truths.missing
            listener.note("truth", f"known of {known} of {self.images} images, {self.truths.classes} different")


def make_classes(spec: ClassSpec, network: Network, listing: Listing, truth: Called | None) -> Classes:
    """Raises UsageError, and ClassUnknown for any class that the model does not have, those of `--truth` included."""
    if spec.decision is not None and network.activation != "sigmoid":
        raise UsageError(f"--decision has no meaning for {network.name}, whose classes compete (softmax); drop it")
    decision = Reading.decision if spec.decision is None else spec.decision
    reading = Reading(network.labels, network.activation, decision)
    find = network.labels.find
    return Classes(
        reading,
        parse_selections(spec.classes, find, reading),
        parse_against(spec.against, find, reading) if spec.against is not None else None,
        None if truth is None else TrueClasses.resolve(str(spec.truth), truth, network.labels, listing),
        len(listing),
    )
