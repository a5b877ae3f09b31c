"""Maps in files, by this tool or another: what `evaluate --maps` judges."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np

from cam_cli.errors import ImageUnreadable, MapMissing, MapUnreadable
from cam_cli.types import Geometry

from .header import read_header
from .intact import intact
from .naming import short_stem

Array = np.ndarray
PICTURES = (".png", ".tif", ".tiff")
SUFFIXES = (".npz", ".npy", *PICTURES)
SEEN = "(seen)"  # the entry of a .npz beside its maps: the part of the picture they cover
UNNAMED = "arr_0"  # what numpy calls an array without a name
SHOWN = 5  # so many classes are listed in a message
ONE_AT_A_TIME = Lock()
"""For numpy reads a header with `ast`, which in Python 3.11 fails now and then when two threads do so at once
(python/cpython#106905), and a sound map would be a broken one."""


@dataclass(frozen=True)
class MapFile:
    """The maps of one image. raw: float32 (u, v) by label; the only one of a file without labels under None.

    seen: what the maps cover: half-open x0, y0, x1, y1 in pixels of the upright original, beyond whose edges it may
    reach; None: all of it.
    """

    raw: Mapping[str | None, Array]
    seen: tuple[float, float, float, float] | None = None

    def of(self, labels: Sequence[str], path: Path) -> dict[str, Array]:
        """By label, as far as they are there. Raises MapMissing where none is, MapUnreadable where a map without a
        label could be several's."""
        if None not in self.raw:
            found = {label: self.raw[label] for label in labels if label in self.raw}
            if labels and not found:
                raise MapMissing(f"{path} has maps of {listed(map(str, self.raw))}, none of {listed(labels)}")
            return found
        if len(labels) > 1:
            raise MapUnreadable(
                f"{path} holds one map, its image has {len(labels)} classes ({listed(labels)}); give one a class, as a "
                ".npz with their names"
            )
        return dict.fromkeys(labels, self.raw[None])

    def geometry(self, width: int, height: int, orientation: int = 1) -> Geometry:
        """Of a map over an upright original of that size; its grid stands for the network's input."""
        rows, columns = next(iter(self.raw.values())).shape if self.raw else (height, width)
        x0, y0, x1, y1 = self.seen or (0.0, 0.0, float(width), float(height))
        scale = columns / (x1 - x0), rows / (y1 - y0)
        fit = "squash" if self.seen is None else "model"
        return Geometry(width, height, columns, rows, scale, (-x0 * scale[0], -y0 * scale[1]), fit, orientation)


NO_MAPS = MapFile({})


def find_map(folder: str, id: str) -> Path | None:
    """The file of an image's maps below a folder: its id and then the suffix, else its id without its own."""
    for name in (id, short_stem(id)):
        for suffix in SUFFIXES:
            path = Path(folder, name + suffix)
            if path.is_file():
                return path
    return None


def read_map(path: Path) -> MapFile:
    """A `.npz` (an array a label, `seen` aside; or one that numpy called `arr_0`), a `.npy`, or a picture of one
    channel, of 8, 16 or 32 bits.

    Nothing is unpickled. Raises MapUnreadable.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MapUnreadable(f"{path}: {error.strerror or error}") from error
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return MapFile({None: checked(picture(data, path), path)})
    try:
        with ONE_AT_A_TIME:
            loaded = np.load(BytesIO(data), allow_pickle=False)
            arrays = {None: loaded} if suffix == ".npy" else {name: loaded[name] for name in loaded.files}
    except Exception as error:  # zip, deflate and numpy's header raise what they like on broken bytes
        raise MapUnreadable(f"{path} is no {suffix} of numbers ({error}); save it again with numpy") from error
    seen = arrays.pop(SEEN, None)
    if not arrays:
        raise MapUnreadable(f"{path} holds no map")
    maps = {name: checked(one, path) for name, one in arrays.items()}
    if [*maps] == [UNNAMED]:
        maps = {None: maps[UNNAMED]}
    return MapFile(maps, None if seen is None else window(seen, path))


def picture(data: bytes, path: Path) -> Array:
    """Raises MapUnreadable."""
    why, found = "OpenCV cannot decode it", None
    try:
        found = cv2.imdecode(np.frombuffer(intact(data, read_header(data).format), np.uint8), cv2.IMREAD_UNCHANGED)
    except ImageUnreadable as error:
        why = error.message
    except cv2.error as error:
        why = error.err
    if found is None:
        raise MapUnreadable(f"{path} is no picture that can be read ({why}); save the map again")
    return np.asarray(found)


def window(seen: Any, path: Path) -> tuple[float, float, float, float]:
    """What stands under `SEEN`. Raises MapUnreadable."""
    if isinstance(seen, Array) and seen.shape == (4,) and seen.dtype.kind in "fiu" and np.isfinite(seen).all():
        x0, y0, x1, y1 = seen.astype(float).tolist()
        if x1 > x0 and y1 > y0:
            return x0, y0, x1, y1
    raise MapUnreadable(f"{path}: {SEEN} is not x0 y0 x1 y1")


def checked(values: Any, path: Path) -> Array:
    """A map as float32 (u, v). Raises MapUnreadable for anything else."""
    if not isinstance(values, Array):
        raise MapUnreadable(f"{path} holds something that is no array; save it again with numpy")
    squeezed = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    if squeezed.ndim != 2 or not squeezed.size or squeezed.dtype.kind not in "fiub":
        shape = "×".join(map(str, values.shape))
        raise MapUnreadable(f"{path} holds {shape} of {values.dtype}, not rows and columns of numbers")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and flagged
        return squeezed.astype(np.float32)


def listed(labels: Iterable[str]) -> str:
    few = [*labels]
    return ", ".join(few[:SHOWN]) + ", …" * (len(few) > SHOWN)


def packed(maps: Mapping[str, Array], seen: Sequence[float] | None) -> bytes:
    """The maps of one image as the bytes of a `.npz` that `read_map` gives back without loss."""
    buffer = BytesIO()
    more = {} if seen is None else {SEEN: np.asarray(seen, np.float64)}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, values in {**maps, **more}.items():
            entry = BytesIO()
            np.save(entry, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())  # no clock in it
    return buffer.getvalue()
