"""A batch against one by one, targets that differ in number, identities between methods."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cam_cli.engine.answers import Reading
from cam_cli.engine.explain import Column, Explainer
from cam_cli.engine.selection import parse_against, parse_selections
from cam_cli.methods.cam import Cam
from cam_cli.methods.gradcam import GradCam
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.types import Failure, Geometry, ImageItem, Picture
from tests.nets import Residual, seeded

LABELS = Labels(("cat", "dog", "red fox", "owl"), None)


def picture(name: str, side: int = 16, seed: int = 0) -> Picture:
    tensor = torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed))
    geometry = Geometry(side, side, side, side, (1.0, 1.0), (0.0, 0.0), "squash")
    return Picture(ImageItem(name, name, name), np.zeros((side, side, 3), np.uint8), tensor, geometry)


def explainer(
    model, columns=("gradcam@last",), classes=("top",), min_prob=0.0, labels=LABELS, reading=None, **more
) -> Explainer:
    seen, head = survey(model, 16), find_head(model, 16)
    made = []
    for column in columns:
        name, _, layer = column.partition("@")
        (group,) = seen.choose(layer)
        made.append(Column(name, {"cam": Cam(), "gradcam": GradCam()}[name], group, layer))
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
