"""From boxes to the files of other tools: the options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cam_cli.errors import UsageError

from .option import OUTPUT, option

Images = Literal["link", "copy", "none"]


@dataclass(frozen=True)
class ExportSpec:
    """Boxes for other tools; of commands that make boxes."""

    export: tuple[str, ...] = option(
        (),
        "--export",
        panel=OUTPUT,
        metavar="FORMATS",
        help="csv, coco, voc, yolo, labelstudio: repeat, or separate by commas.",
    )
    masks: bool = option(False, "--masks", panel=OUTPUT, help="Give the COCO export the mask of each box, as RLE.")
    images: Images = option(
        "link",
        "--images",
        panel=OUTPUT,
        help="The pictures in the folders of voc and yolo: hard links (copies where there can be none), copies, none.",
    )
    classes_only: tuple[str, ...] = option(
        (),
        "--classes-only",
        panel=OUTPUT,
        metavar="CLASSES",
        help="Export the boxes of these classes alone, with ids from 0 in this order: repeat, or separate by commas.",
    )
    ids_from: str | None = option(
        None,
        "--ids-from",
        panel=OUTPUT,
        metavar="FILE",
        help="Image and category ids of the COCO export from this instances.json, by file and class name.",
    )

    def __post_init__(self) -> None:
        if self.classes_only and not self.formats:
            raise UsageError("--classes-only chooses what --export writes; add --export")
        for flag, given in (("--masks", self.masks), ("--ids-from", self.ids_from is not None)):
            if given and "coco" not in self.formats:
                raise UsageError(f"{flag} is for the COCO export; add --export coco")

    @property
    def formats(self) -> tuple[str, ...]:
        """The values of --export, each once."""
        return separated(self.export)

    @property
    def only(self) -> tuple[str, ...]:
        """The values of --classes-only, each once."""
        return separated(self.classes_only)


def separated(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The values of an option that is repeated or given several with commas, each once, in order."""
    return tuple(dict.fromkeys(part.strip() for text in texts for part in text.split(",")))
