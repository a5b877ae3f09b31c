"""Rows to a report: what `evaluate` writes is a fold over what was kept of each image."""

import json

import numpy as np
import pytest

from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Rules
from cam_cli.metrics.statistics import difference, interval, weightings
from cam_cli.tasks.numbers import Numbers
from cam_cli.tasks.reporting import Reporter, Tally, bounds, common, figure, plain, summary
from tests.metrics.made import NAMES, dataset

CASES = dataset(30, seed=3)
RUNS = [{"run": "a.cam", "model": "a", "method": "cam"}, {"run": "b.cam", "model": "b", "method": "cam"}]


def numbers(names=NAMES, **rules) -> Numbers:
    metrics = {}
    for name in names:
        kind = METRICS.load(name)
        metrics.setdefault(kind.names[0], kind(Rules(**rules)))
    given = [name for metric in metrics.values() for name in metric.names if name in names]
    return Numbers(metrics, tuple(name for name in METRICS if name in given), {})


def rows(cases=CASES, model="a", run="a.cam", names=NAMES, **rules) -> list[dict]:
    """As `rows.jsonl` has them. A run, and a baseline of the same maps."""
    made = []
    for found, told in cases:
        kept = {
            key: metric.miss(told) if found is None else metric.row(found, told)
            for key, metric in numbers(names, **rules).metrics.items()
        }
        made.append(
            {"id": told.item.id, "model": model, "labels": list(told.labels),
             "runs": {run: {"rows": kept}, "flat": {"rows": kept}},
             "columns": {"half": "even" if int(told.item.id) % 2 == 0 else "odd"}}
        )  # fmt: skip
    return json.loads(json.dumps(made, allow_nan=False))


def reporter(kept, runs=RUNS[:1], by=(), baselines=("flat",), resamples=20, seed=1, names=NAMES, **rules) -> Reporter:
    every = dict.fromkeys([*(run["run"] for run in runs), *baselines], numbers(names, **rules))
    return Reporter(kept, every, runs, baselines, by, resamples, seed)


def test_parts_put_together_are_all_at_once():
    """Whatever the parts: of the report of several shards' rows, one after the other, not a digit differs."""
    whole = list(reporter(rows()).runs_json())
    for cut in (1, 17):
        parts = rows(CASES[:cut]) + rows(CASES[cut:])
        assert list(reporter(parts).runs_json()) == whole


def test_numbers_are_the_metrics_own():
    found = reporter(rows())
    (run,) = found.runs_json()
    told = {one["metric"]: one for one in run["metrics"]}
    assert list(told) == [name for name in METRICS if name in told]
    weights = weightings(30, 20, 1)
    for key, metric in numbers().metrics.items():
        kept = [metric.miss(truth) if answer is None else metric.row(answer, truth) for answer, truth in CASES]
        for name, value in metric.reduce(kept, weights).items():
            if name not in told:
                assert name == "gt_known_loc_calibrated"
                continue
            one = told[name]
            assert one["value"] == figure(float(value.values[0]))
            assert one["ci95"] == bounds(interval(value))
            assert one["n"] == value.n
            assert (one["group"], one["higher_is_better"]) == (metric.group, metric.higher_is_better)
            assert one["oracle"] == (name.endswith("_best") or name.startswith("maxboxacc"))
        assert key in metric.names


def test_a_baseline_stands_beside_what_a_map_changes():
    (run,) = reporter(rows()).runs_json()
    for one in run["metrics"]:
        if one["group"] == "classification":
            assert one["baselines"] == {}
        else:
            assert one["baselines"] == {"flat": {"value": one["value"], "ci95": one["ci95"]}}
    (run,) = reporter(rows(), baselines=()).runs_json()
    assert {json.dumps(one["baselines"]) for one in run["metrics"]} == {"{}"}


def test_groups_are_reports_of_their_images():
    whole = rows()
    (run,) = reporter(whole, by=("half", "nothing")).runs_json()
    groups = {(one["column"], one["value"]): one for one in run["groups"]}
    assert list(groups) == [("half", "even"), ("half", "odd"), ("nothing", "")]
    for value in ("even", "odd"):
        mine = [row for row in whole if row["columns"]["half"] == value]
        (alone,) = reporter(mine).runs_json()
        assert groups["half", value]["images"] == 15
        expected = [{key: one[key] for key in ("metric", "value", "ci95", "n")} for one in alone["metrics"]]
        assert groups["half", value]["metrics"] == expected
    assert groups["nothing", ""]["images"] == 30


def test_groups_stand_in_the_order_of_numbers():
    made = rows(CASES[:4])
    for row, value in zip(made, ("10", "9", "b2", "b10"), strict=True):
        row["columns"]["half"] = value
    (run,) = reporter(made, by=("half",)).runs_json()
    assert [one["value"] for one in run["groups"]] == ["9", "10", "b2", "b10"]


BY_CLASS = [name for name in NAMES if name not in ("pxap", "maxboxacc", "maxboxacc_v2")]


def test_numbers_of_classes_are_what_means_over_classes_are_made_of():
    found = reporter(rows(by_class=True), by=("class",), by_class=True)
    (run,) = found.runs_json()
    whole = {one["metric"]: one["value"] for one in run["metrics"]}
    groups = {one["value"]: {number["metric"]: number for number in one["metrics"]} for one in run["groups"]}
    labels = sorted({label for _, truth in CASES for label in truth.labels})
    assert list(groups) == labels
    for name in BY_CLASS:
        if name.endswith(("_best", "_calibrated")):  # whose threshold is chosen for each class by itself
            continue
        values = [groups[label][name]["value"] for label in labels if groups[label][name]["value"] is not None]
        assert np.mean(values) == pytest.approx(whole[name], abs=1e-6), name


def test_numbers_of_a_class_are_over_its_images_or_all():
    found = reporter(rows(), by=("class",))
    (run,) = found.runs_json()
    for group in run["groups"]:
        mine = [(answer, truth) for answer, truth in CASES if group["value"] in truth.labels]
        assert group["images"] == len(mine)
        told = {one["metric"]: one["n"] for one in group["metrics"]}
        assert told["gt_known_loc"] <= len(mine)
        assert told["top1_accuracy"] <= len(mine)
        assert told["classification_ap"] > len(mine)
        assert told["pxap"] <= len(mine)


def test_a_class_of_one_class_images_is_the_report_of_them():
    cases = [(answer, truth) for answer, truth in dataset(90, seed=5) if len(truth.labels) == 1]
    names = ("top1_accuracy", "gt_known_loc", "mean_iou", "maxboxacc", "pointing_game")
    whole = rows(cases, names=names)
    (run,) = reporter(whole, by=("class",), names=names).runs_json()
    for group in run["groups"]:
        (alone,) = reporter([row for row in whole if group["value"] in row["labels"]], names=names).runs_json()
        # boxes of other classes do not occur, so nothing is left out
        expected = [{key: one[key] for key in ("metric", "value", "ci95", "n")} for one in alone["metrics"]]
        assert group["metrics"] == expected


def test_runs_are_compared_pair_by_pair_on_the_same_resamples():
    other = dataset(30, seed=4)
    swapped = [(found, truth) for (found, _), (_, truth) in zip(other, CASES, strict=True)]  # other answers, same truth
    both = [row for pair in zip(rows(), rows(swapped, "b", "b.cam"), strict=True) for row in pair]
    found = reporter(both, RUNS)
    names = {one["metric"] for one in found.comparisons_json()}
    assert names == {one["metric"] for one in next(iter(found.runs_json()))["metrics"]}
    for one in found.comparisons_json():
        assert (one["a"], one["b"]) == ("a.cam", "b.cam")
        values = [found.tallies[run["run"]].values[one["metric"]] for run in RUNS]
        change = difference(*values)
        assert one["difference"] == figure(change.value)
        assert one["ci95"] == bounds(change.interval)
        assert one["n"] == min(value.n for value in values)
        low, high = np.percentile((values[0].values - values[1].values)[1:], [2.5, 97.5])
        assert one["ci95"] == pytest.approx([low, high], abs=1e-8)
    three = reporter([*both, *rows(model="c", run="c.cam")], [*RUNS, {"run": "c.cam", "model": "c", "method": "cam"}])
    pairs = list(dict.fromkeys((one["a"], one["b"]) for one in three.comparisons_json()))
    assert pairs == [("a.cam", "b.cam"), ("a.cam", "c.cam"), ("b.cam", "c.cam")]
    same = [one for one in three.comparisons_json() if (one["a"], one["b"]) == ("a.cam", "c.cam")]
    assert {one["difference"] for one in same} == {0}


def test_a_difference_is_not_that_of_two_draws():
    """Of the same images: an interval much narrower than those of both numbers."""
    better = [(found, truth) for found, truth in CASES]
    spoiled = [(None if place == 7 else found, truth) for place, (found, truth) in enumerate(CASES)]
    names = ("mean_iou",)
    both = [*rows(better, names=names), *rows(spoiled, "b", "b.cam", names=names)]
    found = reporter(both, RUNS, names=names)
    (one,) = found.comparisons_json()
    (run, _) = found.runs_json()
    width = run["metrics"][0]["ci95"][1] - run["metrics"][0]["ci95"][0]
    assert one["ci95"][1] - one["ci95"][0] < width / 3


def test_curves_have_no_number_that_json_does_not_have():
    (run,) = reporter(rows()).runs_json()
    assert {"gt_known_loc", "maxboxacc", "maxboxacc_v2_70", "pxap"} <= {one["curve"] for one in run["curves"]}
    for one in run["curves"]:
        assert len(one["x"]) == len(one["y"])
        assert one["x"] == sorted(one["x"])
    json.dumps(run, allow_nan=False)


def test_without_rows_there_is_no_number():
    (run,) = reporter([]).runs_json()
    assert {(one["value"], one["ci95"], one["n"]) for one in run["metrics"]} == {(None, None, 0)}
    assert run["groups"] == []


def test_only_what_is_wanted_is_given():
    one = Numbers({"top1_loc": METRICS.load("top1_loc")(Rules())}, ("gt_known_loc",), {})
    assert list(Tally("a.cam", rows(), one, 5, 0).values) == ["gt_known_loc"]


def test_resamples_depend_on_the_seed_and_nothing_else():
    def ends(**given):
        (run,) = reporter(rows(), names=("mean_iou",), **given).runs_json()
        return run["metrics"][0]["value"], run["metrics"][0]["ci95"]

    assert ends(seed=1) == ends(seed=1)
    assert ends(seed=1)[0] == ends(seed=2)[0]
    assert ends(seed=1)[1] != ends(seed=2)[1]
    assert ends(resamples=0)[1] is None


def test_rows_of_both():
    mine, theirs = [{"id": one} for one in "abcd"], [{"id": one, "old": True} for one in "dbx"]
    assert common(mine, theirs) == ([mine[1], mine[3]], [theirs[1], theirs[0]])
    assert common([], theirs) == common(mine, []) == ([], [])


def test_plain_values():
    given = {"a": np.float64(1 / 3), "b": (np.int64(2), [np.bool_(True)]), 3: None, "c": float("nan"), "d": "x"}
    assert plain(given) == {"a": 0.333333333, "b": [2, [True]], "3": None, "c": None, "d": "x"}
    assert type(plain(np.int64(2))) is int
    assert figure(0.1 + 0.2) == 0.3
    assert figure(float("inf")) is None
    assert bounds((0.0, float("nan"))) == [0, None]
    assert summary(Tally("a.cam", rows(CASES[:1]), numbers(("mean_iou",)), 5, 0).values["mean_iou"])["ci95"] is None
