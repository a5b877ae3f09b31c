"""A batch against one by one, targets that differ in number, identities between methods."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cam_cli.engine.answers import Reading
from cam_cli.engine.column import Column
from cam_cli.engine.explain import Explainer
from cam_cli.engine.forward import Forward
from cam_cli.engine.selection import parse_against, parse_selections
from cam_cli.engine.truth import TrueClasses
from cam_cli.methods.ablationcam import AblationCam
from cam_cli.methods.cam import Cam
from cam_cli.methods.gradcam import GradCam
from cam_cli.methods.hirescam import HiResCam
from cam_cli.methods.method import Needs
from cam_cli.methods.occlusion import Occlusion
from cam_cli.methods.rise import Rise
from cam_cli.methods.scorecam import ScoreCam
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.types import Failure, Geometry, ImageItem, LeftOut, Picture
from tests.nets import OneLogit, Residual, seeded

LABELS = Labels(("cat", "dog", "red fox", "owl"), None)


def picture(name: str, side: int = 16, seed: int = 0) -> Picture:
    tensor = torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed))
    geometry = Geometry(side, side, side, side, (1.0, 1.0), (0.0, 0.0), "squash")
    return Picture(ImageItem(name, name, name), np.zeros((side, side, 3), np.uint8), tensor, geometry)


def explainer(
    model, columns=("gradcam@last",), classes=("top",), min_prob=0.0, labels=LABELS, reading=None, **more
) -> Explainer:
    seen = survey(model, 16)
    head = find_head(model, 16) if any(column.startswith("cam@") for column in columns) else None
    made = []
    for column in columns:
        name, _, layer = column.partition("@")
        (group,) = seen.choose(layer)
        made.append(Column(name, {"cam": Cam(), "gradcam": GradCam(), "hirescam": HiResCam()}[name], group, layer))
    reading = reading or Reading(labels)
    selections = parse_selections(classes, reading.labels.find, reading)
    if "against" in more:
        more["against"] = parse_against(more["against"], reading.labels.find, reading)
    cpu = torch.device("cpu")
    return Explainer(model, reading, tuple(made), selections, head, "mean", min_prob, cpu, "fp32", **more)


def test_a_batch_is_one_by_one():
    model = seeded(Residual())
    run = explainer(model, ("gradcam@last", "cam@last", "gradcam@stem", "gradcam@stem+last"), ("top2", "owl"))
    pictures = [picture(str(seed), seed=seed) for seed in range(5)]
    together = list(run(pictures))
    apart = [next(iter(run([one]))) for one in pictures]
    for one, other in zip(together, apart, strict=True):
        assert [p.index for p in one.predictions] == [p.index for p in other.predictions]
        assert len(one.maps) == len(other.maps) == 12
        for mine, theirs in zip(one.maps, other.maps, strict=True):
            assert (mine.target.index, mine.method, mine.layers, mine.label) == (
                theirs.target.index, theirs.method, theirs.layers, theirs.label,
            )  # fmt: skip
            np.testing.assert_allclose(mine.raw, theirs.raw, atol=1e-5)


def test_gradcam_is_cam_over_cells_where_the_pooled_tensor_is_a_modules_own_output():
    from tests.nets import ByHand

    model = ByHand()
    labels = Labels(("a", "b"), None)
    run = explainer(model, ("cam@features", "gradcam@features"), ("all",), labels=labels)
    for one in run([picture("a"), picture("b", seed=3)]):
        for target in range(2):
            cam, gradcam = one.maps[target], one.maps[2 + target]
            assert (cam.method, gradcam.method) == ("cam", "gradcam")
            np.testing.assert_allclose(gradcam.raw, cam.raw / cam.raw.size, atol=1e-6)


def test_shapes_and_failures_of_a_batch_keep_their_places():
    failed = Failure(ImageItem("x", "x", "x"), "ImageUnreadable", "no")
    batch = [picture("a", 16), failed, picture("b", 24), picture("c", 16), picture("d", 24)]
    found = list(explainer(seeded(Residual()))(batch))
    assert found[1] is failed
    assert [one.item.id for one in found if not isinstance(one, Failure)] == ["a", "b", "c", "d"]
    assert [one.maps[0].raw.shape for one in found if not isinstance(one, Failure)] == [(4, 4), (6, 6), (4, 4), (6, 6)]


def test_a_shape_the_model_cannot_take_fails_alone():
    class Picky(Residual):
        def forward(self, x):
            assert x.shape[-1] == 16, "only 16"
            return super().forward(x)

    found = list(explainer(seeded(Picky()))([picture("a", 16), picture("b", 24)]))
    assert found[0].maps
    assert (found[1].kind, found[1].item.id) == ("ModelFailed", "b")
    assert "only 16" in found[1].message


@pytest.mark.parametrize("most", [3, 0])
def test_a_batch_that_does_not_fit_in_memory_is_halved(most):
    class Small(Residual):
        def forward(self, x):
            if len(x) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return super().forward(x)

    model = seeded(Small())
    pictures = [picture(str(seed), seed=seed) for seed in range(5)]
    run = explainer(seeded(Residual()))
    found = list(replace(run, module=model)(pictures))
    if most:
        for one, expected in zip(found, run(pictures), strict=True):
            np.testing.assert_allclose(one.maps[0].raw, expected.maps[0].raw, atol=1e-5)
    else:
        assert {one.kind for one in found} == {"OutOfMemory"}
        assert "smaller --size" in found[0].message


def test_min_prob_leaves_each_image_its_own_number_of_classes():
    model = seeded(Residual())
    pictures = [picture(str(seed), seed=seed) for seed in range(6)]
    everything = list(explainer(model, classes=("all",))(pictures))
    some = list(explainer(model, classes=("all",), min_prob=0.2)(pictures))
    assert len({len(one.maps) for one in some}) > 1, "the case is only a case if the numbers differ"
    for full, part in zip(everything, some, strict=True):
        expected = {one.target.index: one.raw for one in full.maps if one.target.probability > 0.2}
        assert {one.target.index for one in part.maps} == set(expected)
        for one in part.maps:
            np.testing.assert_allclose(one.raw, expected[one.target.index], atol=1e-6)
    none = next(iter(explainer(model, min_prob=1.0)(pictures[:1])))
    assert none.maps == ()
    assert none.flags == ("no_class",)
    assert none.predictions


def test_predictions_are_the_softmax_best_first():
    model = seeded(Residual())
    one = next(iter(explainer(model)([picture("a")])))
    scores = model(picture("a").tensor[None]).softmax(1)[0]
    assert [p.index for p in one.predictions] == scores.argsort(descending=True).tolist()
    assert [p.probability for p in one.predictions] == pytest.approx(scores.sort(descending=True).values.tolist())
    assert [p.name for p in one.predictions] == [LABELS.names[p.index] for p in one.predictions]


BOTH = ("gradcam@last", "cam@last", "gradcam@stem")
THREE = [picture(str(seed), seed=seed) for seed in range(3)]


def raws(found) -> list[np.ndarray]:
    return [one.raw for explanation in found for one in explanation.maps]


@pytest.mark.parametrize("columns", [BOTH[:1], BOTH])
def test_what_speaks_against_a_class_is_its_map_negated(columns):
    model = seeded(Residual())
    plain = list(explainer(model, columns, ("top", "owl"))(THREE))
    negated = list(explainer(model, columns, ("not:top", "not:owl"))(THREE))
    for mine, theirs in zip(raws(negated), raws(plain), strict=True):
        np.testing.assert_array_equal(mine, -theirs)
    assert {one.label.selection for explanation in negated for one in explanation.maps} == {"not-1", "not-3-owl"}
    assert all(one.sign == -1 and one.signed for explanation in negated for one in explanation.maps)
    assert [p.index for p in negated[0].predictions] == [p.index for p in plain[0].predictions]


def test_against_is_the_difference_of_two_maps_that_are_linear_in_the_scores():
    model = seeded(Residual())
    every = list(explainer(model, BOTH, ("all",))(THREE))
    found = list(explainer(model, BOTH, ("cat", "dog", "not:dog", "owl"), against="owl")(THREE))
    for plain, explanation in zip(every, found, strict=True):
        of = {(one.method, one.layers, one.target.index): one.raw for one in plain.maps}
        assert [one.label.selection for one in explanation.maps] == ["0-cat", "1-dog", "not-1-dog"] * 3
        for one in explanation.maps:
            column = one.method, one.layers
            expected = one.sign * (of[*column, one.target.index] - of[*column, 3])
            np.testing.assert_allclose(one.raw, expected, atol=1e-5 * abs(of[*column, 3]).max())
            assert (one.against.name, one.signed) == ("owl", True)


def test_against_the_runner_up_of_each_image():
    (one,) = explainer(seeded(Residual()), classes=("top", "top2"), against="second")(THREE[:1])
    best, second = one.predictions[:2]
    assert [(each.target, each.against) for each in one.maps] == [(best, second)], "no class against itself"
    (none,) = explainer(seeded(Residual()), classes=("owl",), against="owl")(THREE[:1])
    assert (none.maps, none.flags) == ((), ("no_class",))


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("against", [None, "owl"])
def test_the_probability_is_differentiated_on_request(activation, against):
    model = seeded(Residual())
    more = {"against": against} if against else {}
    run = explainer(model, classes=("cat",), reading=Reading(LABELS, activation), score="probability", **more)
    for shown, found in zip(THREE, run(THREE), strict=True):
        kept: list[torch.Tensor] = []

        def keep(module, inputs, output, kept=kept):
            kept.append(output)
            return output.clone()  # a ReLU in place follows

        hook = model.last.register_forward_hook(keep)
        scores = model(shown.tensor[None])
        hook.remove()
        probabilities = scores.softmax(1) if activation == "softmax" else scores.sigmoid()
        target = probabilities[0, 0] - (probabilities[0, 3] if against else 0)
        (gradient,) = torch.autograd.grad(target, kept[0])
        expected = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1)[0].detach().numpy()
        np.testing.assert_allclose(found.maps[0].raw, expected, rtol=1e-3, atol=1e-5 * abs(expected).max())


def truths(*indices: int | None) -> TrueClasses:
    """Of images that are called 0, 1, 2 …"""
    called = {(str(index),): index for index in indices if index is not None}
    return TrueClasses(
        lambda id, path: () if indices[int(id)] is None else (str(indices[int(id)]),), {(): None, **called}, 0
    )


def test_the_truth_of_each_image_and_only_some():
    model = seeded(Residual())
    best = [one.predictions[0].index for one in explainer(model)(THREE)]
    known = truths(best[0], (best[1] + 1) % 4, None)
    right, wrong, unknown = explainer(model, classes=("top", "truth"), truths=known)(THREE)
    assert (right.truth, right.correct, right.flags) == (right.predictions[0], True, ())
    assert (wrong.truth.index, wrong.correct, wrong.flags) == ((best[1] + 1) % 4, False, ())
    assert (unknown.truth, unknown.correct, unknown.flags) == (None, None, ("no_truth",))
    assert [[one.label.selection for one in found.maps] for found in (right, wrong, unknown)] == [
        ["1", "truth"], ["1", "truth"], ["1"],
    ]  # fmt: skip
    np.testing.assert_array_equal(*raws([right]))
    assert [one.target.index for one in wrong.maps] == [best[1], (best[1] + 1) % 4]

    for only, kept, answer in (("wrong", wrong, (True, None)), ("right", right, (False, None))):
        found = list(explainer(model, classes=("top", "truth"), truths=known, only=only)(THREE))
        (shown,) = [one for one in found if not isinstance(one, LeftOut)]
        assert shown.item == kept.item
        np.testing.assert_allclose(raws([shown]), raws([kept]), atol=1e-6)
        assert tuple(one.correct for one in found if isinstance(one, LeftOut)) == answer


def test_scores_that_are_not_finite_are_never_left_out():
    model = seeded(Residual())
    with torch.no_grad():
        model.fc.bias.fill_(float("nan"))
    for only in ("right", "wrong"):
        (one,) = explainer(model, min_prob=None, truths=truths(0), only=only)(THREE[:1])
        assert (one.correct, one.flags) == (None, ("scores_not_finite",))


def test_one_question_is_asked_once(monkeypatch):
    model = seeded(Residual())
    (best,) = explainer(model)(THREE[:1])
    asked = []
    mapped = GradCam.map
    monkeypatch.setattr(GradCam, "map", lambda *given: asked.append(1) or mapped(*given))
    known = truths(best.predictions[0].index)
    (one,) = explainer(model, classes=("top", "truth", best.predictions[0].name), truths=known)(THREE[:1])
    assert (len(one.maps), len(asked)) == (3, 1)


@pytest.mark.parametrize(
    "method", [ScoreCam(), Rise(masks=20), Occlusion(), AblationCam()], ids=lambda one: type(one).__name__
)
def test_masked_images_are_run_once_for_all_classes(method, monkeypatch):
    model = seeded(Residual())
    ((layer,),) = survey(model, 16).choose("last")
    column = Column("m", method, (layer,) if Needs.ACTIVATIONS in method.needs else (), "last")
    many = replace(explainer(model, (), ("all",)), columns=(column,))
    alone = [
        replace(many, selections=parse_selections((str(index),), LABELS.find, Reading(LABELS))) for index in range(4)
    ]
    passes = []
    in_passes = Forward.in_passes
    monkeypatch.setattr(Forward, "in_passes", lambda self, *given: passes.append(1) or in_passes(self, *given))
    pictures = THREE[:2]
    together = list(many(pictures))
    assert len(passes) == len(pictures)
    for index, run in enumerate(alone):
        for one, other in zip(together, run(pictures), strict=True):
            np.testing.assert_allclose(one.maps[index].raw, other.maps[0].raw, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("decision", "predicted"), [(0.0, "positive"), (1.0, "negative")])
def test_a_single_logit_explains_its_positive_class(decision, predicted):
    model = seeded(OneLogit())
    reading = Reading(Labels(("negative", "positive")), "sigmoid", decision)
    (one,) = explainer(model, classes=("top", "top1", "negative"), reading=reading, truths=truths(1))(THREE[:1])
    assert [each.target.name for each in one.maps] == ["positive", predicted, "negative"]
    assert (one.predictions[0].name, one.correct) == (predicted, predicted == "positive")
    assert sum(each.probability for each in one.predictions) == pytest.approx(1)
    np.testing.assert_array_equal(one.maps[2].raw, -one.maps[0].raw)
