"""Which networks have exact class activation maps, decided by value; and that what was found is right."""

import pytest
import torch
from torch import nn

from cam_cli.capture import record
from cam_cli.errors import MethodUnsuitable, ModelFailed
from cam_cli.models import load
from cam_cli.models.head import find_head, head_in
from cam_cli.models.torchvision import construct

# name: layer, rectified, class maps
ACCEPTED = {
    "resnet18": ("layer4", False, False),
    "mobilenet_v2": ("features", False, False),
    "densenet121": ("features", True, False),
    "squeezenet1_1": ("classifier.2", False, True),
    "googlenet": ("inception5b", False, False),
    "inception_v3": ("Mixed_7c", False, False),
    "shufflenet_v2_x0_5": ("conv5", False, False),
    "mnasnet0_5": ("layers", False, False),
    "efficientnet_b0": ("features", False, False),
    "regnet_y_400mf": ("trunk_output", False, False),
    "swin_t": ("permute", False, False),
}
SLOW = {
    "resnext50_32x4d": ("layer4", False, False),
    "wide_resnet50_2": ("layer4", False, False),
    "efficientnet_v2_s": ("features", False, False),
    "swin_v2_t": ("permute", False, False),
    "regnet_x_400mf": ("trunk_output", False, False),
}
REFUSED = {
    "alexnet": "3 fully connected layers after its last grid",
    "mobilenet_v3_small": "2 fully connected layers after its last grid",
    "convnext_tiny": "LayerNorm2d and Linear after its last grid",
    "maxvit_t": "LayerNorm, Linear and Linear after its last grid",
}
SIZES = {"inception_v3": 160, "maxvit_t": 224}  # the others take any size, and 96 px is quick


def made(name):
    torch.manual_seed(0)
    size = SIZES.get(name, 96)
    return construct(name, 12, size).eval(), size


def rebuilt(module, head, images):
    """The scores by way of the head: pooled maps, plus the bias."""
    seen = record(module, images, [head.layer], gradients=False)
    features = seen.activations[head.layer]
    features = features.movedim(3, 1) if head.channels_last else features
    features = features.relu() if head.rectified else features
    maps = features if head.weights is None else torch.einsum("kc,bcuv->bkuv", head.weights, features)
    scores = maps.mean((2, 3)) if head.pooling == "mean" else maps.amax((2, 3))
    return (scores if head.bias is None else scores + head.bias), seen.scores


@pytest.mark.parametrize(
    ("name", "expected"), [*ACCEPTED.items(), *(pytest.param(*item, marks=pytest.mark.slow) for item in SLOW.items())]
)
def test_networks_with_exact_maps(name, expected):
    module, size = made(name)
    head = find_head(module, size)
    assert (head.layer, head.rectified, head.weights is None) == expected
    assert head.pooling == "mean"
    maps, scores = rebuilt(module, head, torch.randn(1, 3, size, size))
    torch.testing.assert_close(maps, scores, rtol=1e-4, atol=1e-4 * float(scores.abs().max()))


@pytest.mark.parametrize(
    ("name", "said"),
    [*REFUSED.items(), pytest.param("vgg16", "3 fully connected layers", marks=pytest.mark.slow)],
)
def test_networks_without_exact_maps(name, said):
    with pytest.raises(MethodUnsuitable, match=said) as caught:
        find_head(*made(name))
    assert "camtool gradcam" in caught.value.message
    assert "efficientnet_lite0" in caught.value.message


def test_the_default_model():
    network = load("efficientnet_lite0")
    head = find_head(network)
    assert (head.layer, head.rectified, head.channels_last, head.pooling) == ("bn2", False, False, "mean")
    assert torch.equal(head.weights, network.module.classifier.weight)
    assert torch.equal(head.bias, network.module.classifier.bias)
    assert not head.weights.requires_grad


class Small(nn.Module):
    """(b, 3, h, w) -> features -> pooled -> scores, with the parts given."""

    def __init__(self, pool, head, after=None):
        super().__init__()
        self.body, self.head, self.pool, self.after = nn.Conv2d(3, 6, 3, 2, 1), head, pool, after or nn.Identity()

    def forward(self, x):
        return self.after(self.head(self.pool(self.body(x))).flatten(1))


POOLS = {
    "mean": lambda a: a.mean((2, 3)),
    "max": lambda a: a.amax((2, 3)),
    "relu mean": lambda a: a.relu().mean((2, 3)),
    "relu max": lambda a: a.relu().amax((2, 3)),
    "1×1": lambda a: a.mean((2, 3), keepdim=True),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("bias", [True, False])
def test_pooling_is_told_apart_by_value(pool, bias):
    torch.manual_seed(1)
    head = nn.Conv2d(6, 4, 1, bias=bias) if pool == "1×1" else nn.Linear(6, 4, bias=bias)
    module = Small(POOLS[pool], head).eval()
    nn.init.constant_(module.body.bias[:1], -100)  # a channel without a positive value, or max and relu max would agree
    found = find_head(module, 16)
    assert (found.layer, found.rectified) == ("body", pool.startswith("relu"))
    assert found.pooling == ("max" if "max" in pool else "mean")
    assert torch.equal(found.weights, head.weight.flatten(1))
    assert (found.bias is not None) == bias


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_class_maps_that_are_pooled(pooling):
    class Maps(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.maps = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 1)

        def forward(self, x):
            return POOLS[pooling](self.maps(self.body(x).relu()))

    head = find_head(Maps().eval(), 16)
    assert (head.layer, head.pooling, head.weights, head.bias) == ("maps", pooling, None, None)


@pytest.mark.parametrize("after", [nn.Softmax(1), nn.LayerNorm(4), nn.Tanh()])
def test_scores_that_are_not_the_linear_layers_are_refused(after):
    torch.manual_seed(1)
    with pytest.raises(MethodUnsuitable, match="global pooling and one linear layer"):
        find_head(Small(POOLS["mean"], nn.Linear(6, 4), after).eval(), 16)


def test_a_pooling_it_does_not_know_is_refused():
    with pytest.raises(MethodUnsuitable):
        find_head(Small(lambda a: a.logsumexp((2, 3)), nn.Linear(6, 4)).eval(), 16)


@pytest.mark.parametrize("output", [lambda a: (a.mean((2, 3)), a.amax((2, 3))), lambda a: a])
def test_outputs_that_are_no_scores_are_refused(output):
    class Strange(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Conv2d(3, 6, 3)

        def forward(self, x):
            return output(self.body(x))

    with pytest.raises(ModelFailed, match=r"not scores \(images, classes\)"):
        find_head(Strange(), 16)


@pytest.mark.parametrize("classes", [4, 1])
@pytest.mark.parametrize("pool", ["mean", "1×1"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_head_of_other_weights_in_the_same_place(classes, pool, bias):
    def small(seed):
        torch.manual_seed(seed)
        head = nn.Conv2d(6, classes, 1, bias=bias) if pool == "1×1" else nn.Linear(6, classes, bias=bias)
        return Small(POOLS[pool], head).eval()

    one, other = small(1), small(2)
    head, expected = find_head(one, 16), find_head(other, 16)
    found = head_in(other, head)
    assert found.linear == "head"
    assert torch.equal(found.weights, expected.weights)
    assert not torch.equal(found.weights, head.weights)
    assert torch.equal(found.bias, expected.bias) if bias else found.bias is None
    assert found.weights.data_ptr() != other.head.weight.data_ptr()


def test_class_maps_have_their_weights_in_no_module():
    head = find_head(made("squeezenet1_1")[0], 96)
    assert head.linear is None
    assert head_in(nn.Identity(), head) is head
