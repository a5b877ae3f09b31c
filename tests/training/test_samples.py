"""From truths to what is learnt, and the split that is drawn: by hand, and by what has to hold of any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cam_cli.errors import ClassUnknown, DatasetUnreadable, InputEmpty, UsageError
from cam_cli.training.samples import Samples, alike, check, choose_classes, single, telling
from cam_cli.training.splitting import drawn
from cam_cli.types import ImageItem, Object, Region, Truth


def truth(id, *labels, **more):
    return Truth(ImageItem(id, id, id), labels, **more)


def samples(*labels, classes=("a", "b", "c"), groups=None):
    """One image for each string of one-letter labels."""
    truths = [truth(str(number), *text) for number, text in enumerate(labels)]
    found = Samples.of(truths, classes)
    return found if groups is None else Samples(classes, found.items, found.present, found.known, tuple(groups))


def test_what_is_present_and_what_can_be_told():
    truths = [truth("x", "a", "b"), truth("y", uncertain=("b", "c")), truth("z", "c", "zebra", uncertain=("c", "a"))]
    found = Samples.of(truths, ("a", "b", "c"))
    assert found.present.tolist() == [[True, True, False], [False, False, False], [False, False, True]]
    assert found.known.tolist() == [[True, True, True], [True, False, False], [False, True, True]]
    assert found.counts() == {"a": 1, "b": 1, "c": 1}
    assert found.groups == ("x", "y", "z")


def test_a_part_of_them():
    found = samples("a", "b", "ab", groups=("p", "q", "p")).take([2, 0])
    assert [item.id for item in found.items] == ["2", "0"]
    assert found.present.tolist() == [[True, True, False], [True, False, False]]
    assert found.groups == ("p", "p")
    assert len(found.take([])) == 0


@pytest.mark.parametrize(
    ("one", "tells"),
    [
        (truth("x"), False),
        (truth("x", objects=()), True),
        (truth("x", "a"), True),
        (truth("x", uncertain=("a",)), True),
        (truth("x", regions=(Region("a", "m.png"),)), True),
        (truth("x", objects=(Object("a", (0, 0, 1, 1)),)), True),
    ],
)
def test_images_that_say_something(one, tells):
    assert telling([one]) == (([one], []) if tells else ([], [one]))


def test_classes_in_the_datas_order():
    assert choose_classes(("a", "b", "c"), ()) == ("a", "b", "c")
    assert choose_classes(("a", "b", "c"), ("c", "a")) == ("a", "c")
    with pytest.raises(ClassUnknown, match="no class 'cta'; did you mean cat"):
        choose_classes(("cat", "dog"), ("cta",))
    with pytest.raises(InputEmpty, match="no class at all"):
        choose_classes((), ())


@pytest.mark.parametrize(
    ("truths", "kind", "found"),
    [
        ([truth("x", "a"), truth("y", "b")], None, True),
        ([truth("x", "a"), truth("y", "b")], "multi", False),
        ([truth("x", "a", "b"), truth("y", "b")], None, False),
        ([truth("x", "a"), truth("y", objects=())], None, False),
        ([truth("x", "a"), truth("y", "b", uncertain=("a",))], None, False),
        ([truth("x", "a"), truth("y", "b", uncertain=("zebra",))], None, True),
        ([truth("x", "a"), truth("y", "b")], "single", True),
    ],
)
def test_whether_classes_compete(truths, kind, found):
    assert single(truths, ("a", "b"), kind) is found


def test_single_is_refused_where_it_is_not():
    with pytest.raises(UsageError, match=r"1 of 2 images do not show exactly one class \(the first: y: a, b\)"):
        single([truth("x", "a"), truth("y", "a", "b")], ("a", "b"), "single")
    with pytest.raises(UsageError, match=r"\(the first: y: none\)"):
        single([truth("x", "a"), truth("y", objects=())], ("a", "b"), "single")


def test_nothing_to_learn():
    with pytest.raises(DatasetUnreadable, match=r"shows 'c' \(in the images to choose by 1 do\)"):
        check(samples("a", "b"), samples("c"), False)
    one = samples("a", "a", classes=("a",))
    with pytest.raises(DatasetUnreadable, match="the only class"):
        check(one, one.take([]), False)
    some = samples("a", "", classes=("a",))
    assert check(some, some.take([]), False) == []
    with pytest.raises(DatasetUnreadable, match="the only class"):
        check(some, some.take([]), True)
    unsure = Samples.of([truth("x", "a"), truth("y", uncertain=("a",))], ("a",))
    with pytest.raises(DatasetUnreadable, match="the only class"):
        check(unsure, unsure.take([]), False)


def test_what_is_odd():
    assert check(samples("ab", "ac"), samples("b"), False) == [
        "every image to learn from shows 'a': what it is cannot be told from what it is not",
        "no image to choose by shows a, c: the mean average precision is without",
    ]
    assert alike(("cat", "Cat ", "dog")) == ["'cat' and 'Cat ' are different classes here; are they one?"]


# The split


def test_every_class_in_proportion():
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    learn, choose = drawn(samples(*labels), 0.2, seed=0)
    assert sorted(learn + choose) == list(range(100))
    assert [sum(labels[row] == name for row in choose) for name in "abc"] == [12, 6, 2]
    assert learn == sorted(learn)


def test_several_labels_an_image():
    draw = np.random.default_rng(0)
    labels = ["".join(np.array(list("abc"))[draw.random(3) < [0.6, 0.3, 0.1]]) for _ in range(400)]
    found = samples(*labels)
    _, choose = drawn(found, 0.25, seed=1)
    assert abs(len(choose) - 100) <= 8
    for part, whole in zip(found.take(choose).counts().values(), found.counts().values(), strict=True):
        assert abs(part - whole / 4) <= 2


def test_the_seed_decides():
    found = samples(*"abc" * 20)
    assert drawn(found, 0.2, 5) == drawn(found, 0.2, 5)
    assert drawn(found, 0.2, 5) != drawn(found, 0.2, 6)


def test_a_rare_class_is_learnt_first():
    learn, choose = drawn(samples(*(["a"] * 20 + ["c"])), 0.5, seed=0)
    assert 20 in learn
    assert len(choose) == 10


def test_groups_are_not_parted():
    groups = [str(row // 4) for row in range(80)]
    learn, choose = drawn(samples(*"abcb" * 20, groups=groups), 0.25, seed=3)
    assert not {groups[row] for row in learn} & {groups[row] for row in choose}
    assert len(choose) == 20


def test_nothing_is_left_to_choose_by():
    with pytest.raises(UsageError, match="in 1 groups is none"):
        drawn(samples(*"abc" * 3, groups=["x"] * 9), 0.3, seed=0)


@given(
    st.lists(st.sets(st.sampled_from("abc"), max_size=3), min_size=12, max_size=40),
    st.floats(0.1, 0.6),
    st.integers(0, 99),
)
@settings(max_examples=60)
def test_any_split(sets, part, seed):
    found = samples(*("".join(sorted(one)) for one in sets))
    try:
        learn, choose = drawn(found, part, seed)
    except UsageError:
        return
    assert sorted(learn + choose) == list(range(len(sets)))
    assert choose
    for label, count in found.counts().items():
        assert count == 0 or found.take(learn).counts()[label] > 0
