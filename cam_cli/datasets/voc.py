"""PASCAL VOC, and what labelling tools write in its manner."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from cam_cli.errors import UsageError, nearest
from cam_cli.images.naming import short_stem
from cam_cli.images.truth import spellings
from cam_cli.images.walk import is_image_name
from cam_cli.types import Truth

from .annotation import Annotation, kind_of, read_annotation, xml_stems
from .dataset import Format, Notes, Request
from .pictures import Pictures, item
from .rows import Unique, read_rows

ANNOTATIONS, IMAGES = ("Annotations", "annotations"), ("JPEGImages", "images", "Images")
NO_XML = "image without an XML file"
OTHER_NAME = "picture found by the file name in the XML, not by that of the XML"
OF_ONE_CLASS = re.compile(r"(\S.*?)\s+(-1|0|1)")
FIRST = 1  # VOC's top left pixel is (1, 1): "Pixel indexes", VOC devkit; VOCevaldet.m has width = xmax − xmin + 1


def detects(path: str) -> bool:
    annotations = first_there(path, ANNOTATIONS)
    kind = kind_of(annotations, deep=annotations != path)
    return kind == "voc" or (kind == "torn" and os.path.isdir(os.path.join(path, "JPEGImages")))


def first_there(path: str, names: tuple[str, ...]) -> str:
    """The first folder of these names below a path, else the path itself."""
    return next((folder for name in names if os.path.isdir(folder := os.path.join(path, name))), path)


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """`Annotations/*.xml` with the images of `JPEGImages`; where these folders are not, `images`, or the path itself,
    which may hold XML files and images alike. --images names another root. Subfolders are mirrored. ids are the images'
    paths below their root.

    A split is `ImageSets/Main/SPLIT.txt`, in its order. Without one: every XML file by name, then the images that have
    none. An image without XML has no truth; one whose XML holds no object has none of the classes.

    Boxes: xmin, ymin, xmax, ymax are pixels from 1, both inside: the half-open box is xmin − 1, ymin − 1, xmax, ymax;
    fractions, which some tools write, are treated alike. A label whose every object is `difficult` is uncertain, not
    true: VOC leaves such an image out of the classification of that class ("not evaluated"); the objects stay, with
    their flag.
    """
    annotations = first_there(request.path, ANNOTATIONS)
    root = request.images or first_there(request.path, IMAGES)
    stems, pictures, ids = xml_stems(annotations), Pictures.read(root, notes), Unique()
    known = set(stems)
    wanted = stems if request.split is None else split(request.path, request.split, known | pictures.stems.keys())
    for stem in wanted:
        place = os.path.join(annotations, f"{stem}.xml")
        annotation = read_annotation(place) if stem in known else None
        name = pictures.find(stem, annotation.filename if annotation else "")
        if name is None or (short_stem(name) != stem and short_stem(name) in known):  # that has an XML file of its own
            name = f"{stem}.jpg"
        elif short_stem(name) != stem:
            notes.add(OTHER_NAME, place)
        yield truth(root, ids.claim(name, place), annotation, notes)
    if request.split is None:
        for name in pictures.names:
            if name not in ids:
                yield truth(root, name, None, notes)


def truth(root: str, name: str, annotation: Annotation | None, notes: Notes) -> Truth:
    if annotation is None:
        notes.add(NO_XML, name)
        return Truth(item(root, name), ())
    size = annotation.known_size(notes)
    objects = annotation.objects(size, notes, FIRST)
    labels, uncertain = told_apart([(one.label, one.difficult) for one in annotation.drawn])
    return Truth(item(root, name), labels, objects, uncertain, size=size)


def told_apart(found: list[tuple[str, bool]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels with an object that is not difficult, and those with difficult ones only; each once, in order."""
    sure = dict.fromkeys(label for label, difficult in found if not difficult)
    return tuple(sure), tuple(dict.fromkeys(label for label, _ in found if label not in sure))


def split(path: str, name: str, known: set[str]) -> list[str]:
    """The stems that `ImageSets/Main/NAME.txt` lists. known: those that are there, for names that hold a space.

    Raises UsageError for a split that is not there and for the list of one class, DatasetUnreadable for a stem twice.
    """
    folder = os.path.join(path, "ImageSets", "Main")
    file = os.path.join(folder, f"{name}.txt")
    if not os.path.isfile(file):
        there = splits(folder)
        listed = f"splits there: {', '.join(there)}" if there else f"there is no split in {folder}; drop --split"
        raise UsageError(f"--split {name}: no {file}{nearest(name, there)} ({listed})")
    rows, ids = list(read_rows(file, "it is the split")), Unique()
    if all(OF_ONE_CLASS.fullmatch(row.text.strip()) and row.text.strip() not in known for row in rows) and rows:
        listed = ", ".join(splits(folder)) or "none"
        raise UsageError(
            f"--split {name}: {file} says which images show one class (1, -1, 0 difficult); it is no split (splits "
            f"there: {listed})"
        )
    return [ids.claim(stem(row.text.strip(), known), row.place) for row in rows]


def stem(name: str, known: set[str]) -> str:
    """A name of a split; some tools write it with the image's suffix."""
    return short_stem(name) if name not in known and is_image_name(name) else name


def splits(folder: str) -> list[str]:
    """The names of the splits in a folder, less the lists of one class each that VOC keeps beside them."""
    try:
        files = sorted(name for name in os.listdir(folder) if name.endswith(".txt"))
    except OSError:
        return []
    return [name.removesuffix(".txt") for name in files if not of_one_class(os.path.join(folder, name))]


def of_one_class(file: str) -> bool:
    first = next(read_rows(file, ""), None)
    return first is not None and OF_ONE_CLASS.fullmatch(first.text.strip()) is not None


format = Format(detects, read, lambda label: tuple(spellings(label)))
