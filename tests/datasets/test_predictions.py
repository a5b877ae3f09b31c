"""A table of what a model said."""

from math import isnan, nan

import pytest

from cam_cli.datasets.predictions import Said, read_predictions
from cam_cli.errors import DatasetUnreadable, InputMissing

LABELS = ("red", "green", "blue", "a;b")


@pytest.fixture
def read(tmp_path):
    def read(*lines: str, labels=LABELS):
        (tmp_path / "said.csv").write_text("\n".join(lines), encoding="utf-8")
        return read_predictions(str(tmp_path / "said.csv"), labels)

    return read


def test_predictions_best_first(read):
    found = read("predictions,path", "red; blue ;;other,a.jpg", ",b.jpg", '"green",c.jpg')
    assert found.classes is None
    assert found.said == {
        "a.jpg": Said(("red", "blue", "other"), None),
        "b.jpg": Said((), None),
        "c.jpg": Said(("green",), None),
    }


def test_a_column_a_class(read):
    """Ranked by them, the first of equal ones first; at most five."""
    found = read("path,green,red,blue,more", "a,0.25,0.5,0.25,9", "b,1e-3,0,1,9")
    assert found.classes == ("red", "green", "blue")  # in the order of the data
    assert found.said["a"] == Said(("red", "green", "blue"), {"red": 0.5, "green": 0.25, "blue": 0.25})
    assert found.said["b"].predictions == ("blue", "green", "red")
    many = [str(number) for number in range(9)]
    line = ",".join(f"0.{number}" for number in range(9))
    assert read(f"path,{','.join(many)}", f"a,{line}", labels=many).said["a"].predictions == ("8", "7", "6", "5", "4")


def test_both(read):
    found = read("path,predictions,red,blue", "a,other;red,0.5,0.25")
    assert found.classes == ("red", "blue")
    assert found.said["a"] == Said(("other", "red"), {"red": 0.5, "blue": 0.25})


def test_an_empty_cell_is_no_number(read):
    (one,) = read("path,red,blue", "a,,0.25").said.values()
    assert one.predictions == ("blue",)
    assert isnan(one.probabilities["red"])
    assert read("path,predictions,red", "a,, ").said["a"].predictions == ()
    assert nan is not None


@pytest.mark.parametrize("column", ["path", "id", "image", "file"])
@pytest.mark.parametrize("ranked", ["predictions", "prediction", "predicted"])
def test_what_columns_may_be_called(read, column, ranked):
    assert read(f"{column},{ranked}", "a,red").said == {"a": Said(("red",), None)}


def test_the_true_class_is_no_prediction(read):
    """`class` is what datasets call the truth, and `per_image.csv` has both."""
    with pytest.raises(DatasetUnreadable, match=r"the first row must name .*columns found: path, class\)"):
        read("path,class", "a,red")
    assert read("id,run,class,predicted", "a,x,red,blue").said["a"].predictions == ("blue",)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            (),
            r"said.csv: the first row must name a column path, and predictions or the classes \(columns found: none\)",
        ),
        (("red,blue", "1,2"), "the first row must name a column path"),
        (("path,purple", "a,1"), r"\(columns found: path, purple\)"),
        (("path,predictions", "a,red,blue"), "said.csv, row 2: not as many cells as the header has"),
        (("path,predictions", "b,red", "a"), "said.csv, row 3: not as many cells as the header has"),
        (("path,predictions", "a,red", "b,red", "a,blue"), "said.csv, row 4: a stands there twice"),
        (("path,predictions", 'a,"red'), "said.csv, row 2: "),
        (("path,red", "a,x"), "said.csv, row 2: red is 'x', not a number"),
        (("path,red", "a,1", "b,nan"), "said.csv, row 3: red is 'nan', not a number"),
        (("path,red", "a,inf"), "said.csv, row 2: red is 'inf', not a number"),
        (
            ("path,predictions", "a,rde", "b,n02"),
            r"none of the classes it predicts \(rde, …\) is one of the data; did you mean red\?",
        ),
    ],
)
def test_what_is_no_such_table(read, lines, told):
    with pytest.raises(DatasetUnreadable, match=told):
        read(*lines)


def test_one_known_class_will_do(read):
    assert len(read("path,predictions", "a,purple", "b,violet;blue").said) == 2
    assert read("path,predictions").said == {}
    assert read("path,predictions", "a,").said["a"].predictions == ()


def test_no_such_file(tmp_path):
    for name in ("none.csv", "."):
        with pytest.raises(InputMissing, match="no such file; check the path"):
            read_predictions(str(tmp_path / name), LABELS)


def test_names_that_are_not_utf_8(tmp_path):
    (tmp_path / "said.csv").write_bytes(b"path,predictions\nb\xe9.jpg,red\n")
    assert list(read_predictions(str(tmp_path / "said.csv"), LABELS).said) == ["b\udce9.jpg"]
