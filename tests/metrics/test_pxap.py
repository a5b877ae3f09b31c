"""PxAP against wsolevaluation: the cases of its unit tests, and its steps one by one."""

import cv2
import numpy as np
import pytest

from cam_cli.metrics import wsol
from cam_cli.metrics.pxap import EDGES, counted, text

from . import kit
from .made import CLASSES, cropped, found, metric, rows_of, squash, truth, value, values

SQUARE = squash(224, 224, 224)
LABELS = truth((0, 0, 1, 1))


def mask_of(inside: int, outside: int) -> np.ndarray:
    """224 × 224 of which so many pixels are inside, so many outside, and the rest ignored."""
    flat = np.full(224 * 224, 255, np.uint8)
    flat[:inside], flat[inside : inside + outside] = 1, 0
    return flat.reshape(224, 224)


@pytest.mark.parametrize(("inside", "outside"), [(43031, 7145), (833, 49342), (347, 13909)])
def test_perfect_maps_have_1_whatever_is_ignored(inside, outside):
    mask = mask_of(inside, outside)
    for ignored in (0.0, 1.0):
        scores = np.where(mask == 255, ignored, mask).astype(np.float32)
        assert value("pxap", (found(scores, SQUARE, masks={"cat": mask}), LABELS)) == 1.0


@pytest.mark.parametrize(("inside", "outside"), [(43031, 7145), (833, 49342), (347, 13909)])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_constant_maps_have_the_share_inside(inside, outside, level, monkeypatch):
    """The kit's test gives scores, not raw maps, which would be made zero: so these are put in their place."""
    monkeypatch.setattr(wsol, "normalised", lambda values: values)
    scores = np.full((224, 224), level, np.float32)
    case = found(scores, SQUARE, masks={"cat": mask_of(inside, outside)}), LABELS
    assert value("pxap", case) == pytest.approx(inside / (inside + outside), abs=1e-12)


def test_without_a_pixel_inside_there_is_no_number_and_why():
    rows = rows_of("pxap", [(found(np.eye(3, dtype=np.float32), SQUARE, masks={"cat": mask_of(0, 99)}), LABELS)])
    number = values("pxap", rows)["pxap"]
    assert np.isnan(number.values[0])
    assert number.n == 1
    assert "no pixel is inside" in number.computed_with["undefined"]
    assert metric("pxap").curves(rows) == {}
    assert metric("pxap").cells(rows[0]) == {}


def cases(seed: int, count: int = 4) -> list:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        blobs = cv2.resize(rng.random((6, 5)), tuple(rng.integers(20, 300, 2).tolist()))
        mask = np.where(blobs > 0.6, 1, np.where(blobs > 0.5, 255, 0)).astype(np.uint8)
        raw = rng.normal(size=(7, 7)) + 3 * cv2.resize(blobs, (7, 7))
        made.append((found(raw.astype(np.float32), squash(90, 70), masks={"cat": mask}), LABELS))
    return made


@pytest.mark.parametrize("seed", range(5))
def test_pooled_over_images_it_is_the_kits(seed):
    pairs = [
        (kit.score_map(one.maps["cat"]), cv2.resize(one.masks["cat"], (224, 224), interpolation=cv2.INTER_NEAREST))
        for one, _ in cases(seed)
    ]
    ours = value("pxap", *cases(seed))
    assert ours == pytest.approx(kit.pixel_ap(pairs), rel=1e-14, abs=0)
    each = np.mean([kit.pixel_ap([pair]) for pair in pairs])
    assert abs(ours - each) > 1e-3, "not the mean over images"


def by_counting(scores: np.ndarray, mask: np.ndarray) -> float:
    """Of a score map whose values are all thresholds: precision and recall at each value, by comparing pixels."""
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(scores.ravel()), reverse=True):
        reached = scores >= threshold
        true, false = (reached & (mask == 1)).sum(), (reached & (mask == 0)).sum()
        recall = true / (mask == 1).sum()
        area += (recall - recall_before) * (true / (true + false) if true + false else 0)
        recall_before = recall
    return area


def test_a_value_at_the_threshold_counts(monkeypatch):
    monkeypatch.setattr(wsol, "normalised", lambda values: values)
    rng = np.random.default_rng(0)
    scores = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], (224, 224))
    mask = rng.choice(np.array([0, 1, 255], np.uint8), (224, 224))
    assert value("pxap", (found(scores.astype(np.float32), SQUARE, masks={"cat": mask}), LABELS)) == pytest.approx(
        by_counting(scores, mask), rel=1e-12
    )


def test_a_missing_map_is_zero_everywhere_and_each_class_has_its_own():
    mask = mask_of(100, 300)
    assert value("pxap", (found({}, SQUARE, masks={"cat": mask}), LABELS)) == 0.25
    row = metric("pxap").row(found({"dog": mask.astype(np.float32)}, SQUARE, masks={"cat": mask, "dog": mask}), LABELS)
    assert row["labels"] == ["cat", "dog"]
    assert row["inside"][0] != row["inside"][1]
    assert metric("pxap").row(found({"cat": mask.astype(np.float32)}, SQUARE), LABELS) is None, "no mask"


def test_histograms_are_kept_whole():
    rng = np.random.default_rng(1)
    counts = rng.multinomial(224 * 224, rng.dirichlet(np.full(1002, 0.05)))
    assert counts.max() > 255
    np.testing.assert_array_equal(counted(text(counts)), counts)
    np.testing.assert_array_equal(
        counted(text(np.eye(1, 1002, 3, dtype=int)[0] * 50176)), np.eye(1, 1002, 3)[0] * 50176
    )
    assert EDGES[[0, 1, 999, 1000, 1001, 1002]].tolist() == [0, 0.001, 0.999, 1, 2, 3]


def test_the_curve_goes_from_the_highest_threshold_to_all_pixels():
    rows = rows_of("pxap", cases(3))
    curve = metric("pxap").curves(rows)["pxap"]
    masks = [cv2.resize(one.masks["cat"], (224, 224), interpolation=cv2.INTER_NEAREST) for one, _ in cases(3)]
    inside = sum((mask == 1).sum() for mask in masks)
    assert curve.x[-1] == 1
    assert curve.y[-1] == inside / (inside + sum((mask == 0).sum() for mask in masks))
    assert metric("pxap").cells(rows[0])["pxap"] == pytest.approx(value("pxap", cases(3)[0]), rel=1e-12)


def test_what_was_not_seen_is_the_lowest():
    """All of the object lies in what a crop shows: the rest of the picture is reached by the lowest threshold only."""
    geometry = cropped(40, 20)
    mask = np.zeros((20, 40), np.uint8)
    mask[:, 14:26] = 1
    raw = np.linspace(1, 2, 64, dtype=np.float32).reshape(8, 8)
    row = metric("pxap").row(found(raw, geometry, masks={"cat": mask}), LABELS)
    assert row["placed"]
    assert counted(row["outside"][0])[0] > 224 * 224 / 2
    assert CLASSES[2] == "cat"
