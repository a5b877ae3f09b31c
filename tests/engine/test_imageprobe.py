"""A metric's questions answered by the engine: against the network itself, by hand, and nothing left behind."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cam_cli.engine.answers import Reading
from cam_cli.engine.augment import augmentations
from cam_cli.engine.column import Column
from cam_cli.engine.grouping import Grouping
from cam_cli.engine.imageprobe import Inquiry, Randomised
from cam_cli.methods.centre import Centre
from cam_cli.methods.random import Random
from cam_cli.metrics import METRICS
from cam_cli.metrics.correlation import spearman
from cam_cli.metrics.metric import Found, Probe, Rules
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.types import Picture, Truth
from tests.metrics.test_score import ASKING
from tests.nets import ByHand, OneLogit, Residual, seeded
from tests.test_capture import assert_same, state

from .test_explain import LABELS, explainer, picture

COLUMNS = ("cam@last", "gradcam@last", "gradcam@stem+last")
NAMES = {name: index for index, name in enumerate(LABELS.names)}


def inquiry(run, place: int = 0, seed: int = 0, classes=NAMES) -> Inquiry:
    return Inquiry(run, run.columns[place], classes, Randomised(survey(run.module, 16), seed, run.device))


def with_method(run, method):
    """The same run with a method that looks at no layer, or at the first column's."""
    layers = run.columns[0].layers if isinstance(method, Random) else ()
    return replace(run, columns=(Column("method", method, layers, "any"),))


def test_probabilities_are_the_networks():
    model = seeded(Residual())
    run = explainer(model, COLUMNS)
    probe: Probe = inquiry(run).probe(picture("a"))
    assert torch.equal(probe.image, picture("a").tensor)
    others = [picture(str(seed), seed=seed).tensor for seed in range(40)]
    for activation, expected in (("softmax", lambda s: s.softmax(1)), ("sigmoid", torch.sigmoid)):
        asked = replace(run, reading=Reading(LABELS, activation))
        found = inquiry(asked).probe(picture("a")).probabilities(iter(others), 40, "owl")
        np.testing.assert_allclose(found, expected(model(torch.stack(others)))[:, 3].detach(), atol=1e-6)
        assert found.dtype == np.float32


def test_probabilities_of_groups_of_classes():
    model = seeded(Residual())
    run = explainer(
        model, COLUMNS[:1], ("all",), reading=Reading(Labels(("pet", "bird"))), grouping=Grouping(((0, 2), (1, 3)))
    )
    probe = inquiry(run, classes={"pet": 0, "bird": 1}).probe(picture("a"))
    logits = model(picture("a").tensor[None]).softmax(1)[0]
    assert probe.probabilities([probe.image], 1, "pet")[0] == pytest.approx((logits[0] + logits[2]).item(), abs=1e-6)
    (one,) = run([picture("a")])
    np.testing.assert_allclose(probe.map(probe.image, "bird"), one.maps[1].raw, atol=1e-6)
    assert probe.randomised("pet")[0].shape == one.maps[0].raw.shape


@pytest.mark.parametrize("place", range(3))
def test_maps_are_those_of_the_run(place):
    """Of the image itself, of another image, and of the second class; several layers fused."""
    run = explainer(seeded(Residual()), COLUMNS, ("all",))
    one, other = picture("a"), picture("b", seed=3)
    probe = inquiry(run, place).probe(one)
    (mine,), (theirs,) = run([one]), run([other])
    for index, name in enumerate(LABELS.names):
        np.testing.assert_array_equal(probe.map(probe.image, name), mine.maps[4 * place + index].raw)
        np.testing.assert_array_equal(probe.map(other.tensor, name), theirs.maps[4 * place + index].raw)
    first, second = (each.index for each in mine.predictions[:2])
    np.testing.assert_array_equal(probe.other(LABELS.names[first]), mine.maps[4 * place + second].raw)
    for name in LABELS.names:
        if name != LABELS.names[first]:
            np.testing.assert_array_equal(probe.other(name), mine.maps[4 * place + first].raw)


def test_augmented_maps_are_augmented_here_too():
    run = explainer(seeded(Residual()), COLUMNS[:1])
    plain = inquiry(run).probe(picture("a"))
    run = replace(run, augmentations=augmentations(("flip",), 4))
    (one,) = run([picture("a")])
    found = inquiry(run).probe(picture("a")).map(plain.image, one.maps[0].target.name)
    np.testing.assert_array_equal(found, one.maps[0].raw)
    assert not np.allclose(found, plain.map(plain.image, one.maps[0].target.name))


def test_a_method_that_draws_lots_draws_those_of_the_image():
    run = with_method(explainer(seeded(Residual()), COLUMNS[:1]), Random())
    (one,) = run([picture("a")])
    probe = inquiry(run).probe(picture("a"))
    np.testing.assert_array_equal(probe.map(probe.image, "cat"), one.maps[0].raw)
    assert probe.seed == inquiry(run).probe(picture("a", seed=9)).seed != inquiry(run).probe(picture("b")).seed


def test_one_class_has_no_other_and_one_logit_has_its_negative():
    run = explainer(seeded(Residual()), COLUMNS[1:2], ("0",), reading=Reading(Labels(("thing",))))
    run = replace(run, grouping=Grouping(((0, 1, 2, 3),)))
    assert inquiry(run, classes={"thing": 0}).probe(picture("a")).other("thing") is None

    reading = Reading(Labels(("negative", "positive")), "sigmoid")
    run = explainer(seeded(OneLogit()), COLUMNS[1:2], reading=reading)
    probe = inquiry(run, classes={"negative": 0, "positive": 1}).probe(picture("a"))
    np.testing.assert_array_equal(probe.other("positive"), -probe.map(probe.image, "positive"))
    both = [probe.probabilities([probe.image], 1, name)[0] for name in ("negative", "positive")]
    assert sum(both) == pytest.approx(1)


def test_randomised_maps_are_those_of_the_randomised_networks():
    run = explainer(seeded(Residual()), COLUMNS, ("owl",))
    shared = Randomised(survey(run.module, 16), 4, run.device)
    for place in range(3):
        probe = Inquiry(run, run.columns[place], NAMES, shared).probe(picture("a"))
        found = probe.randomised("owl")
        assert len(found) == len(shared.networks) == 5
        for raw, network in zip(found, shared.networks, strict=True):
            again = replace(run, module=network, head=find_head(network, 16))
            (one,) = again([picture("a")])
            np.testing.assert_allclose(raw, one.maps[place].raw, rtol=1e-5, atol=1e-7)


def test_networks_are_made_once_for_all_images_and_columns(monkeypatch):
    made = []
    from cam_cli.engine import imageprobe

    drawn = imageprobe.cascade
    monkeypatch.setattr(imageprobe, "cascade", lambda *given: made.append(1) or drawn(*given))
    run = explainer(seeded(Residual()), COLUMNS)
    shared = Randomised(survey(run.module, 16), 0, run.device)
    assert made == []
    for column in run.columns:
        asked = Inquiry(run, column, NAMES, shared)
        for name in "ab":
            asked.probe(picture(name)).randomised("cat")
    assert made == [1]


def test_a_cascade_changes_maps_that_look_at_the_network_and_no_others():
    run = explainer(seeded(Residual()), COLUMNS[1:2], ("all",))
    (one,) = run([picture("a", seed=2)])
    raw, probe = one.maps[0].raw, inquiry(run).probe(picture("a", seed=2))
    found = [spearman(raw, other) for other in probe.randomised("cat")]
    assert min(found) < 0.5
    assert len(set(found)) == len(found)

    still = with_method(run, Centre())
    probe = inquiry(still).probe(picture("a"))
    (one,) = still([picture("a")])
    for other in probe.randomised("cat"):
        np.testing.assert_array_equal(other, one.maps[0].raw)


def found_of(one, place: int = 0) -> Found:
    """What the run says of an image, the most probable class explained."""
    maps = {each.target.name: each.raw for each in one.maps[4 * place : 4 * place + 4]}
    return Found(one.geometry, maps, explained=one.predictions[0].name)


@pytest.mark.parametrize("name", ASKING)
def test_a_row_is_the_images_own(name):
    """In whatever order, beside whatever others, and twice; the network is left as found, bit by bit."""
    model = seeded(Residual())
    model.train()
    model.fc.weight.requires_grad_(False)
    run = explainer(model, COLUMNS, ("all",))
    metric, before = METRICS.load(name)(Rules()), state(model)
    pictures = [picture(str(seed), seed=seed) for seed in range(4)]
    truth = Truth(pictures[0].item, ())
    rows = {}
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        asked = inquiry(run, 1)
        chosen = [pictures[place] for place in order]
        for shown, one in zip(chosen, run(chosen), strict=True):
            row = metric.row(found_of(one, 1), truth, asked.probe(shown))
            assert row is not None
            again = rows.setdefault(shown.item.id, row)
            for key, value in row.items():
                assert np.array(value) == pytest.approx(np.array(again[key]), abs=1e-5)
    assert len({str(row) for row in rows.values()}) == 4
    assert_same(before, state(model))


def colours(cells) -> Picture:
    """A picture of 16 × 16 pixels whose cells of 4 × 4 are red to these degrees, (4, 4)."""
    made = picture("cells")
    red = torch.tensor(cells).repeat_interleave(4, 0).repeat_interleave(4, 1)
    return replace(made, tensor=torch.stack([red, 0 * red, 0 * red]))


def test_deletion_of_a_linear_network_on_paper():
    """ByHand's scores are r, the mean red, and 1/2 − r, so p = σ(2 r − 1/2). The bottom row of cells has a red of 4 and
    cam marks it: r = 1 at first, and 0 once its 64 of 256 pixels are gone, after 7 of 28 steps."""
    run = explainer(ByHand(), ("cam@features",), ("0",), labels=Labels(("a", "b")))
    shown = colours([[0.0] * 4] * 3 + [[4.0] * 4])
    (one,) = run([shown])
    probe = inquiry(run, classes={"a": 0, "b": 1}).probe(shown)
    found = Found(one.geometry, {"a": one.maps[0].raw}, explained="a")
    row = METRICS.load("deletion_auc")(Rules()).row(found, Truth(shown.item, ()), probe)
    r = np.maximum(64 - np.array([step * 256 // 28 for step in range(29)]), 0) / 64
    np.testing.assert_allclose(row["probabilities"], 1 / (1 + np.exp(0.5 - 2 * r)), atol=1e-6)
    assert row["probabilities"][0] == pytest.approx(1 / (1 + np.exp(-1.5)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", ASKING)
def test_rows_on_cuda(name):
    metric, rows = METRICS.load(name)(Rules()), []
    for device in ("cpu", "cuda"):
        run = explainer(seeded(Residual()).to(device), COLUMNS, ("all",))
        weights = replace(run.head, weights=run.head.weights.to(device), bias=run.head.bias.to(device))
        run = replace(run, device=torch.device(device), head=weights)
        (one,) = run([picture("a")])
        rows.append(metric.row(found_of(one), Truth(one.item, ()), inquiry(run).probe(picture("a"))))
    for key, value in rows[0].items():
        assert np.array(value) == pytest.approx(np.array(rows[1][key]), abs=1e-4)
