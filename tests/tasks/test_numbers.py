"""Which numbers a command asks for, and which these data can give."""

import pytest

from cam_cli.errors import MetricUnknown, UsageError
from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Needs, Rules
from cam_cli.specs.evaluate import MetricSpec
from cam_cli.tasks.gates import parse
from cam_cli.tasks.numbers import available, choose_metrics, parse_metrics, recalibrated
from cam_cli.types import ImageItem, Object, Region, Truth

ALL = Needs.LABELS | Needs.BOXES | Needs.REGIONS | Needs.PREDICTIONS | Needs.PROBE


def group(*names: str) -> set[str]:
    return {name for name in METRICS if METRICS.load(name).group in names}


def asked(*names: str, **more) -> dict[str, bool]:
    return parse_metrics(MetricSpec(names, **more))


def chosen(names, has=ALL, rules=None, gates=(), several=True):
    return choose_metrics(
        dict.fromkeys(names, True) if not isinstance(names, dict) else names, gates, rules or Rules(), has, several
    )


def test_groups_and_names():
    assert set(asked()) == group("localisation", "classification")
    assert set(asked("faithfulness")) == group("faithfulness")
    assert set(asked("all")) == set(METRICS)
    assert asked("corloc,adcc", "corloc") == {"corloc": True, "adcc": True}
    assert asked("sanity", "corloc")["class_correlation"] is False
    both = asked("localisation", "corloc")
    assert both["corloc"] is True
    assert both["mean_iou"] is False
    assert asked("corloc", "localisation")["corloc"] is True  # in whatever order
    with pytest.raises(MetricUnknown, match="did you mean"):
        asked("corlok")


def test_a_protocols_numbers_are_not_insisted_on():
    assert asked(protocol="wsol") == dict.fromkeys(("maxboxacc", "maxboxacc_v2", "pxap", "top1_accuracy"), False)
    assert asked("corloc", protocol="wsol") == {"corloc": True}


def test_what_is_computed_once_for_all_its_names():
    found = chosen({"gt_known_loc": True, "top1_loc_best": True, "mean_iou": True})
    assert list(found.metrics) == ["top1_loc", "mean_iou"]
    assert found.wanted == ("gt_known_loc", "top1_loc_best", "mean_iou")
    assert found.of(found.metrics["top1_loc"]) == ["gt_known_loc", "top1_loc_best"]


@pytest.mark.parametrize(
    ("name", "lacking", "why"),
    [
        ("top1_accuracy", Needs.LABELS, "no image has a class"),
        ("corloc", Needs.BOXES, "the data have no boxes"),
        ("pxap", Needs.REGIONS, "the data have no masks"),
        ("auroc", Needs.PREDICTIONS, "nobody says what the model predicts; add --predictions"),
        ("adcc", Needs.PROBE, "it asks the network, and maps in files have none"),
    ],
)
def test_what_the_data_or_the_model_lack(name, lacking, why):
    """An error where it was named, left out where it came with its group."""
    with pytest.raises(UsageError, match=f"--metrics {name} cannot be computed: {why}"):
        chosen({name: True}, ALL & ~lacking)
    with pytest.raises(UsageError, match=rf"nothing to compute: {name} \({why}\)"):
        chosen({name: False}, ALL & ~lacking)
    found = chosen({name: False, "top5_accuracy": False, "corloc": False, "adcc": False}, ALL & ~lacking)
    assert found.left_out[name] == why
    assert name not in found.wanted
    assert found.lacking(name) == f"which cannot be computed: {why}"
    assert found.lacking("energy_pointing") == "which is not asked for"


def test_a_gated_number_is_computed_too():
    gates = [
        parse("adcc=0.1", "under", "--fail-under"),
        parse("0.1", "drop", "--max-drop"),
        parse("a/b:auroc=0", "over", "-"),
    ]
    found = chosen({"corloc": True}, gates=gates, several=False)
    assert found.wanted == ("auroc", "corloc", "adcc")
    found = chosen({"corloc": True}, ALL & ~Needs.PROBE, gates=gates)
    assert "adcc" not in found.wanted
    assert "adcc" in found.left_out


def test_what_ranks_images_needs_images_of_several_classes_or_a_wish():
    """Otherwise every image is a negative of all classes but one."""
    usual = asked()
    assert {"classification_ap", "auroc", "location_ap"} <= set(chosen(usual, several=True).wanted)
    single = chosen(usual, several=False)
    assert {name for name, why in single.left_out.items() if "one class" in why} == {
        "classification_ap",
        "auroc",
        "location_ap",
    }
    assert chosen({"auroc": True}, several=False).wanted == ("auroc",)


def test_a_calibrated_number_needs_a_threshold():
    with pytest.raises(UsageError, match="--metrics gt_known_loc_calibrated needs --threshold calibrated:DATASET"):
        chosen({"gt_known_loc_calibrated": True})
    assert "gt_known_loc_calibrated" not in chosen(asked()).wanted
    found = chosen(asked(), rules=Rules(calibrated=(0.3, "x")))
    assert "gt_known_loc_calibrated" in found.wanted
    other = recalibrated(found, Rules(calibrated=(0.5, "y")))
    assert {metric.rules.calibrated for metric in other.metrics.values()} == {(0.5, "y")}
    assert other.wanted == found.wanted


def test_the_metrics_that_ask_the_network():
    found = chosen(("corloc", "adcc", "class_correlation"))
    assert list(found.asking) == ["adcc", "class_correlation"]
    assert list(found.ranking(False).metrics) == list(found.metrics)
    both = chosen(("corloc", "auroc"))
    assert list(both.ranking(True).metrics) == ["auroc"]
    assert list(both.ranking(False).metrics) == ["corloc"]


def test_what_data_have():
    def truth(**more):
        return Truth(ImageItem("a", "a", "a"), **{"labels": (), **more})

    thing, region = Object("cat", (0, 0, 1, 1)), Region("cat", "m.png")
    assert available([truth()], False, False) == Needs.NOTHING
    assert available([truth(), truth(labels=("cat",))], False, False) == Needs.LABELS
    assert available([truth(objects=())], False, False) == Needs.NOTHING
    assert available([truth(objects=(thing,))], True, False) == Needs.BOXES | Needs.PREDICTIONS
    assert available([truth(regions=(region,))], True, True) == Needs.REGIONS | Needs.PREDICTIONS | Needs.PROBE
