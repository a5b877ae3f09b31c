"""Gates: every form of them, every way to pass and to fall."""

import pytest

from cam_cli.errors import MethodUnknown, MetricUnknown, UsageError
from cam_cli.specs.evaluate import GateSpec
from cam_cli.tasks.gates import apart, check_names, check_runs, judge, parse, parse_gates


def run(name: str = "lite.cam", **values) -> dict:
    """Of a report: values by metric, as (value, n) or a value over ten images."""
    model, _, method = name.partition(".")
    numbers = [
        {"metric": metric, "value": one[0], "n": one[1]}
        if isinstance(one, tuple)
        else {"metric": metric, "value": one, "n": 10}
        for metric, one in values.items()
    ]
    return {"run": name, "model": model, "method": method, "metrics": numbers}


def change(metric: str, before, after, ends=None, n=10, name="lite.cam", higher=True) -> dict:
    difference = None if before is None or after is None else after - before
    return {"run": name, "metric": metric, "before": before, "after": after, "difference": difference, "ci95": ends,
            "n": n, "higher_is_better": higher, "baseline": "old"}  # fmt: skip


def judged(text: str, kind: str, *runs: dict, changes=(), significant=False, left_out=None) -> list[tuple]:
    gate = parse(text, kind, {"under": "--fail-under", "over": "--fail-over", "drop": "--max-drop"}[kind])
    found = judge((gate,), {"runs": runs, "changes": list(changes)}, significant, left_out or {})
    return [(one["run"], one["metric"], one["passed"], one["why"]) for one in found]


@pytest.mark.parametrize(
    ("text", "kind", "model", "method", "metric", "bar"),
    [
        ("gt_known_loc=0.6", "under", None, None, "gt_known_loc", 0.6),
        ("lite/cam:maxboxacc=.5", "under", "lite", "cam", "maxboxacc", 0.5),
        ("a.b-1/rise:masks=500,p=0.5:adcc=1e-3", "under", "a.b-1", "rise:masks=500,p=0.5", "adcc", 0.001),
        ("a/gradcam++:deletion_auc=-2", "over", "a", "gradcam++", "deletion_auc", -2),
        ("0.02", "drop", None, None, None, 0.02),
        ("0", "drop", None, None, None, 0),
        ("=0.02", "drop", None, None, None, 0.02),
        ("corloc=0.02", "drop", None, None, "corloc", 0.02),
        ("a/cam:corloc=0.02", "drop", "a", "cam", "corloc", 0.02),
    ],
)
def test_the_forms(text, kind, model, method, metric, bar):
    gate = parse(text, kind, "--x")
    assert (gate.text, gate.kind, gate.model, gate.method, gate.metric, gate.bar) == (
        text, kind, model, method, metric, bar,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "corloc", "corloc=", "corloc=x", "=0.5", "corloc=nan", "corloc=inf", "corloc=60%", "0.5"]
)
def test_what_is_no_bar(text):
    with pytest.raises(UsageError, match=r"--fail-under takes \[ALIAS/METHOD:\]METRIC=X, not "):
        parse(text, "under", "--fail-under")


@pytest.mark.parametrize("text", ["", "x", "corloc=", "-0.1", "corloc=-0.1", "nan", "inf", "2%"])
def test_what_is_no_drop(text):
    with pytest.raises(UsageError, match=r"--max-drop takes \[METRIC=\]X, X not negative, not "):
        parse(text, "drop", "--max-drop")


@pytest.mark.parametrize("who", ["cam", "/cam", "lite/", "/", "lite:cam"])
def test_a_run_is_named_by_both_its_parts(who):
    with pytest.raises(UsageError, match="runs are named ALIAS/METHOD"):
        parse(f"{who}:corloc=0.5", "under", "--fail-under")


def test_a_name_that_is_no_metric():
    with pytest.raises(MetricUnknown, match=r"'gt_known'.*did you mean gt_known_loc"):
        parse("gt_known=0.5", "under", "--fail-under")
    with pytest.raises(MetricUnknown):
        parse("cam=0.5", "drop", "--max-drop")


def test_all_gates_in_their_order():
    spec = GateSpec(("corloc=0.1", "adcc=0.2"), ("deletion_auc=0.3",), "old", ("0.4",))
    assert [(one.kind, one.metric, one.bar) for one in parse_gates(spec)] == [
        ("under", "corloc", 0.1), ("under", "adcc", 0.2), ("over", "deletion_auc", 0.3), ("drop", None, 0.4),
    ]  # fmt: skip
    assert [one.metrics for one in parse_gates(spec)] == [("corloc",), ("adcc",), ("deletion_auc",), ()]


def test_options_that_need_another():
    with pytest.raises(UsageError, match="--max-drop compares with an earlier evaluation; add --baseline DIR"):
        GateSpec(max_drop=("0.1",))
    with pytest.raises(UsageError, match="--significant is about --max-drop; add it"):
        GateSpec(baseline="old", significant=True)


@pytest.mark.parametrize(
    ("text", "kind", "value", "passed", "why"),
    [
        ("corloc=0.5", "under", 0.5, True, "0.5 ≥ 0.5"),  # the bar itself is enough
        ("corloc=0.5", "under", 0.50001, True, "0.50001 ≥ 0.5"),
        ("corloc=0.5", "under", 0.499999999, False, "0.499999999 < 0.5"),
        ("corloc=0.5", "over", 0.5, True, "0.5 ≤ 0.5"),
        ("corloc=0.5", "over", 0.51, False, "0.51 > 0.5"),
        ("corloc=0.5", "over", 0.123456, True, "0.1235 ≤ 0.5"),
        ("corloc=0", "under", 0.0, True, "0 ≥ 0"),
        ("corloc=0", "under", -0.25, False, "-0.25 < 0"),
    ],
)
def test_bars(text, kind, value, passed, why):
    assert judged(text, kind, run(corloc=value)) == [("lite.cam", "corloc", passed, why)]


@pytest.mark.parametrize("kind", ["under", "over"])
def test_a_number_that_is_not_there_falls(kind):
    told = {"pxap": "the data have no masks"}
    assert judged("corloc=0", kind, run(corloc=(None, 0)))[0][2:] == (False, "not computed (n = 0)")
    assert judged("corloc=0", kind, run(corloc=(None, 4)))[0][2:] == (False, "not computed (n = 4)")
    assert judged("corloc=0", kind, run(corloc=(0.7, 0)))[0][2:] == (False, "not computed (n = 0)")
    found = judged("pxap=0", kind, run(corloc=0.7), left_out=told)
    assert found == [("lite.cam", "pxap", False, "not computed: the data have no masks")]
    found = judged("adcc=0", kind, run(corloc=0.7), left_out=told)
    assert found == [("lite.cam", "adcc", False, "not computed: nothing that was asked for gives it")]


def test_a_gate_is_about_every_run_or_the_one_that_it_names():
    runs = run("a.cam", corloc=0.6), run("a.gradcam", corloc=0.4), run("b.cam", corloc=0.4)
    assert [one[:3] for one in judged("corloc=0.5", "under", *runs)] == [
        ("a.cam", "corloc", True), ("a.gradcam", "corloc", False), ("b.cam", "corloc", False),
    ]  # fmt: skip
    assert [one[0] for one in judged("a/gradcam:corloc=0.5", "under", *runs)] == ["a.gradcam"]


@pytest.mark.parametrize(
    ("before", "after", "higher", "passed"),
    [
        (0.60, 0.58, True, True),  # 0.02 is not more than 0.02, but for rounding
        (0.625, 0.5, True, False),
        (0.5, 0.625, True, True),
        (0.5, 0.625, False, False),
        (0.625, 0.5, False, True),
    ],
)
def test_drops(before, after, higher, passed):
    bar = 0.03 if (before, after) == (0.60, 0.58) else 0.0625
    changes = [change("corloc", before, after, higher=higher)]
    (found,) = judged(f"corloc={bar}", "drop", run(corloc=after), changes=changes)
    assert found == ("lite.cam", "corloc", passed, f"{before:g} → {after:g}")


def test_a_drop_of_exactly_the_bar_passes():
    assert judged("0.125", "drop", run(corloc=0.5), changes=[change("corloc", 0.625, 0.5)])[0][2]
    assert not judged("0.1249", "drop", run(corloc=0.5), changes=[change("corloc", 0.625, 0.5)])[0][2]


@pytest.mark.parametrize(
    ("ends", "higher", "passed", "told"),
    [
        ([-0.2, -0.01], True, False, ""),
        ([-0.2, 0.0], True, True, ", which may be chance"),
        ([-0.2, 0.01], True, True, ", which may be chance"),
        ([0.01, 0.2], False, False, ""),
        ([-0.01, 0.2], False, True, ", which may be chance"),
    ],
)
def test_a_significant_drop_has_an_interval_without_0(ends, higher, passed, told):
    before, after = (0.5, 0.375) if higher else (0.375, 0.5)
    changes = [change("corloc", before, after, ends, higher=higher)]
    ((_, _, found, why),) = judged("corloc=0.0625", "drop", run(corloc=after), changes=changes, significant=True)
    difference = after - before
    assert (found, why) == (
        passed, f"{before:g} → {after:g}, a change of {difference:+.4g} [{ends[0]:+.4g}, {ends[1]:+.4g}]{told}",
    )  # fmt: skip
    assert not judged("corloc=0.0625", "drop", run(corloc=after), changes=changes)[0][2]


def test_significance_that_nobody_can_tell_forgives_nothing():
    changes = [change("corloc", 0.5, 0.25, None, n=1)]
    assert not judged("0.1", "drop", run(corloc=0.25), changes=changes, significant=True)[0][2]
    assert judged("0.3", "drop", run(corloc=0.25), changes=changes, significant=True)[0][2]


def test_a_drop_of_every_number_names_each():
    changes = [change("corloc", 0.5, 0.25), change("mean_iou", 0.5, 0.5), change("corloc", 1, 1, name="b.cam")]
    runs = run(corloc=0.25, mean_iou=0.5), run("b.cam", corloc=1)
    assert judged("0.1", "drop", *runs, changes=changes) == [
        ("lite.cam", "corloc", False, "corloc: 0.5 → 0.25"),
        ("lite.cam", "mean_iou", True, "mean_iou: 0.5 → 0.5"),
        ("b.cam", "corloc", True, "corloc: 1 → 1"),
    ]


def test_a_drop_that_cannot_be_told_falls():
    one = run(corloc=0.5, adcc=0.5)
    lacking = "the baseline has no such number"
    assert judged("corloc=1", "drop", one)[0][2:] == (False, lacking)  # no such run in the baseline
    assert judged("corloc=1", "drop", one, changes=[change("corloc", None, 0.5, n=0)])[0][2:] == (False, lacking)
    assert judged("corloc=1", "drop", one, changes=[change("corloc", 0.5, None, n=0)])[0][2:] == (
        False, "not computed (n = 0)",
    )  # fmt: skip
    assert judged("corloc=1", "drop", one, changes=[change("corloc", 0.5, 0.5, n=0)])[0][2:] == (
        False, "not computed (n = 0)",
    )  # fmt: skip
    found = judged("pxap=1", "drop", one, changes=[change("corloc", 0.5, 0.5)], left_out={"pxap": "no masks"})
    assert found[0][2:] == (False, "not computed: no masks")
    assert [found[2] for found in judged("1", "drop", one, changes=[change("corloc", 0.5, 0.5)])] == [True, False]


def test_an_entry_is_what_the_command_line_said():
    (gate,) = parse_gates(GateSpec(fail_over=("a/cam:deletion_auc=0.25",)))
    (found,) = judge((gate,), {"runs": [run("a.cam", deletion_auc=0.5)], "changes": []}, False, {})
    assert found == {
        "gate": "--fail-over a/cam:deletion_auc=0.25", "run": "a.cam", "metric": "deletion_auc", "value": 0.5,
        "bar": 0.25, "passed": False, "why": "0.5 > 0.25",
    }  # fmt: skip


def test_names_of_runs_are_checked_as_early_as_they_are_known():
    gates = [parse("lite/gradcam:corloc=0.5", "under", "--fail-under"), parse("0.1", "drop", "--max-drop")]
    check_names(gates, ["lite"], None)
    check_names(gates, ["lite", "b"], ["cam", "gradcam"])
    with pytest.raises(UsageError, match=r"no model is called 'lite' \(there are b, c\)"):
        check_names(gates, ["b", "c"], None)
    with pytest.raises(UsageError, match=r"no method is called 'gradcam' \(there are cam\)"):
        check_names(gates, ["lite"], ["cam"])
    with pytest.raises(MethodUnknown, match="'gradkam'"):
        check_names([parse("lite/gradkam:corloc=0.5", "under", "--fail-under")], ["lite"], None)
    check_names([parse("lite/rise:masks=9:corloc=0.5", "under", "--fail-under")], ["lite"], None)


def test_runs_are_checked_once_they_are_known():
    check_runs([parse("lite/cam:corloc=0.5", "under", "--fail-under")], [run("lite.cam")])
    with pytest.raises(UsageError, match=r"no run is called lite/gradcam \(there are lite/cam\)"):
        check_runs([parse("lite/gradcam:corloc=0.5", "under", "--fail-under")], [run("lite.cam")])


def test_numbers_that_differ_are_told_apart():
    assert apart(0.65, 0.65) == ("0.65", "0.65")
    assert apart(0.6499999, 0.65) == ("0.6499999", "0.65")
    assert apart(1 / 3, 0.5) == ("0.3333", "0.5")
    one, other = apart(0.1 + 0.2, 0.3)
    assert one != other
