"""`--ids-from`: the image and category ids of an annotation file, so that results can be judged by it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cam_cli.errors import ClassUnknown, InputMissing, InputUnreadable
from cam_cli.models.labels import folded

from .categories import Category

SHOWN = 3


@dataclass(frozen=True)
class Ids:
    """A COCO file's ids. images: by file name; bases: by the name without folders, None where several share it.
    names: of categories, by id."""

    path: str
    images: Mapping[str, int]
    bases: Mapping[str, int | None]
    names: Mapping[int, str]

    @classmethod
    def read(cls, path: str) -> Ids:
        """Raises InputMissing, or InputUnreadable for a file that is no COCO instances file."""
        try:
            with open(path, "rb") as file:
                whole = json.load(file)
            images = {str(one["file_name"]): int(one["id"]) for one in whole["images"]}
            names = {int(one["id"]): str(one["name"]) for one in whole["categories"]}
        except FileNotFoundError:
            raise InputMissing(f"--ids-from {path}: no such file; check the path") from None
        except OSError as error:
            raise InputUnreadable(f"--ids-from {path}: {error.strerror or error}; check its permissions") from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputUnreadable(
                f"--ids-from {path}: no COCO file with images (id, file_name) and categories (id, name); it needs both"
            ) from error
        bases: dict[str, int | None] = {}
        for name, id in images.items():
            bases[base(name)] = None if base(name) in bases else id
        return cls(path, images, bases, names)

    def image(self, id: str) -> int | None:
        """The id of an image: by its path below the input folder, else by its name alone if that is unique there."""
        return self.images.get(id, self.bases.get(base(id)))

    def check_images(self, ids: Iterable[str]) -> None:
        """Raises InputMissing, with counts, where an image has no id or two would share one."""
        count, strange, taken = 0, [], set[int]()
        for count, id in enumerate(ids, 1):  # noqa: B007 (counted for the test below)
            known = self.image(id)
            if known is None or known in taken:
                strange.append(id)
            else:
                taken.add(known)
        if strange:
            raise InputMissing(
                f"--ids-from {self.path}: {len(strange)} of {count} images are not in it by file name, or share one "
                f"({listed(strange)}); give the folder that its file names are below"
            )

    def category_ids(self, categories: Mapping[int, Category]) -> dict[int, int]:
        """The id of each category, by model index: by its WNID, else by its name (blind to case, spaces, `_`, `-`).

        Raises ClassUnknown, with counts.
        """
        ids: dict[str, list[int]] = {}
        for id, name in self.names.items():
            ids.setdefault(folded(name), []).append(id)
        found: dict[int, int] = {}
        for index, one in categories.items():
            known = (one.wnid and ids.get(one.wnid)) or ids.get(folded(one.label), [])
            if len(known) == 1 and known[0] not in found.values():
                found[index] = known[0]
        if strange := [one.name for index, one in categories.items() if index not in found]:
            raise ClassUnknown(
                f"--ids-from {self.path}: {len(strange)} of {len(categories)} classes are not among its "
                f"{len(self.names)} categories, or several are alike ({listed(strange)}); name those of both with "
                "--classes-only"
            )
        return found


def base(name: str) -> str:
    return name.rpartition("/")[2]


def listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
