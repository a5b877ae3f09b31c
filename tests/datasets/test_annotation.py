"""XML that nobody vouches for."""

import time

import pytest

from cam_cli.datasets.annotation import kind_of, read_annotation
from cam_cli.errors import DatasetUnreadable

from .samples import drawn, text, xml

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    + "]><annotation><filename>&l11;</filename></annotation>"
)


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><annotation><filename>&x;</filename></annotation>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><annotation/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file://{secret}">%p;]><annotation/>',
        "<!DOCTYPE annotation><annotation/>",
    ],
)
def test_a_document_type_is_refused_before_it_does_anything(tmp_path, content):
    secret = text(tmp_path / "secret.txt", "hunter2")
    file = text(tmp_path / "a.xml", content.replace("{secret}", str(secret)))
    started = time.perf_counter()
    with pytest.raises(DatasetUnreadable, match=r"a\.xml: it has a document type \(DOCTYPE\)") as raised:
        read_annotation(str(file))
    assert "hunter2" not in raised.value.message
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no element found"),
        (b"<annotation><object>", "no element found"),
        (b"<annotation></object>", "mismatched tag"),
        (b"<annotation>&lol;</annotation>", "undefined entity"),
        (b"<annotation>\xff\xfe</annotation>", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "encoding"),
        (b'<?xml version="1.0" encoding="gbk"?><annotation/>', "encoding"),
        (b"<html></html>", "its root is <html>"),
        (b"<annotation>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</annotation>", "nested more than 32 deep"),
    ],
)
def test_what_is_not_an_annotation_says_so(tmp_path, content, says):
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(DatasetUnreadable, match=says) as raised:
        read_annotation(str(tmp_path / "a.xml"))
    assert raised.value.message.startswith(f"{tmp_path / 'a.xml'}: ")
    assert kind_of(str(tmp_path)) == "torn"


@pytest.mark.parametrize(
    ("one", "says"),
    [
        ("<object><bndbox/></object>", "object 2: it has no name"),
        ("<object><name> </name></object>", "object 2: it has no name"),
        ("<object><name>dog</name><bndbox/></object>", "object 2: xmin is ''; a number is wanted"),
        (drawn("dog", 1, "two", 3, 4), "object 2: ymin is 'two'; a number is wanted"),
        (drawn("dog", 1, 2, "nan", 4), "object 2: xmax is 'nan'"),
        (drawn("dog", 1, 2, 3, "1e999"), "object 2: ymax is '1e999'"),
        (drawn("dog", 1, 2, 3, "1_0"), "object 2: ymax is '1_0'"),
    ],
)
def test_a_torn_object_is_told_by_its_number(tmp_path, one, says):
    file = xml(tmp_path / "a.xml", drawn("cat", 1, 2, 3, 4), one)
    with pytest.raises(DatasetUnreadable, match=says):
        read_annotation(str(file))


def test_a_side_that_is_no_number(tmp_path):
    with pytest.raises(DatasetUnreadable, match=r"a\.xml: width is '12\.5'; a whole number"):
        read_annotation(str(xml(tmp_path / "a.xml", size=("12.5", 3))))


def test_parts_of_an_object_are_no_objects_and_texts_are_stripped(tmp_path):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    one = drawn(" dog ", " 1 ", 2.0, "3.", "+4").replace("</object>", f"{part}</object>")
    found = read_annotation(str(xml(tmp_path / "a.xml", one, size=("40.0", " 30 "))))
    assert [(one.label, one.corners, one.difficult) for one in found.drawn] == [("dog", (1, 2, 3, 4), False)]
    assert found.size == (40, 30)


def test_whose_conventions(tmp_path):
    xml(tmp_path / "voc/a.xml", drawn("dog", 1, 2, 3, 4), source="The VOC2007 Database")
    xml(tmp_path / "wnids/a.xml", drawn("n02123045", 1, 2, 3, 4), source="mine")
    xml(tmp_path / "empty/deep/a.xml", source="ILSVRC_2012")
    (tmp_path / "none").mkdir()
    kinds = [kind_of(str(tmp_path / name)) for name in ("voc", "wnids", "empty", "none", "gone")]
    assert kinds == ["voc", "ilsvrc", "ilsvrc", "", ""]
    assert kind_of(str(tmp_path / "empty"), deep=False) == ""
