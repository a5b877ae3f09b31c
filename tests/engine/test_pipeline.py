"""Order, batches by position, bounds, errors and stopping."""

import threading
import time

import pytest

from cam_cli.engine.pipeline import stream


def run(items, *, read=lambda item: item, explain=list, finish=lambda one: one, batch_size=4, workers=3, stop=None):
    return stream(
        items,
        read=read,
        explain=explain,
        finish=finish,
        batch_size=batch_size,
        workers=workers,
        stop=stop or threading.Event(),
    )


def test_order_is_the_listings_whatever_takes_how_long():
    def read(item):
        time.sleep(0.01 * (item % 3))
        return item * 10

    def finish(one):
        time.sleep(0.01 * (one // 10 % 2))
        return one + 1

    assert list(run(range(17), read=read, finish=finish)) == [item * 10 + 1 for item in range(17)]


def test_batches_are_cut_by_position():
    batches = []
    list(run(range(10), explain=lambda batch: batches.append(list(batch)) or batch))
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_what_is_in_flight_is_bounded():
    lock, inside, most = threading.Lock(), 0, 0

    def read(item):
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        return item

    def finish(one):
        nonlocal inside
        with lock:
            inside -= 1
        return one

    assert sum(1 for _ in run(range(400), read=read, finish=finish, batch_size=4)) == 400
    assert most <= 4 * 4, "two batches ahead, one in the model, one behind"


def test_the_listing_is_read_lazily():
    taken = []
    results = run((taken.append(item) or item for item in range(1000)), batch_size=2)
    next(results)
    assert len(taken) <= 8
    results.close()


@pytest.mark.parametrize("stage", ["read", "explain", "finish"])
def test_an_exception_of_any_stage_comes_out_and_leaves_no_thread(stage):
    def fail(one):
        raise ZeroDivisionError(stage)

    with pytest.raises(ZeroDivisionError, match=stage):
        list(run(range(9), **{stage: fail}))
    assert not [one for one in threading.enumerate() if one.name.startswith(("read", "finish"))]


def test_what_was_finished_beside_a_failure_is_not_lost():
    def finish(one):
        if one == 0:
            raise ZeroDivisionError
        return one

    found, results = [], run(range(9), finish=finish)
    with pytest.raises(ZeroDivisionError):
        found.extend(iter(lambda: next(results), None))
    assert found == [1, 2, 3]


def test_stopping_finishes_what_is_in_hand_and_reads_no_more():
    stop, explained = threading.Event(), []

    def explain(batch):
        explained.extend(batch)
        if len(explained) >= 8:
            stop.set()
        return batch

    assert list(run(range(100), explain=explain, stop=stop)) == explained == list(range(8))


def test_nothing_at_all():
    assert list(run([])) == []
