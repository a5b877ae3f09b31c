"""Class names from a person's own file."""

import pytest

from cam_cli.errors import InputMissing, LabelsUnreadable
from cam_cli.models.labelfile import read_labels
from cam_cli.models.labels import names_in


@pytest.mark.parametrize(
    ("name", "text", "names", "wnids"),
    [
        ("x.txt", "cat\ndog\r\n red fox \n\n", ("cat", "dog", "red fox"), None),
        ("x.names", "\ufeffcat\ndog", ("cat", "dog"), None),
        ("x.json", '["cat", "dog"]', ("cat", "dog"), None),
        ("x.json", '{"1": "dog", "0": "cat"}', ("cat", "dog"), None),
        ("x.json", '{"dog": 1, "cat": 0}', ("cat", "dog"), None),
        ("x.csv", 'index,name\n1,dog\n0,"cat, tabby"\n', ("cat, tabby", "dog"), None),
        ("x.CSV", "name,index,wnid\ndog,1,n2\ncat,0,n1\n", ("cat", "dog"), ("n1", "n2")),
        ("x.csv", "index,name,wnid\n0,cat,n1\n1,dog,\n", ("cat", "dog"), None),
    ],
)
def test_files_that_are_read(tmp_path, name, text, names, wnids):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    labels = read_labels(str(tmp_path / name))
    assert (labels.names, labels.wnids) == (names, wnids)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", b""),
        ("x.txt", b"cat\n\ndog"),
        ("x.txt", b"\xff\xfe\x00"),
        ("x.json", b"["),
        ("x.json", b"[" * 100_000),
        ("x.json", b"[1, 2]"),
        ("x.json", b'{"0": "cat", "2": "dog"}'),
        ("x.json", b'{"cat": 0, "dog": 0}'),
        ("x.json", b'"cat"'),
        ("x.csv", b"name\ncat\n"),
        ("x.csv", b"index,name\n0,cat\n0,dog\n"),
        ("x.csv", b"index,name\n0,cat\n2,dog\n"),
        ("x.csv", b"index,name\nzero,cat\n"),
        ("x.csv", b"index,name\n0\n"),
    ],
)
def test_files_that_are_not(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelsUnreadable, match=name) as caught:
        read_labels(str(tmp_path / name))
    assert caught.value.exit_code == 3


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputMissing, match="no labels at"):
        read_labels(str(tmp_path / "x.txt"))
    with pytest.raises(LabelsUnreadable):
        read_labels(str(tmp_path))


@pytest.mark.parametrize(
    "value", [None, 3, "cat", [], {}, ["cat", 3], {"cat": 1}, {0: 1}, {"a": "b"}, {"0": "a", 0: "b"}]
)
def test_what_holds_no_names(value):
    assert names_in(value) is None
