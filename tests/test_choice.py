"""What a person writes after --model, and what must not be written together."""

import pytest

from cam_cli.choice import ModelChoice, parse_argument
from cam_cli.errors import UsageError
from cam_cli.specs.model import ModelSpec


@pytest.mark.parametrize(
    ("text", "alias", "name", "checkpoint"),
    [
        ("resnet50", "resnet50", "resnet50", None),
        ("timm/resnet50.a1_in1k", "resnet50.a1_in1k", "timm/resnet50.a1_in1k", None),
        ("hf/google/vit-base", "vit-base", "hf/google/vit-base", None),
        ("hf/./folder/", "folder", "hf/./folder/", None),
        ("my.nets:build", "build", "my.nets:build", None),
        ("../nets.py:build", "build", "../nets.py:build", None),
        ("new=resnet50@runs/a=1.pth", "new", "resnet50", "runs/a=1.pth"),
        ("resnet50@a@b.pth", "resnet50", "resnet50", "a@b.pth"),
        ("a/b=c", "b=c", "a/b=c", None),
        ("@runs/birds.safetensors", "birds", "efficientnet_lite0", "runs/birds.safetensors"),
        ("b=@runs/birds.safetensors", "b", "efficientnet_lite0", "runs/birds.safetensors"),
    ],
)
def test_names(text, alias, name, checkpoint):
    choice = ModelChoice.parse(text)
    assert (choice.alias, choice.name, choice.checkpoint) == (alias, name, checkpoint)


@pytest.mark.parametrize("text", ["resnet50@", "@", "a=@"])
def test_halves_are_refused(text):
    with pytest.raises(UsageError, match=r"\[ALIAS=\]NAME\[@CHECKPOINT\]"):
        ModelSpec(models=(text,))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("k=3", 3),
        ("k=(1, 2)", (1, 2)),
        ("k=True", True),
        ("k=gelu", "gelu"),
        ("k='3'", "3"),
        ("k=", ""),
        ("k=a=b", "a=b"),
        ("k=" + "(" * 500, "(" * 500),
        ("k=__import__('os')", "__import__('os')"),
    ],
)
def test_arguments_are_literals_or_text(text, value):
    assert parse_argument(text) == ("k", value)


@pytest.mark.parametrize("text", ["k", "=3", "a-b=3", ""])
def test_arguments_without_a_key(text):
    with pytest.raises(UsageError, match="key=value"):
        ModelSpec(arguments=(text,))


def test_several_models_stand_side_by_side():
    choices = ModelSpec(
        models=("resnet18", "old=resnet18@a.pth"), arguments=("width=2",), activation="sigmoid"
    ).choices()
    assert [(one.alias, one.checkpoint) for one in choices] == [("resnet18", None), ("old", "a.pth")]
    assert all(one.arguments == (("width", 2),) and one.activation == "sigmoid" for one in choices)


def test_two_of_one_name_need_aliases():
    with pytest.raises(UsageError, match="two models are called 'resnet18'"):
        ModelSpec(models=("resnet18", "resnet18@a.pth"))


@pytest.mark.parametrize("models", [("a", "b"), ("a@x.pth",)])
def test_a_checkpoint_option_goes_with_one_bare_name(models):
    with pytest.raises(UsageError, match="--checkpoint goes with one"):
        ModelSpec(models=models, checkpoint="y.pth")


def test_one_model_at_a_time_for_now():
    assert ModelSpec(models=("a",), checkpoint="y.pth").only == ModelChoice("a", "a", "y.pth")
    with pytest.raises(UsageError, match="takes one model"):
        _ = ModelSpec(models=("a", "b")).only


@pytest.mark.parametrize(
    ("choice", "options"),
    [
        (ModelChoice.parse("efficientnet_lite0"), ""),
        (ModelChoice.parse("timm/resnet18"), " -m timm/resnet18"),
        (ModelChoice.parse("resnet18@x.pth", labels="y.txt"), " -m resnet18 --checkpoint x.pth --labels y.txt"),
    ],
)
def test_the_options_that_name_it_again(choice, options):
    assert choice.options == options
