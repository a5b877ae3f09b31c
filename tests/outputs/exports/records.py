"""Records with boxes, as `localize` writes them, and a run's exports folded over them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cam_cli.images.naming import whole_stems
from cam_cli.models.labels import Labels
from cam_cli.outputs.exporting import Exports, make_setting
from cam_cli.outputs.exports.ids import Ids
from cam_cli.outputs.folder import Folder
from cam_cli.specs.export import ExportSpec

LABELS = Labels(
    ("tabby", "crane", 'a "quoted" & <odd>\nname', "crane", "żółw 🐢"),
    ("n02123045", "n02012849", "n00000002", "n03126707", "n00000004"),
)
MODEL = {"name": "tiny", "sha256": "0123456789abcdef"}
RUN = b'{"schema": "camtool.run/1"}'


def box(*xyxy: float, score: float | None = 0.5, area: int = 7, **more: Any) -> dict[str, Any]:
    """area: of the component, which only a mask shows."""
    return {"xyxy": list(xyxy), "score": score, "area": area, **more}


def record(id: str, maps: dict[int, list[dict[str, Any]]], size: tuple[int, int] = (64, 48), image: str | None = None):
    """An image done; maps: boxes by class index."""
    return {
        "id": id, "image": image or f"photos/{id}", "width": size[0], "height": size[1], "error": None,
        "maps": [
            {
                "class": {"index": index, "name": LABELS.names[index], "wnid": LABELS.wnids[index]},
                "method": "cam", "layers": ["bn2"], "boxes": boxes,
            }
            for index, boxes in maps.items()
        ],
    }  # fmt: skip


def failed(id: str):
    empty = dict.fromkeys(("width", "height"))
    error = {"kind": "ImageUnreadable", "message": "it is empty"}
    return {"id": id, "image": id, **empty, "maps": [], "error": error}


def export(
    folder: Path,
    records: Iterable[dict[str, Any]],
    *formats: str,
    overwrite: bool = False,
    several: bool = False,
    ids: Iterable[str] = (),
    **options: Any,
) -> list[str]:
    """Opens `folder` as a run does, and folds; returns what people are told. ids: of the listing, for the stems."""
    spec = ExportSpec(export=formats, **{"images": "none"} | options)
    truth = Ids.read(spec.ids_from) if spec.ids_from else None
    setting = make_setting(spec, LABELS, whole_stems(set(ids)), MODEL, truth, several, "0.2")
    out = Folder.check(str(folder), overwrite, templated=False)
    out.open()
    (folder / "run.json").write_bytes(RUN)
    with Exports.open(spec, setting, out) as exports:
        for one in records:
            exports.add(one)
        return list(exports.finish())


def tree(folder: Path) -> list[str]:
    """The files below `folder`, without the run's own two."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return sorted(found - {"run.json", "exports.jsonl"})
