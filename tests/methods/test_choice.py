"""`--method NAME:key=value`: read, checked, and told apart in names."""

import pytest

from cam_cli.errors import MethodUnknown, UsageError
from cam_cli.methods import METHODS
from cam_cli.methods.choice import Choice
from cam_cli.methods.fem import Fem
from cam_cli.methods.rise import Rise


@pytest.mark.parametrize(
    ("text", "title", "method"),
    [
        ("rise", "rise", Rise()),
        ("RISE", "rise", Rise()),
        ("rise:masks=500", "rise:masks=500", Rise(masks=500)),
        ("rise: keep = .25 , masks=0500", "rise:masks=500,keep=0.25", Rise(masks=500, keep=0.25)),
        ("fem:sigmas=1", "fem:sigmas=1.0", Fem(sigmas=1.0)),
    ],
)
def test_read(text, title, method):
    assert Choice.parse(text).load() == (title, method)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rise:", "stand as rise:key=value"),
        ("rise:masks", "stand as rise:key=value"),
        ("rise:masks=", "stand as rise:key=value"),
        ("rise:masks=5,", "stand as rise:key=value"),
        ("rise:masks=5,masks=6", "masks is given twice"),
        ("rise:mask=5", "no parameter 'mask'; did you mean masks.*has: masks=4000, cells=7, keep=0.5"),
        ("gradcam:masks=5", "has: none"),
        ("rise:masks=five", "masks takes a whole number from 1 to 1e.06, not 'five'"),
        ("rise:masks=2.5", "whole number"),
        ("rise:masks=0", "from 1 to"),
        ("rise:keep=1.5", "a number from 0.001 to 1, not '1.5'"),
        ("rise:keep=nan", "not 'nan'"),
        ("fem:sigmas=inf", "sigmas takes a number, not 'inf'"),
    ],
)
def test_refused(text, says):
    with pytest.raises(UsageError, match=says):
        Choice.parse(text).load()


def test_an_unknown_name_is_the_registrys_error():
    with pytest.raises(MethodUnknown, match="no method is called 'rice'; did you mean rise"):
        Choice.parse("rice:masks=5")


def test_every_parameter_has_a_default_of_a_kind_that_can_be_typed():
    from dataclasses import fields

    for name in METHODS:
        for one in fields(METHODS.load(name)):
            assert type(one.default) in (int, float), (name, one.name)


def test_files_and_records_tell_parameters_apart(camtool, photo):
    photo("a.png", 40, 30)
    ran = camtool(
        "explain", "a.png", "--method", "rise:masks=2", "--method", "rise:masks=3", "--method", "gradcam",
        "--save", "raw,panel", "--json", "--size", "64", "-o", "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    maps = ran.records[0]["maps"]
    assert [one["method"] for one in maps] == ["rise:masks=2", "rise:masks=3", "gradcam"]
    assert [one["files"]["raw"] for one in maps] == ["a.rise-masks=2.npy", "a.rise-masks=3.npy", "a.gradcam.npy"]
    assert [one["layers"] for one in maps] == [[], [], ["bn2"]]
    assert maps[0]["grid"] == {"rows": 64, "cols": 64}
    assert "rise:masks=2: no layer" in ran.err


def test_a_layer_for_what_has_none(camtool, photo):
    photo("a.png")
    ran = camtool("explain", "a.png", "--method", "centre", "--layer", "layer4", "--save", "none")
    assert ran.code == 2
    assert "--layer has no meaning for centre, which looks at no layer; drop it" in ran.err


def test_bad_parameters_end_the_run_before_the_model_loads(camtool, photo):
    photo("a.png")
    ran = camtool("explain", "a.png", "--method", "rise:mask=5", "--model", "no_such_model")
    assert ran.code == 2
    assert "rise has no parameter 'mask'" in ran.err
