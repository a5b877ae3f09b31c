"""Stages, the default layer, and what `--layer` may say. Random weights: only shapes matter here."""

import pytest
import torch
from torch import nn

from cam_cli.errors import LayerUnknown, LayerUnsuitable
from cam_cli.models import load
from cam_cli.models.layers import Survey, survey
from cam_cli.models.stages import Grid, grid_of, pools
from cam_cli.models.torchvision import construct

STAGES = {
    "resnet18": ("layer1", "layer2", "layer3", "layer4"),
    "resnet50": ("layer1", "layer2", "layer3", "layer4"),
    "mobilenet_v2": ("features.3", "features.6", "features.13", "features"),
    "mobilenet_v3_small": ("features.1", "features.3", "features.8", "features"),
    "densenet121": ("features.denseblock1", "features.denseblock2", "features.denseblock3", "features"),
    "inception_v3": ("Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"),
    "googlenet": ("conv3", "inception3b", "inception4e", "inception5b"),
    "swin_t": ("features.1", "features.3", "features.5", "permute"),
    "squeezenet1_1": ("features.1", "features.4", "features.7", "classifier.2"),
    "shufflenet_v2_x0_5": ("conv1", "stage2", "stage3", "conv5"),
    "mnasnet0_5": ("layers.8", "layers.9", "layers.11", "layers"),
    "efficientnet_b0": ("features.2", "features.3", "features.5", "features"),
    "regnet_y_400mf": ("trunk_output.block1", "trunk_output.block2", "trunk_output.block3", "trunk_output"),
    "maxvit_t": ("blocks.0", "blocks.1", "blocks.2", "blocks.3"),
    "alexnet": (None, "features.1", "features.4", "features.11"),
}
SLOW = {"vgg16": ("features.8", "features.15", "features.22", "features.29")}
SIZES = {"inception_v3": 299}


def looked_at(name: str, classes: int = 10) -> Survey:
    size = SIZES.get(name, 224)
    return survey(construct(name, classes, size).eval(), size)


@pytest.mark.parametrize(
    ("name", "paths"), [*STAGES.items(), *(pytest.param(*item, marks=pytest.mark.slow) for item in SLOW.items())]
)
def test_stages(name, paths):
    found = looked_at(name)
    expected = {f"layer{number}": path for number, path in enumerate(paths, 1) if path}
    assert {stage: layer.path for stage, layer in found.stages.items()} == expected
    assert found.default is found.stages["layer4"]
    assert all(layer.stage == stage for stage, layer in found.stages.items())
    assert all(found.choose(stage) == [(layer,)] for stage, layer in found.stages.items())


@pytest.fixture(scope="module")
def lite() -> Survey:
    return survey(load("efficientnet_lite0"))


@pytest.fixture(scope="module")
def resnet() -> Survey:
    return looked_at("resnet18")


def paths(chosen):
    return [tuple(layer.path for layer in entry) for entry in chosen]


def test_the_default_model_has_the_documented_stages(lite):
    assert [layer.path for layer in lite.stages.values()] == ["blocks.1", "blocks.2", "blocks.4", "bn2"]
    assert [layer.stride for layer in lite.stages.values()] == [4, 8, 16, 32]
    layer = lite.default
    assert (layer.path, layer.kind, layer.channels, layer.rows, layer.cols) == ("bn2", "NormAct", 1280, 7, 7)
    assert not layer.channels_last
    assert not layer.pooling


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layer4", [("bn2",)]),
        ("stage3", [("blocks.4",)]),
        ("blocks.6.0.bn3", [("blocks.6.0.bn3",)]),
        ("layer3+layer4", [("blocks.4", "bn2")]),
        (" layer3 + bn2 ", [("blocks.4", "bn2")]),
        ("layer*", [("blocks.1",), ("blocks.2",), ("blocks.4",), ("bn2",)]),
        ("blocks.?", [(f"blocks.{number}",) for number in range(7)]),
        ("blocks.[34]", [("blocks.3",), ("blocks.4",)]),
        ("blocks.[34]+bn2", [("blocks.3", "blocks.4", "bn2")]),
        ("bn*", [("bn1",), ("bn2",)]),
    ],
)
def test_choices_on_the_default_model(lite, text, expected):
    assert paths(lite.choose(text)) == expected


def test_a_real_module_of_a_stages_name_wins(resnet):
    assert paths(resnet.choose("layer*")) == [("layer1",), ("layer2",), ("layer3",), ("layer4",)]
    assert paths(looked_at("shufflenet_v2_x0_5").choose("stage4")) == [("stage4",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layr4", "did you mean layer4"),
        ("layer5", "its stages are layer1, layer2, layer3, layer4"),
        ("nope.*", "no layer with a grid matches"),
        ("layer4+", "no layer ''"),
        ("", "no layer ''"),
    ],
)
def test_unknown_layers(lite, text, said):
    with pytest.raises(LayerUnknown, match=said) as caught:
        lite.choose(text)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(("text", "said"), [("fc", "puts out 1×10,"), ("avgpool", "puts out 1×512×1×1,")])
def test_layers_without_a_grid_say_what_they_put_out(resnet, text, said):
    with pytest.raises(LayerUnsuitable, match=f"{said} not rows and columns of cells; name one .* such as layer4"):
        resnet.choose(text)


def test_pooling_layers_can_be_named_but_end_no_stage(resnet):
    (entry,) = resnet.choose("maxpool")
    assert (entry[0].pooling, entry[0].stage, entry[0].rows) == (True, None, 56)


def test_swin_is_channels_last_inside():
    found = looked_at("swin_t")
    last = {layer.path: layer.channels_last for layer in found.layers}
    assert last["features.7"]
    assert last["norm"]
    assert not last["permute"]
    assert found.choose("features.7")[0][0].channels == 768


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("resnet18", ["layer3.1"]),
        ("mobilenet_v2", ["features.10", "features.13", "features.16"]),
        ("googlenet", ["inception4c", "inception4d", "inception4e", "inception5a"]),
        ("swin_t", ["features.5.5"]),
        ("alexnet", ["features.4"]),  # no blocks: the stage itself
    ],
)
def test_steps_are_where_the_width_or_the_grid_changes_next(name, paths):
    assert [layer.path for layer in looked_at(name).steps] == paths


def test_the_steps_of_the_default_model(lite):
    assert [layer.path for layer in lite.steps] == ["blocks.3.2", "blocks.4.2", "blocks.5.3"]
    assert [layer.rows for layer in lite.steps] == [14, 14, 7]


class Odd(nn.Module):
    """One module under two names, one that never runs, one that puts out a tuple."""

    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.again = self.first
        self.idle = nn.Conv2d(3, 4, 3)
        self.pair = self.Pair()

    def forward(self, x):
        return self.pair(self.first(x))[0].mean((2, 3))


def test_odd_modules():
    found = survey(Odd(), 8)
    assert paths(found.choose("again")) == [("first",)]
    with pytest.raises(LayerUnsuitable, match="idle of Odd does not run"):
        found.choose("idle")
    with pytest.raises(LayerUnsuitable, match="puts out tuple"):
        found.choose("pair")


def test_a_network_without_a_grid():
    found = survey(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 2)), 8)
    with pytest.raises(LayerUnsuitable, match="no layer of Sequential has a spatial grid"):
        found.default  # noqa: B018


def test_a_backbone_that_pools_inside_is_no_obstacle():
    class Backbone(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.body, self.pool = nn.Conv2d(3, 4, 2, 2), nn.Conv2d(4, 8, 2, 2), nn.AdaptiveAvgPool2d(1)

        def forward(self, x):
            return self.pool(self.body(self.stem(x)))

    found = survey(nn.Sequential(Backbone(), nn.Flatten(), nn.Linear(8, 2)), 16)
    assert {stage: layer.path for stage, layer in found.stages.items()} == {"layer3": "0.stem", "layer4": "0.body"}


def test_a_survey_leaves_everything_as_it_was(resnet):
    module = resnet.specimen.module.train()
    generator = torch.get_rng_state()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    again = survey(module, 224)
    assert again.outputs == resnet.outputs
    assert module.training
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    assert not any(child._forward_hooks for child in module.modules())
    module.eval()


@pytest.mark.parametrize(
    ("shape", "grid"),
    [
        ((1, 8, 7, 7), Grid(7, 7, 8, channels_last=False)),
        ((1, 7, 7, 8), Grid(7, 7, 8, channels_last=True)),
        ((1, 7, 7, 7), Grid(7, 7, 7, channels_last=False)),
        ((1, 8, 1, 1), None),
        ((1, 1, 1, 8), None),
        ((4, 8, 7, 7), None),
        ((1, 8, 7, 6), None),
        ((1, 49, 8), None),
        ((1, 8), None),
        ((), None),
    ],
)
def test_grids_by_shape(shape, grid):
    assert grid_of(shape, 1) == grid


def test_what_pools():
    assert pools(nn.Sequential(nn.Conv2d(1, 1, 1), nn.MaxPool2d(2)))
    assert not pools(nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(1, 1, 1)))
    assert not pools(nn.Sequential())
