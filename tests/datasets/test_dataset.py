"""A dataset as a value."""

import pytest

from cam_cli.datasets.dataset import SHOWN, Dataset, Notes
from cam_cli.types import ImageItem, Truth


def dataset(*labels: tuple[str, ...], uncertain: tuple[str, ...] = ()) -> Dataset:
    truths = tuple(Truth(ImageItem(str(n), str(n), str(n)), one, None, uncertain) for n, one in enumerate(labels))
    return Dataset("csv", "t.csv", truths, {}, Notes())


def test_classes_in_the_order_of_their_numbers():
    assert dataset(("10",), ("9",), ("b2", "b10", "a"), ("9",)).classes == ("9", "10", "a", "b2", "b10")
    assert dataset(("dog",), uncertain=("cat",)).classes == ("cat", "dog")
    padded = tuple("0" * zeros + "7" for zeros in range(9))
    assert dataset(padded).classes == tuple(sorted(padded))  # the same number, so not as the set happens to have them


@pytest.mark.parametrize(
    ("labels", "uncertain", "several"),
    [([("a",), ("b",)], (), False), ([("a",), ()], (), True), ([("a", "b")], (), True), ([("a",)], ("b",), True)],
)
def test_whether_an_image_may_have_several_classes(labels, uncertain, several):
    assert dataset(*labels, uncertain=uncertain).several == several


def test_a_part_of_it_is_drawn_by_the_seed_and_keeps_its_order():
    whole = dataset(*[("a",)] * 50)
    ids = [one.item.id for one in whole.take(None, 20, 3).truths]
    assert ids == [one.item.id for one in whole.take(None, 20, 3).truths] == sorted(ids, key=int)
    assert ids != [one.item.id for one in whole.take(None, 20, 4).truths]
    assert [one.item.id for one in whole.take(5, 20, 3).truths] == ids[:5]
    assert len(whole.take(None, 99, 3).truths) == 50
    assert len(whole.take(7, None, 3).truths) == 7
    assert list(whole.take(2, None, 3).by_id) == ["0", "1"]


def test_notes_count_all_and_keep_some():
    notes = Notes()
    for number in range(SHOWN + 5):
        notes.add("odd", f"row {number}")
    assert notes.counts == {"odd": SHOWN + 5}
    assert notes.places["odd"] == [f"row {number}" for number in range(SHOWN)]
