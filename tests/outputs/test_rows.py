"""`rows.jsonl`: what is kept of each image comes back, and a torn end is no row."""

import json

import pytest

from cam_cli.errors import OutputFailed, ReportUnreadable
from cam_cli.outputs.rows import ROWS, SCHEMA, RowBook, read_rows

ONE = {"id": "a é \U0001f600", "runs": {"cam": {"rows": {"corloc": None}}}, "x": 1 / 3, "labels": []}


@pytest.fixture
def written(tmp_path):
    with RowBook(tmp_path) as book:
        book.add(ONE)
        book.add({"id": "b\udcff"})  # a file name that is not UTF-8
    return tmp_path / ROWS


def test_rows_come_back_as_they_went(written):
    assert list(read_rows(written.parent)) == [{"schema": SCHEMA, **ONE}, {"schema": SCHEMA, "id": "b\udcff"}]
    assert list(json.loads(written.read_bytes().splitlines()[0])) == ["schema", *ONE]


def test_every_row_is_on_disk_at_once(tmp_path):
    with RowBook(tmp_path) as book:
        book.add(ONE)
        assert len(list(read_rows(tmp_path))) == 1
        book.add(ONE)
        assert len(list(read_rows(str(tmp_path)))) == 2


def test_an_earlier_runs_rows_go(written):
    with RowBook(written.parent):
        pass
    assert written.read_bytes() == b""
    assert list(read_rows(written.parent)) == []


def test_a_torn_last_line_is_left_out(written):
    whole = written.read_bytes()
    for end in range(whole.index(b"\n") + 1, len(whole)):
        written.write_bytes(whole[:end])
        assert [row["id"] for row in read_rows(written.parent)] == [ONE["id"]]


@pytest.mark.parametrize("line", ["{}", "[]", "1", "{", "", '{"schema": "camtool.row/2"}', "[" * 100000, "\x00"])
def test_what_is_no_row(written, line):
    with written.open("a") as file:
        file.write(line + "\n")
    rows = read_rows(written.parent)
    assert [next(rows)["id"], next(rows)["id"]] == [ONE["id"], "b\udcff"]
    with pytest.raises(ReportUnreadable, match=r"rows.jsonl, row 3: not a row of `camtool evaluate`; run it again"):
        next(rows)


def test_no_rows_at_all(tmp_path):
    with pytest.raises(ReportUnreadable, match=r"rows.jsonl: No such file or directory; name the output folder"):
        list(read_rows(tmp_path))


def test_no_number_that_json_does_not_have(tmp_path):
    with RowBook(tmp_path) as book, pytest.raises(ValueError, match="JSON"):
        book.add({"x": float("nan")})


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(OutputFailed, match=r"cannot write .*none"):
        RowBook(tmp_path / "none")
    (tmp_path / ROWS).symlink_to("/dev/full")
    with RowBook(tmp_path) as book, pytest.raises(OutputFailed, match=rf"cannot write .*{ROWS}: No space left"):
        book.add(ONE)
