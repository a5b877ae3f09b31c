"""Which classes the words mean, what their files are called, and when an answer is right."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.engine.answers import Answers, Reading
from cam_cli.engine.selection import parse_against, parse_selections, several
from cam_cli.errors import ClassUnknown, UsageError
from cam_cli.models.labels import Labels

LABELS = Labels(("cat", "dog", "red fox", "truth"))
FOUR = Reading(LABELS)
ONE_LOGIT = Reading(Labels(("negative", "positive")), "sigmoid")


def parts(
    text: str, ranking: list[int], truths: tuple[int, ...] = (2,), reading: Reading = FOUR
) -> list[tuple[int, str]]:
    (selection,) = parse_selections((text,), reading.labels.find, reading)
    return list(selection.choose(lambda count: ranking[:count], reading.labels.names, truths))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("top", ["1"]),
        ("TOP3", ["1", "2", "3"]),
        ("top99", ["1", "2", "3", "4"]),
        ("red fox", ["2-red-fox"]),
        ("index:1", ["1-dog"]),
        ("all", ["0-cat", "1-dog", "2-red-fox", "3-truth"]),
        ("truth", ["truth"]),
        ("name:truth", ["3-truth"]),
        ("not:top2", ["not-1", "not-2"]),
        ("not:red fox", ["not-2-red-fox"]),
        ("NOT:Truth", ["not-truth"]),
    ],
)
def test_name_parts_are_of_the_options_not_of_the_scores(text, names):
    for ranking in ([0, 1, 2, 3], [3, 2, 1, 0]):
        assert [part for _, part in parts(text, ranking)] == names


def test_what_the_words_choose():
    assert parts("top2", [3, 1, 0, 2]) == [(3, "1"), (1, "2")]
    assert parts("truth", [3, 1, 0, 2]) == [(2, "truth")]
    assert parts("truth", [3, 1, 0, 2], truths=()) == []
    assert parts("truth", [3, 1, 0, 2], truths=(2, 0)) == [(2, "truth-2"), (0, "truth-0")]
    both = parse_selections(("dog", "not:dog", "dog"), LABELS.find, FOUR)
    assert [(one.indices, one.sign) for one in both] == [((1,), 1), ((1,), -1)]


def test_the_top_of_a_single_logit_is_positive_and_top1_its_answer():
    for ranking in ([0, 1], [1, 0]):
        assert parts("top", ranking, reading=ONE_LOGIT) == [(1, "1-positive")]
        assert parts("not:top", ranking, reading=ONE_LOGIT) == [(1, "not-1-positive")]
        assert parts("negative", ranking, reading=ONE_LOGIT) == [(0, "0-negative")]
        assert parts("top1", ranking, reading=ONE_LOGIT) == [(ranking[0], "1")]


@pytest.mark.parametrize(("text", "ranking", "index"), [("second", [3, 1, 0, 2], 1), ("top", [3, 1, 0, 2], 3)])
def test_against_by_rank(text, ranking, index):
    chosen = parse_against(text, LABELS.find, FOUR).choose(lambda count: ranking[:count], LABELS.names)
    assert [one for one, _ in chosen] == [index]


@pytest.mark.parametrize("text", ["top2", "all", "not:cat"])
def test_against_is_one_class(text):
    with pytest.raises(UsageError, match="one class"):
        parse_against(text, LABELS.find, FOUR)


def test_what_cannot_be_selected_is_said():
    with pytest.raises(UsageError, match="nothing"):
        parse_selections(("top0",), LABELS.find, FOUR)
    with pytest.raises(ClassUnknown, match="'not:cat'"):
        parse_selections(("not:not:cat",), LABELS.find, FOUR)


def test_several_is_of_the_options():
    for texts, many in ((("top",), False), (("top2",), True), (("truth",), False), (("top", "truth"), True)):
        assert several(parse_selections(texts, LABELS.find, FOUR)) is many


def answers(reading: Reading, *logits: float) -> Answers:
    (found,) = Answers.of(reading, torch.tensor([logits]))
    return found


def test_right_is_the_best_of_classes_that_compete():
    found = answers(FOUR, 1.0, 3.0, 2.0, 0.0)
    assert [found.right(truths) for truths in ((0,), (1,), (2, 1), ())] == [False, True, True, None]
    assert answers(FOUR, float("nan"), 3.0, 2.0, 0.0).right((1,)) is None


def test_the_best_keep_the_order_of_equal_scores_and_nan_is_last():
    found = answers(FOUR, 1.0, float("nan"), 2.0, 1.0)
    assert [found.best(count) for count in (1, 2, 3, 4, 9)] == [[2], [2, 0], [2, 0, 3], *2 * [[2, 0, 3, 1]]]


@given(st.lists(st.sampled_from((-math.inf, -1.0, -0.0, 0.0, 2.0, math.inf, math.nan)), min_size=1, max_size=12))
def test_the_best_are_the_first_of_all_in_order(scores):
    reading = Reading(Labels(tuple(map(str, range(len(scores))))))
    nans = [index for index, one in enumerate(scores) if math.isnan(one)]
    whole = sorted(set(range(len(scores))) - set(nans), key=lambda index: -scores[index]) + nans
    found = answers(reading, *scores)
    assert all(found.best(count) == whole[:count] for count in range(1, len(scores) + 2))


@pytest.mark.parametrize(("decision", "best"), [(0.5, 0), (0.27, 0), (0.26, 1), (0.0, 1)])
def test_the_decision_makes_a_single_logits_answer(decision, best):
    found = answers(Reading(ONE_LOGIT.labels, "sigmoid", decision), 1.0, -1.0)  # positive: sigmoid(−1) = 0.269
    assert found.best(2) == [best, 1 - best]
    assert (found.right((best,)), found.right((1 - best,))) == (True, False)


@pytest.mark.parametrize(("decision", "right"), [(0.5, [True, True, False]), (0.8, [False, True, False])])
def test_several_labels_answer_for_themselves(decision, right):
    reading = Reading(Labels(("a", "b", "c")), "sigmoid", decision)
    found = answers(reading, 1.0, 3.0, -1.0)  # 0.73, 0.95, 0.27
    assert [found.right((truth,)) for truth in range(3)] == right
    assert found.right((0, 1, 2)) is all(right)
    assert found.best(3) == [1, 0, 2]
