"""The end of an evaluation: its rows folded into a report, with cases to look at, and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cam_cli.datasets.opening import NO_TRUTH
from cam_cli.outputs.exports.files import Files
from cam_cli.outputs.maps import FOLDER, PREDICTIONS, predictions
from cam_cli.outputs.report.files import files as report_files
from cam_cli.outputs.rows import read_rows
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.types import IMAGE_FLAGS

from .bench import Lineup
from .cases import cases_of
from .evaluation import Plan, protocol_json
from .gates import judge
from .numbers import Numbers
from .reporting import Reporter, Rows

Json = dict[str, Any]
SCHEMA = "camtool.report/1"


def close(
    spec: EvaluateSpec,
    plan: Plan,
    lineup: Lineup,
    numbers: Mapping[str, Numbers],
    versions: Mapping[str, str],
    files: Files,
    seconds: float,
) -> Json:
    """Reads the rows back, writes every file of the report, and returns it. versions: of what made the rows. Gates are
    about the whole: those of a shard are judged when it is joined with the others. Raises OutputFailed, OutputRefused.
    """
    rows = list(read_rows(plan.folder.path))
    reporter = Reporter(
        rows, numbers, lineup.runs, lineup.baselines, spec.data.by, spec.metric.resamples, spec.run.seed
    )
    report: Json = {
        "schema": SCHEMA,
        "command": list(spec.arguments),
        "dataset": dataset_json(spec, plan, lineup, rows),
        "protocol": protocol_json(spec),
        "runs": list(reporter.runs_json()),
        "comparisons": list(reporter.comparisons_json()),
        "changes": list(plan.earlier.changes(reporter, numbers)) if plan.earlier else [],
        "gates": [],
        "settings": {
            "seed": spec.run.seed,
            "resamples": spec.metric.resamples,
            "device": lineup.facts["device"],
            "precision": lineup.facts["precision"],
        },
        "versions": dict(versions),
        "timing": {"written": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(seconds, 3)},
    }
    gates = plan.gates if spec.run.part.count == 1 else ()
    report["gates"] = judge(gates, report, spec.gates.significant, plan.numbers.left_out)
    if spec.report.save_maps:
        for model in lineup.names:
            name = PREDICTIONS if len(lineup.names) == 1 else f"{model}.{PREDICTIONS}"
            files.write(f"{FOLDER}/{name}", predictions(reporter.rows_of(model)))
    cases = [case for run in lineup.runs for case in cases_of(run, reporter, spec)]
    for name, data in report_files(report, list(cells(reporter)), cases):
        files.write(name, data)
    return report


def dataset_json(spec: EvaluateSpec, plan: Plan, lineup: Lineup, rows: Rows) -> Json:
    """What was read, and what of it could not be measured: counted, and by name."""
    truths, notes = plan.dataset.truths, Counter(plan.dataset.notes.counts)
    places = {kind: list(listed) for kind, listed in plan.dataset.notes.places.items() if kind != NO_TRUTH}
    notes.pop(NO_TRUTH, None)
    images = {row["id"]: row for row in rows}.values()
    for row in images:
        for kind in (*row["notes"], *(f"{flag}: {IMAGE_FLAGS[flag]}" for flag in row["flags"])):
            notes[kind] += 1
            places.setdefault(kind, []).append(row["id"])
    if plan.excluded:
        notes["left out by --exclude"] = plan.excluded
    kinds = {row["id"]: row["error"]["kind"] for row in rows if row["error"]}
    missing = [id for id, kind in kinds.items() if kind == "MapMissing"]
    return {
        "format": plan.dataset.format,
        "path": plan.dataset.path,
        "split": spec.data.split,
        "images": len(truths),
        "classes": len(plan.dataset.classes),
        "with_labels": sum(bool(truth.labels) for truth in truths),
        "with_boxes": sum(bool(truth.objects) for truth in truths),
        "with_masks": sum(bool(truth.regions) for truth in truths),
        "failed": listed([id for id in kinds if id not in missing]),
        "without_truth": listed([truth.item.id for truth in truths if not truth.told]),
        "missing_maps": listed(missing),
        "unknown_classes": {"count": len(lineup.unknown), "names": list(lineup.unknown)},
        "notes": [{"what": kind, "count": count, "where": places.get(kind, [])[:20]} for kind, count in notes.items()],
        "class_map": spec.data.class_map,
    }


def listed(ids: list[str]) -> Json:
    return {"count": len(ids), "ids": ids}


def cells(reporter: Reporter) -> Iterator[Json]:
    """The rows of `per_image.csv`: an image and run each."""
    for run in reporter.runs:
        metrics = reporter.numbers[run["run"]].metrics
        for row in reporter.rows_of(run["model"]):
            kept = row["runs"][run["run"]]["rows"]
            found: Json = {
                "id": row["id"],
                "run": run["run"],
                "class": ";".join(row["labels"]),
                "predicted": (row["predictions"] or [None])[0],
                "error": row["error"] and row["error"]["kind"],
            }
            for key, metric in metrics.items():
                found |= metric.cells(kept[key]) if kept[key] is not None else {}
            yield found
