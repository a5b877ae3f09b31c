"""File names are a function of the options, and no two results share one."""

import pytest

from cam_cli.errors import UsageError
from cam_cli.outputs.naming import Naming
from cam_cli.types import ImageItem, MapLabel

LABEL = MapLabel("gradcam", "layer4", "967-espresso")


def named(stem):
    return ImageItem(stem, stem, stem, model="net")


@pytest.mark.parametrize(
    ("several", "infix", "suffix", "expected"),
    [
        ((), "", "png", "a/b.gradcam.png"),
        (("layer",), "", "png", "a/b.gradcam.layer4.png"),
        (("class",), "heatmap", "jpg", "a/b.gradcam.967-espresso.heatmap.jpg"),
        (("layer", "class"), "", "npy", "a/b.gradcam.layer4.967-espresso.npy"),
        (("method",), "", "npy", "a/b.gradcam.npy"),
        (("model", "layer"), "", "png", "a/b.net.gradcam.layer4.png"),
    ],
)
def test_default_names(several, infix, suffix, expected):
    assert Naming(frozenset(several)).of(named("a/b"), LABEL, infix, suffix) == expected


def test_what_there_is_one_of_an_image():
    assert Naming(frozenset({"method", "class"})).of(named("a/b.c"), None, "panel", "png") == "a/b.c.panel.png"
    assert Naming(frozenset({"model"})).of(named("a/b.c"), None, "panel", "png") == "a/b.c.net.panel.png"


def test_a_stem_with_dots_keeps_them():
    assert Naming(frozenset()).of(named("v1.2/x.y.jpg"), LABEL, "", "png") == "v1.2/x.y.jpg.gradcam.png"


def test_a_template():
    naming = Naming(frozenset({"class"}), "{stem}-{class}")
    assert naming.of(named("a/b"), LABEL, "heatmap", "png") == "a/b-967-espresso.heatmap.png"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{stem}", "add {class}"),
        ("{class}", "add {stem}"),
        ("{stem}{class}{foo}", "not {foo}"),
        ("../{stem}{class}", "no slash"),
        (".{stem}{class}", "no dot in front"),
        ("{stem", "expected '}'"),
        ("{stem}{0}", "not {0}"),
    ],
)
def test_a_template_that_loses_results_is_refused(template, says):
    with pytest.raises(UsageError, match=says.replace("{", r"\{").replace("}", r"\}").replace(".", r"\.")):
        Naming(frozenset({"class"}), template)
