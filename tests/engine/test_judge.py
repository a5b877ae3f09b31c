"""What a model says of an image, for every run and baseline, in the dataset's words."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cam_cli.engine.imageprobe import Inquiry, Randomised
from cam_cli.engine.judge import Judge, Unmoved
from cam_cli.engine.judged import Judged, Sketch, with_baselines
from cam_cli.engine.seed import seed_of
from cam_cli.engine.selection import parse_selections
from cam_cli.engine.vocabulary import Vocabulary
from cam_cli.errors import ModelFailed
from cam_cli.metrics import METRICS
from cam_cli.metrics.baselines import centre, random
from cam_cli.metrics.metric import Found, Rules
from cam_cli.models.layers import survey
from cam_cli.types import Failure, ImageItem, Truth
from tests.metrics.made import squash
from tests.nets import Residual, seeded

from .test_explain import LABELS, explainer, picture

BASELINES = {
    "centre": lambda geometry, seed: Sketch(centre(geometry), {}),
    "random": lambda _, seed: Sketch(random(seed), {}),
}
ASKED = ("average_drop", "class_correlation", "randomisation_correlation")


def judge(model=None, texts=("top1", "truth"), asking=(), baselines=BASELINES, seed=0, **truths) -> Judge:
    """Two runs of a network of cat, dog, red fox and owl; the data call the last two fox and 3."""
    model = model or seeded(Residual())
    told = {id: Truth(ImageItem(id, id, id), labels) for id, labels in truths.items()}
    vocabulary = Vocabulary.match(LABELS, {"fox": ("red fox",), "3": ("3",), "ox": ("ox",)}, told, "data")
    run = explainer(model, ("gradcam@last", "cam@last"), truths=vocabulary, seed=seed)
    run = replace(run, selections=parse_selections(texts, LABELS.find, run.reading), min_prob=None)
    classes = {name: index for index, name in enumerate(vocabulary.names)}
    inquiries = {
        name: Inquiry(run, column, classes, Randomised(survey(model, 16), seed, run.device))
        for name, column in zip(("m.gradcam", "m.cam"), run.columns, strict=True)
    }
    metrics = {name: METRICS.load(name)(Rules()) for name in asking}
    return Judge(run, vocabulary, inquiries, metrics, baselines)


def test_what_a_run_says_in_the_datasets_words():
    one = judge(a=("fox", "3"), b=("ox",))
    first, second = one([picture("a"), picture("b", seed=3)])
    logits = seeded(Residual())(picture("a").tensor[None])[0]
    names = ["cat", "dog", "fox", "3"]
    order = [names[index] for index in logits.argsort(descending=True)]
    assert list(first.found) == ["m.gradcam", "m.cam", "centre", "random"]
    for found in first.found.values():
        assert found.predictions == tuple(order)
        assert found.explained == order[0]
        assert set(found.maps) == {order[0], "fox", "3"}
        assert found.probabilities == pytest.approx(
            {label: logits.softmax(0)[names.index(label)].item() for label in ("fox", "3")}
        )
    assert list(second.found["m.cam"].maps) == [second.found["m.cam"].explained]  # the model does not know an ox
    assert (first.item.id, second.item.id) == ("a", "b")


def test_the_map_explained_is_that_of_the_first_class_asked_for():
    (top,) = judge(texts=("top1", "truth"), a=("3",))([picture("a")])
    (true,) = judge(texts=("truth",), a=("3",))([picture("a")])
    (none,) = judge(texts=("truth",), a=(), b=("fox",))([picture("a")])
    assert top.found["m.cam"].explained == top.found["m.cam"].predictions[0]
    assert true.found["m.cam"].explained == "3"
    np.testing.assert_array_equal(true.found["m.cam"].maps["3"], top.found["m.cam"].maps["3"])
    assert none.found["m.cam"].explained is None
    assert none.found["m.cam"].maps == none.found["centre"].maps == {}
    assert none.flags == ()  # that nobody says what it shows is counted with the data


def test_each_runs_maps_are_its_own():
    (one,) = judge(a=("fox", "3"))([picture("a")])
    (mine,) = judge(a=("fox", "3")).explainer([picture("a")])
    expected = {(each.method, each.target.index): each.raw for each in mine.maps}
    for method in ("cam", "gradcam"):
        for label, index in (("fox", 2), ("3", 3)):
            np.testing.assert_array_equal(one.found[f"m.{method}"].maps[label], expected[method, index])


def test_baselines_are_the_same_answers_under_other_maps():
    runs = judge(seed=5, a=("fox", "3"))
    (one,), (again,) = runs([picture("a")]), runs([picture("a")])
    mine, geometry = one.found["m.gradcam"], one.geometry
    for name, raw in (("centre", centre(geometry)), ("random", random(seed_of(5, "a")))):
        other = one.found[name]
        assert list(other.maps) == list(mine.maps)
        assert all(np.array_equal(each, raw) for each in other.maps.values())
        assert (other.predictions, other.probabilities, other.explained) == (
            mine.predictions, mine.probabilities, mine.explained,
        )  # fmt: skip
        assert np.array_equal(other.maps["fox"], again.found[name].maps["fox"])
    assert next(judge(baselines={}, a=("fox",))([picture("a")])).found.keys() == {"m.gradcam", "m.cam"}


def test_what_metrics_share_of_a_run_is_not_shared_with_a_baseline():
    found = Found(squash(8, 8), {"cat": np.eye(4, dtype=np.float32)}, ("cat",), {"cat": 1.0}, "cat")
    found.once("key", lambda: "mine")
    both = with_baselines({"run": found}, {"centre": lambda *_: np.ones((2, 2), np.float32)}, 0, "a")
    assert both["run"] is found
    assert both["centre"].kept == {}
    assert both["centre"].explained == "cat"


def test_scores_that_are_not_numbers_say_nothing():
    model = seeded(Residual())
    run = judge(model, a=("fox",))
    with torch.no_grad():
        model.fc.bias[1] = torch.inf
    (one,) = run([picture("a")])
    assert one.flags == ("scores_not_finite",)
    for found in one.found.values():
        assert found.predictions == ()
        assert found.explained is None
        assert set(found.probabilities) == {"fox", "3"}  # as of every other image
        assert np.isnan(list(found.probabilities.values())).all()
    assert "fox" in one.found["m.cam"].maps


def test_metrics_that_ask_the_network_ask_it_about_each_map():
    (one,) = judge(asking=ASKED, a=("fox",))([picture("a", seed=2)])
    assert set(one.rows) == set(one.found)
    for rows in one.rows.values():
        assert set(rows) == set(ASKED)
    drops = [one.rows[name]["average_drop"] for name in one.rows]
    assert len({row["probability"] for row in drops}) == 1  # the same network, whoever made the map
    assert len({row["masked_probability"] for row in drops}) >= 3
    for name in ("centre", "random"):  # a map that knows nothing stays what it is
        assert one.rows[name]["class_correlation"]["class_correlation"] == pytest.approx(1)
        assert one.rows[name]["randomisation_correlation"]["randomisation_correlation"] == pytest.approx(1)
    assert one.rows["m.cam"]["randomisation_correlation"]["randomisation_correlation"] < 0.9
    (quiet,) = judge(a=("fox",))([picture("a")])
    assert quiet.rows == {}


def test_failures_pass_in_their_order():
    failure = Failure(ImageItem("b", "b", "b"), "ImageUnreadable", "gone")
    outcomes = list(judge(a=("fox",), c=("fox",))([picture("a"), failure, picture("c")]))
    assert [type(one) for one in outcomes] == [Judged, Failure, Judged]
    assert outcomes[1] is failure


@pytest.mark.parametrize("error", [ModelFailed("not so"), torch.OutOfMemoryError("CUDA out of memory. Tried")])
def test_a_metric_that_fails_fails_its_image_alone(error, monkeypatch):
    from cam_cli.engine.imageprobe import ImageProbe

    asked = ImageProbe.probabilities

    def probabilities(probe, images, count, label):
        if probe.seed == seed_of(0, "a"):
            raise error
        return asked(probe, images, count, label)

    monkeypatch.setattr(ImageProbe, "probabilities", probabilities)
    first, second = judge(asking=("average_drop",), a=("fox",), b=("fox",))([picture("a"), picture("b")])
    assert isinstance(first, Failure)
    assert first.item.id == "a"
    assert (first.kind, "of one image" in first.message) in {("ModelFailed", False), ("OutOfMemory", True)}
    assert isinstance(second, Judged)


def test_the_probe_of_a_map_that_stays():
    runs = judge(a=("fox",))
    probe = runs.inquiries["m.cam"].probe(picture("a"))
    still = Unmoved(probe, np.eye(2))
    assert still.image is probe.image
    assert still.seed == probe.seed == seed_of(0, "a")
    assert still.map(probe.image, "fox") is still.other("fox") is still.raw
    assert [one is still.raw for one in still.randomised("fox")] == [True]
    both = [each.probabilities([probe.image], 1, "fox")[0] for each in (still, probe)]
    assert both[0] == both[1]


def test_seeds_are_of_the_image_and_the_run():
    seeds = {seed_of(seed, id) for seed in (0, 1, 10) for id in ("a", "b", "0:a", "é", "\udcff")}
    assert len(seeds) == 15
    assert all(0 <= seed < 2**56 for seed in seeds)
    assert seed_of(0, "a") == 44459602984103823  # in every version, so that runs can be told apart by what they do
