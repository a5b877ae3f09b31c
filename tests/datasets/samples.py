"""A tiny dataset of each format, written below a folder, with what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cam_cli.datasets.dataset import Dataset, Request
from cam_cli.datasets.opening import open_dataset

SIZE = 40, 30  # of every picture
Box = tuple[float, float, float, float]
Said = tuple[str, tuple[str, ...], list[Box] | None]
"""An image's id, labels and boxes, half-open."""


@dataclass(frozen=True)
class Sample:
    """path: what is opened. split: of what `said` is; other: a split that is not there, spelled nearly as that.

    needed: the files of annotations without which nothing can be said.
    """

    path: Path
    said: list[Said]
    split: str | None = None
    other: str | None = None
    needed: tuple[Path, ...] = ()


def picture(file: Path, values: np.ndarray | None = None, size: tuple[int, int] = SIZE) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if values is None:
        values = np.full((size[1], size[0], 3), 90, np.uint8)
    file.write_bytes(cv2.imencode(file.suffix, values)[1].tobytes())
    return file


def pictures(root: Path, names: Iterable[str]) -> None:
    for name in names:
        picture(root / name)


def text(file: Path, *lines: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(line + "\n" for line in lines))
    return file


def xml(
    file: Path, *objects: str, size: tuple[object, object] | None = SIZE, filename: str = "", source: str = ""
) -> Path:
    sides = "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    head = f"<filename>{filename or file.stem}</filename><source><database>{source}</database></source>"
    return text(file, f"<annotation>{head}{sides}{''.join(objects)}</annotation>")


def drawn(label: str, *corners: object, difficult: int = 0) -> str:
    """An object of VOC's XML."""
    keys = ("xmin", "ymin", "xmax", "ymax")
    box = "".join(f"<{key}>{value}</{key}>" for key, value in zip(keys, corners, strict=True))
    return f"<object><name>{label}</name><difficult>{difficult}</difficult><bndbox>{box}</bndbox></object>"


def coco(file: Path, images: list[Any], annotations: list[Any] | None, categories: list[Any]) -> Path:
    content = {"images": images, "categories": categories}
    if annotations is not None:
        content["annotations"] = annotations
    return text(file, json.dumps(content))


def opened(path: Path, format: str | None = None, *, images: bool = False, **asked: Any) -> Dataset:
    return open_dataset(Request(str(path), **asked), format, images=images)


def told(dataset: Dataset) -> list[Said]:
    return [
        (one.item.id, one.labels, None if one.objects is None else [thing.xyxy for thing in one.objects])
        for one in dataset.truths
    ]


def make_voc(top: Path) -> Sample:
    root = top / "VOC2012"
    pictures(root / "JPEGImages", ("a.jpg", "b.jpg", "c.jpg"))
    a = xml(root / "Annotations/a.xml", drawn("dog", 1, 1, 40, 30), drawn("cat", 5, 6, 7, 8))
    b = xml(root / "Annotations/b.xml")
    main = root / "ImageSets/Main"
    train = text(main / "train.txt", "c", "b", "a")
    text(main / "val.txt", "a")
    text(main / "dog_train.txt", "a  1", "b -1", "c  0")
    said: list[Said] = [
        ("c.jpg", (), None), ("b.jpg", (), []), ("a.jpg", ("dog", "cat"), [(0, 0, 40, 30), (4, 5, 7, 8)]),
    ]  # fmt: skip
    return Sample(root, said, "train", "trian", (train, a, b))


def make_coco(top: Path) -> Sample:
    pictures(top / "val2017", ("a.jpg", "sub/b.jpg"))
    file = coco(
        top / "annotations/instances_val2017.json",
        [
            {"id": 7, "file_name": "sub/b.jpg", "width": 40, "height": 30},
            {"id": 3, "file_name": "a.jpg", "width": 40, "height": 30},
        ],
        [
            {"id": 1, "image_id": 3, "category_id": 18, "bbox": [1.5, 2, 10, 4.25], "iscrowd": 0},
            {"id": 2, "image_id": 3, "category_id": 18, "bbox": [0, 0, 40, 30], "iscrowd": 1},
        ],
        [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
    )
    said: list[Said] = [("sub/b.jpg", (), []), ("a.jpg", ("dog",), [(1.5, 2, 11.5, 6.25), (0, 0, 40, 30)])]
    return Sample(top, said, "val2017", "val2018", (file,))


def make_wsol(top: Path) -> Sample:
    pictures(top / "dataset/CUB", ("1.Wren/a.jpg", "2.Owl/b.jpg"))
    folder = top / "metadata/CUB/test"
    files = (
        text(folder / "image_ids.txt", "2.Owl/b.jpg", "1.Wren/a.jpg"),
        text(folder / "class_labels.txt", "1.Wren/a.jpg,0", "2.Owl/b.jpg,1"),
    )
    text(folder / "image_sizes.txt", "1.Wren/a.jpg,40,30", "2.Owl/b.jpg,40,30")
    text(folder / "localization.txt", "2.Owl/b.jpg,0,0,39,29", "1.Wren/a.jpg,3,4,5,6", "2.Owl/b.jpg,1,1,1,1")
    text(top / "metadata/CUB/train/image_ids.txt", "3.Auk/c.jpg")
    said: list[Said] = [
        ("2.Owl/b.jpg", ("1",), [(0, 0, 40, 30), (1, 1, 2, 2)]), ("1.Wren/a.jpg", ("0",), [(3, 4, 6, 7)]),
    ]  # fmt: skip
    return Sample(top / "metadata/CUB", said, "test", "tst", files)


def make_imagenet(top: Path) -> Sample:
    names = [f"ILSVRC2012_val_0000000{number}" for number in (1, 2, 3)]
    pictures(top / "Data/CLS-LOC/val", (f"{name}.JPEG" for name in names))
    boxes = top / "Annotations/CLS-LOC/val"
    one = xml(boxes / f"{names[0]}.xml", drawn("n01751748", 0, 0, 39, 29), source="ILSVRC_2012")
    xml(boxes / f"{names[2]}.xml", drawn("n02085620", 3, 4, 5, 6), drawn("n02085620", 7, 8, 7, 8), source="ILSVRC_2012")
    said: list[Said] = [
        (f"{names[0]}.JPEG", ("n01751748",), [(0, 0, 40, 30)]),
        (f"{names[1]}.JPEG", (), None),
        (f"{names[2]}.JPEG", ("n02085620",), [(3, 4, 6, 7), (7, 8, 8, 9)]),
    ]
    return Sample(top, said, "val", "vall", (one,))


def make_cub(top: Path) -> Sample:
    pictures(top / "images", ("001.Auk/a.jpg", "002.Owl/b c.jpg", "002.Owl/d.jpg"))
    files = (
        text(top / "images.txt", "1 001.Auk/a.jpg", "2 002.Owl/b c.jpg", "3 002.Owl/d.jpg"),
        text(top / "image_class_labels.txt", "1 1", "2 2", "3 2"),
        text(top / "classes.txt", "1 001.Auk", "2 002.Owl"),
        text(top / "train_test_split.txt", "1 1", "2 0", "3 1"),
    )
    text(top / "bounding_boxes.txt", "1 6.0 7.0 20.5 10.0", "2 0.0 0.0 40.0 30.0", "3 1.0 1.0 5.0 5.0")
    said: list[Said] = [
        ("001.Auk/a.jpg", ("001.Auk",), [(6, 7, 26.5, 17)]),
        ("002.Owl/d.jpg", ("002.Owl",), [(1, 1, 6, 6)]),
    ]
    return Sample(top, said, "train", "trian", files)


def make_csv(top: Path) -> Sample:
    pictures(top / "pics", ("a.jpg", "b.jpg", "c.jpg"))
    file = text(
        top / "manifest.csv",
        "path,class,width,height,boxes,camera",
        "pics/b.jpg,dog,40,30,0 0 40 30;1.5 2 3 4,x",
        "pics/a.jpg,n02123045,40,30,,y",
        "pics/c.jpg,,,,,",
    )
    said: list[Said] = [
        ("pics/b.jpg", ("dog",), [(0, 0, 40, 30), (1.5, 2, 3, 4)]), ("pics/a.jpg", ("n02123045",), None),
        ("pics/c.jpg", (), None),
    ]  # fmt: skip
    return Sample(file, said, needed=(file,))


def make_folder(top: Path) -> Sample:
    pictures(top, ("cat/a.jpg", "cat/2024/b.jpg", "n02123045-tabby/c.png", "stray.jpg"))
    text(top / "README.md", "photographs")
    said: list[Said] = [
        ("cat/2024/b.jpg", ("cat",), None), ("cat/a.jpg", ("cat",), None),
        ("n02123045-tabby/c.png", ("n02123045-tabby",), None), ("stray.jpg", (), None),
    ]  # fmt: skip
    return Sample(top, said)


SAMPLES: Mapping[str, Callable[[Path], Sample]] = {
    "voc": make_voc,
    "coco": make_coco,
    "wsol": make_wsol,
    "imagenet": make_imagenet,
    "cub": make_cub,
    "csv": make_csv,
    "folder": make_folder,
}
