"""Weights into networks: which prefix goes, which class count comes, and what is said when nothing fits."""

import pytest
import torch
from torch import nn

from cam_cli.errors import CheckpointMismatch
from cam_cli.models.fitting import fit, stripped
from cam_cli.models.torchvision import construct
from tests.nets import seeded


class Net(nn.Module):
    """Has a child that is called like a wrapper."""

    def __init__(self, classes=3):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, classes)


class Outer(nn.Module):
    """All of it lies under `model`."""

    def __init__(self, classes=3):
        super().__init__()
        self.model = Net(classes)


def make(kind):
    return lambda classes: kind(classes or 3)


@pytest.mark.parametrize("kind", [Net, Outer])
@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "_orig_mod.module.", "module._orig_mod.model.", "module.module.", "net.0."]
)
def test_what_a_wrapper_put_before_every_name_goes_and_nothing_else(kind, prefix):
    saved = seeded(kind())
    state = {prefix + key: tensor for key, tensor in saved.state_dict().items()}
    module, other = fit(make(kind), state, "x.pth")
    assert other is None
    assert all(
        torch.equal(one, two)
        for one, two in zip(module.state_dict().values(), saved.state_dict().values(), strict=True)
    )


def test_a_prefix_that_not_all_names_have_stays():
    state = {"model.a": torch.zeros(1), "b": torch.zeros(1)}
    assert list(stripped(state)) == [state]


def test_the_class_count_of_a_wrapped_file():
    state = {"module." + key: tensor for key, tensor in Net(7).state_dict().items()}
    module, other = fit(make(Net), state, "x.pth")
    assert (other, module.head.out_features) == (7, 7)


def test_a_network_that_takes_no_class_count():
    with pytest.raises(CheckpointMismatch, match="head seems to have 7 classes, the model's 3"):
        fit(lambda classes: Net(), Net(7).state_dict(), "x.pth")


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("resnet18", "densenet121", "looks like a DenseNet"),
        ("resnet18", "resnet50", "looks like a ResNet of another depth"),
        ("resnet18", "squeezenet1_1", "looks like a SqueezeNet"),
        ("resnet18", "vgg11", "looks like a VGG or AlexNet"),
        ("densenet121", "resnet18", "looks like a ResNet"),
        ("resnet18", "mobilenet_v2", "looks like an EfficientNet or MobileNet"),
        ("resnet18", "swin_t", "looks like a Swin"),
        ("resnet18", "vit_b_16", "looks like a vision transformer"),
        ("resnet18", "googlenet", "looks like an Inception or GoogLeNet"),
    ],
)
def test_the_likely_cause(name, other, said):
    with torch.device("meta"):  # names and shapes are what counts
        state = construct(other, 10, 224).state_dict()
        with pytest.raises(CheckpointMismatch, match=said) as caught:
            fit(lambda classes: construct(name, classes or 10, 224), state, "x.pth")
    assert "x.pth does not fit the model" in caught.value.message


def test_a_prefix_on_most_names_is_named():
    state = {"model." + key: tensor for key, tensor in construct("resnet18", 10, 224).state_dict().items()}
    state["criterion.weight"] = torch.zeros(10)
    with pytest.raises(CheckpointMismatch, match=r"begin with 'model\.' and would fit without"):
        fit(lambda classes: construct("resnet18", classes or 10, 224), state, "x.pth")
    with pytest.raises(CheckpointMismatch, match=r"the model's names begin with 'model\.', the file's do not"):
        fit(make(Outer), {"extra": torch.zeros(1), "head.other": torch.zeros(1), **Net().state_dict()}, "x.pth")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensor: tensor.to_sparse(), "is sparse"),
        (lambda tensor: tensor.to("meta"), "has a shape but no values"),
        (lambda tensor: tensor.to(torch.int8), "holds int8"),
        (lambda tensor: tensor.to(torch.complex64), "holds complex64"),
    ],
)
def test_tensors_that_are_no_weights(change, said):
    state = Net().state_dict()
    state["head.weight"] = change(state["head.weight"])
    with pytest.raises(CheckpointMismatch, match=rf"head\.weight {said}"):
        fit(make(Net), state, "x.pth")


@pytest.mark.filterwarnings("ignore")
def test_quantized_weights_are_refused():
    state = Net().state_dict()
    state["head.weight"] = torch.quantize_per_tensor(state["head.weight"], 0.1, 0, torch.qint8)
    with pytest.raises(CheckpointMismatch, match="holds qint8"):
        fit(make(Net), state, "x.pth")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_floats_become_float32(dtype):
    saved = seeded(Net()).to(dtype)
    module, _ = fit(make(Net), saved.state_dict(), "x.pth")
    assert torch.equal(module.head.weight, saved.head.weight.float())


def test_nan_weights_are_weights():
    state = Net().state_dict()
    state["head.weight"] = torch.full((3, 4), torch.nan)
    assert fit(make(Net), state, "x.pth")[0].head.weight.isnan().all()
