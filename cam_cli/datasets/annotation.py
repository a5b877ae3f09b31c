"""One XML file of annotations as PASCAL VOC writes them, and ILSVRC and many tools after it."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from cam_cli.errors import CamtoolError, DatasetUnreadable
from cam_cli.types import Object

from .corners import Corners, sound
from .dataset import Notes
from .rows import decimal, whole

WNID = re.compile(r"n\d{8}")
DEPTH = 32  # elements within elements; VOC has 5 (annotation, object, part, bndbox, xmin)
NO_SIZE, SIZE_0 = "no size in the annotation; that of the picture holds", "size of 0 in the annotation"
NO_BOX = "object without a box"


class Drawn(NamedTuple):
    """One object as written. corners: xmin, ymin, xmax, ymax; None where it has no box. place: file and number."""

    label: str
    corners: Corners | None
    difficult: bool
    place: str


class Annotation(NamedTuple):
    """filename: the picture, as the file has it. size: as written; None where it has none. source: the database."""

    file: str
    filename: str
    size: tuple[int, int] | None
    source: str
    drawn: tuple[Drawn, ...]

    @property
    def is_ilsvrc(self) -> bool:
        """Whether its conventions are those of ILSVRC, by the database it names or the names of its objects."""
        named = bool(self.drawn) and all(WNID.fullmatch(one.label) for one in self.drawn)
        return named or self.source.startswith("ILSVRC")

    def known_size(self, notes: Notes) -> tuple[int, int] | None:
        """The size, if it is one; else a note."""
        if self.size is None:
            notes.add(NO_SIZE, self.file)
        elif min(self.size) <= 0:
            notes.add(SIZE_0, self.file)
        else:
            return self.size
        return None

    def objects(self, size: tuple[int, int] | None, notes: Notes, first: int) -> tuple[Object, ...]:
        """Those with a box in the picture. first: what the first pixel is called, see `sound`."""
        found = []
        for one in self.drawn:
            if one.corners is None:
                notes.add(NO_BOX, one.place)
            elif (box := sound(one.corners, size, notes, one.place, first)) is not None:
                found.append(Object(one.label, box, one.difficult))
        return tuple(found)


def read_annotation(file: str) -> Annotation:
    """Raises DatasetUnreadable with the file, and the number of the object, from 1."""
    root = parse(file)
    if root.tag != "annotation":
        raise DatasetUnreadable(f"{file}: its root is <{root.tag}>; VOC's is <annotation>")
    return Annotation(
        file,
        (root.findtext("filename") or "").strip(),
        size_of(root.find("size"), file),
        (root.findtext("source/database") or "").strip(),
        tuple(drawn(one, f"{file}, object {number}") for number, one in enumerate(root.findall("object"), 1)),
    )


def size_of(size: Element | None, file: str) -> tuple[int, int] | None:
    texts = [size.findtext(side) or "" for side in ("width", "height")] if size is not None else []
    if not any(text.strip() for text in texts):
        return None
    width, height = (whole(text, side, file) for text, side in zip(texts, ("width", "height"), strict=True))
    return width, height


def drawn(one: Element, place: str) -> Drawn:
    label = (one.findtext("name") or "").strip()
    if not label:
        raise DatasetUnreadable(f"{place}: it has no name; give it the name of its class")
    box, corners = one.find("bndbox"), None
    if box is not None:
        x0, y0, x1, y1 = (decimal(box.findtext(key) or "", key, place) for key in ("xmin", "ymin", "xmax", "ymax"))
        corners = x0, y0, x1, y1
    return Drawn(label, corners, (one.findtext("difficult") or "").strip() == "1", place)


def parse(file: str) -> Element:
    """The tree of an XML file that nobody vouches for. Raises DatasetUnreadable.

    A document type is refused, and with it every entity of a file's own: those that name other files, and those that
    blow up when they are expanded. Nothing is fetched; nesting is limited, so that no tree is too deep to walk.
    """
    builder, parser, depth = TreeBuilder(), expat.ParserCreate(), 0

    def refuse(*_: object) -> None:
        raise DatasetUnreadable(f"{file}: it has a document type (DOCTYPE), which annotations need not; take it out")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise DatasetUnreadable(f"{file}: elements are nested more than {DEPTH} deep; VOC's are 5")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    try:
        with open(file, "rb") as stream:
            parser.Parse(stream.read(), True)
        return builder.close()
    except OSError as error:
        raise DatasetUnreadable(f"{file}: {error.strerror or error}; check its permissions") from error
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two of odd encodings
        raise DatasetUnreadable(f"{file}: not XML, or torn ({error}); export it again") from error


def xml_stems(folder: str) -> list[str]:
    """The XML files of a folder and below, as POSIX paths without `.xml`, by name."""
    found = []
    for top, _, names in os.walk(folder):
        below = os.path.relpath(top, folder).replace(os.sep, "/")
        prefix = "" if below == "." else below + "/"
        found += [prefix + name.removesuffix(".xml") for name in xml_files(names)]
    return sorted(found)


def kind_of(folder: str, deep: bool = True) -> str:
    """Whose annotations lie in a folder (and below, if deep), by the first: `ilsvrc`, `voc`, `torn` where that cannot
    be read, or an empty string where there are none."""
    for top, folders, names in os.walk(folder):
        folders.sort()
        if files := xml_files(names):
            try:
                return "ilsvrc" if read_annotation(os.path.join(top, min(files))).is_ilsvrc else "voc"
            except CamtoolError:
                return "torn"
        if not deep:
            break
    return ""


def xml_files(names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(".xml") and not name.startswith(".")]
