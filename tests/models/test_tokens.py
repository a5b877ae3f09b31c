"""Grids of networks that carry the picture as tokens: found from the model, and the layer that scores read it from."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cam_cli.capture import record
from cam_cli.errors import LayerUnsuitable, MethodUnsuitable
from cam_cli.models.head import find_head
from cam_cli.models.layers import survey
from cam_cli.models.stages import Grid, GridReader, Layer, arranged, normalises, tokens_of
from cam_cli.models.torchvision import construct
from tests.nets import vit

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
MERGED = {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 2], "window_size": 4}


class Logits(nn.Module):
    """A transformers classifier as a module that puts out scores."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x).logits


def timm(name: str, **options) -> nn.Module:
    depth = {"depths": (1, 1, 1, 1)} if "pvt" in name else {"depths": (2, 2)} if "swin" in name else {"depth": 2}
    return pytest.importorskip("timm").create_model(name, num_classes=5, pretrained=False, **depth, **options).eval()


def hf(name: str, **options) -> nn.Module:
    kit = pytest.importorskip("transformers")
    sizes = {"num_labels": 5, "image_size": 64, "patch_size": 16} | (MERGED if name == "Swin" else SMALL)
    config = getattr(kit, f"{name}Config")(**(sizes | options))
    return Logits(getattr(kit, f"{name}ForImageClassification")(config)).eval()


# name: network, side of its input, and of each stage the layer, the rows of its grid, the tokens before the picture's.
NETWORKS = {
    "torchvision ViT": (vit, 64, {"layer4": ("encoder.layers.encoder_layer_1.ln_1", 4, 1)}),
    "timm ViT": (lambda: timm("vit_tiny_patch16_224", img_size=64), 64, {"layer4": ("blocks.1.norm1", 4, 1)}),
    "timm DeiT, distilled": (
        lambda: timm("deit_tiny_distilled_patch16_224", img_size=64), 64, {"layer4": ("blocks.1.norm1", 4, 2)}
    ),
    "timm DINOv2, registers": (
        lambda: timm("vit_small_patch14_reg4_dinov2", img_size=56, embed_dim=48, num_heads=2),
        56,
        {"layer4": ("blocks.1.norm1", 4, 5)},
    ),
    "timm ViT, mean before the norm": (
        lambda: timm("vit_tiny_patch16_224", img_size=64, global_pool="avg"), 64, {"layer4": ("blocks.1.norm2", 4, 1)}
    ),
    "timm ViT, mean after the norm": (
        lambda: timm("vit_tiny_patch16_224", img_size=64, global_pool="avg", fc_norm=False, class_token=False),
        64,
        {"layer4": ("norm", 4, 0)},
    ),
    "timm hybrid": (
        lambda: timm("vit_tiny_r_s16_p8_224", img_size=64), 64, {"layer4": ("blocks.1.norm1", 2, 1)}
    ),
    "timm CaiT": (
        lambda: timm("cait_xxs24_224", img_size=64), 64, {"layer4": ("blocks_token_only.1.norm1", 4, 1)}
    ),
    "timm PVT v2": (
        lambda: timm("pvt_v2_b0"),
        64,
        {"layer1": ("stages.0", 16, None), "layer2": ("stages.1", 8, None),
         "layer3": ("stages.2", 4, None), "layer4": ("stages", 2, None)},
    ),
    "timm Swin": (
        lambda: timm("swin_tiny_patch4_window7_224", img_size=56, embed_dim=16, num_heads=(2, 2)),
        56,
        {"layer3": ("layers.0", 14, None), "layer4": ("norm", 7, None)},
    ),
    "HF ViT": (lambda: hf("ViT"), 64, {"layer4": ("net.vit.layers.1.layernorm_before", 4, 1)}),
    "HF DeiT": (lambda: hf("DeiT"), 64, {"layer4": ("net.deit.layers.1.layernorm_before", 4, 2)}),
    "HF DINOv2": (
        lambda: hf("Dinov2", image_size=56, patch_size=14), 56, {"layer4": ("net.dinov2.layernorm", 4, 1)}
    ),
    "HF Swin": (
        lambda: hf("Swin", patch_size=4),
        64,
        {"layer3": ("net.swin.encoder.layers.0.blocks.1.layernorm_after", 16, 0),
         "layer4": ("net.swin.layernorm", 8, 0)},
    ),
}  # fmt: skip


@pytest.fixture(params=NETWORKS)
def case(request):
    make, size, stages = NETWORKS[request.param]
    torch.manual_seed(0)
    return make(), size, stages


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_stages_of_networks_with_tokens(case):
    """And that the scores depend on the picture's part there, by gradients taken anew."""
    model, size, expected = case
    found = survey(model, size)
    assert {name: (layer.path, layer.rows, layer.prefix) for name, layer in found.stages.items()} == expected
    default = found.default
    assert default == found.stages["layer4"]
    assert default.rows == default.cols
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3))
    recording = record(model, images, [default.path], gradients=True)
    gradients = recording.gradients(lambda scores: scores[:, 1], torch.ones(2, dtype=torch.bool), last=True)
    assert gradients[default.path][:, default.prefix or 0 :].any()


@pytest.fixture(scope="module")
def tiny():
    return survey(vit(), 64)


def test_layers_of_a_class_token(tiny):
    layers = {layer.path: layer for layer in tiny.layers}
    assert (layers["conv_proj"].prefix, layers["conv_proj"].rows) == (None, 4)
    mixed = layers["encoder.layers.encoder_layer_0.mlp.0"]
    assert mixed == Layer(mixed.path, "Linear", 64, 4, 4, 16, channels_last=True, pooling=False, prefix=1)
    assert "heads.head" not in layers
    assert [layer.path for layer in tiny.layers if layer.stage] == [tiny.default.path]


@pytest.mark.parametrize(
    "path", ["encoder.ln", "encoder.layers.encoder_layer_1", "encoder.layers.encoder_layer_1.ln_2"]
)
def test_layers_that_only_the_class_token_is_read_from(tiny, path):
    """By plain autograd: the picture's gradients are exactly 0 there; and the refusal names a layer where they are
    not."""
    model = vit()
    kept = {}
    handle = model.get_submodule(path).register_forward_hook(lambda module, inputs, output: kept.update(at=output))
    scores = model(torch.randn(1, 3, 64, 64))
    handle.remove()
    (gradient,) = torch.autograd.grad(scores[0, 2], kept["at"])
    assert gradient[:, 0].any()
    assert not gradient[:, 1:].any()
    ((layer,),) = tiny.choose(path)
    with pytest.raises(LayerUnsuitable, match=r"class token.*use --layer encoder\.layers\.encoder_layer_1\.ln_1$"):
        tiny.check_gradients([layer])


def test_layers_that_the_picture_is_read_from_pass(tiny):
    tiny.check_gradients([tiny.default, *tiny.choose("conv_proj")[0], *tiny.choose("encoder.dropout")[0]])


def test_a_head_that_was_never_trained_is_told_apart():
    model = vit()
    nn.init.zeros_(model.heads.head.weight)
    found = survey(model, 64)
    assert found.default.path == "encoder.ln"
    with pytest.raises(LayerUnsuitable, match="do not depend on the picture at all; is its head trained"):
        found.check_gradients([found.default])


def test_vit_b_16():
    model = construct("vit_b_16", 10, 224).eval()
    nn.init.normal_(model.heads.head.weight)
    found = survey(model, 224)
    layer = found.choose("layer4")[0][0]
    assert layer == found.default
    assert (layer.path, layer.rows, layer.stride) == ("encoder.layers.encoder_layer_11.ln_1", 14, 16)


@pytest.mark.parametrize(
    ("shape", "sides", "expected"),
    [
        ((1, 196, 8), {14}, (14, 0)),
        ((1, 197, 8), {224, 14}, (14, 1)),
        ((1, 201, 8), {14}, (14, 5)),
        ((1, 784, 8), {56}, (28, 0)),  # merged two by two
        ((1, 49, 8), {56}, (7, 0)),
        ((1, 16, 8), {7}, (4, 0)),  # with an odd row
        ((1, 50, 8), {56}, None),  # a token too many for merging alone
        ((1, 213, 8), {14}, None),  # 17 others
        ((1, 768, 1), {28}, None),  # pooled
        ((2, 196, 8), {14}, None),  # windows
        ((1, 196, 8), set(), None),
        ((1, 1, 8), {2}, None),
        ((1, 196), {14}, None),
    ],
)
def test_grids_behind_tokens(shape, sides, expected):
    grid = expected and Grid(expected[0], expected[0], 8, channels_last=True, prefix=expected[1])
    assert tokens_of(shape, 1, sides) == grid


def test_attention_matrices_are_no_grids():
    reader = GridReader(1)
    assert reader("embed", (1, 8, 4, 4))
    assert reader("block.attn.qkv", (1, 16, 24))
    assert reader("block.attn.drop", (1, 2, 16, 16)) is None
    assert reader("block.conv", (1, 2, 16, 16)), "no rows of 16 beside it"


@given(st.integers(1, 80), st.integers(1, 80), st.integers(4, 32), st.data())
def test_the_arrangement_of_patches_follows_from_their_number_and_the_inputs_sides(rows, columns, patch, data):
    """Whatever is left over at the edges, cut off or padded."""
    over = st.integers(0, patch - 1)
    height, width = rows * patch + data.draw(over), columns * patch + data.draw(over)
    assert arranged(rows * columns, height, width) == (rows, columns)


class Sorted(nn.Module):
    """4×4 patches, taken in some order, normalised, attended between, averaged."""

    def __init__(self, order: list[int]):
        super().__init__()
        self.order, self.embed = order, nn.Conv2d(3, 8, 16, 16)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 5)

    def forward(self, x):
        tokens = self.norm(self.embed(x).flatten(2).mT[:, self.order])
        mixed = nn.functional.scaled_dot_product_attention(*[tokens.view(len(x), -1, 2, 4).transpose(1, 2)] * 3)
        return self.head((tokens + mixed.transpose(1, 2).flatten(2)).mean(1))


BLOCKS = [8 * (block // 2) + 2 * (block % 2) + at for block in range(4) for at in (0, 1, 4, 5)]  # 2×2 patches a block
COLUMNS = [4 * row + column for column in range(4) for row in range(4)]


def test_tokens_row_by_row():
    found = survey(Sorted(list(range(16))), 64)
    assert found.default.path == "norm"
    assert found.attended.prefix == 0


@pytest.mark.parametrize("order", [BLOCKS, COLUMNS, list(reversed(range(16)))], ids=["blocks", "columns", "reversed"])
@pytest.mark.parametrize("ask", ["default", "layers", "attended"])
def test_tokens_in_another_order_are_refused(order, ask):
    found = survey(Sorted(order), 64)
    with pytest.raises(LayerUnsuitable, match=r"Sorted sorts its tokens \(they are not"):
        getattr(found, ask)


def test_what_normalises():
    assert normalises(nn.LayerNorm(3))
    assert normalises(nn.BatchNorm2d(3))
    assert not normalises(nn.Linear(3, 3))
    assert not normalises(type("LinearNorm", (nn.Linear,), {})(3, 3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("name", "layer", "prefix"),
    [("HF Swin", "net.swin.layernorm", 0), ("timm ViT, mean after the norm", "norm", 0)],
)
def test_heads_over_tokens(name, layer, prefix):
    torch.manual_seed(0)
    model, size = NETWORKS[name][0](), NETWORKS[name][1]
    head = find_head(model, size)
    assert (head.layer, head.pooling, head.channels_last) == (layer, "mean", True)
    seen = record(model, torch.randn(2, 3, size, size), [layer], gradients=False)
    tokens = seen.activations[layer]
    torch.testing.assert_close(tokens.mean(1) @ head.weights.T + head.bias, seen.scores, rtol=1e-4, atol=1e-5)


def test_a_mean_that_leaves_the_class_token_out_is_exact_over_the_picture():
    model = timm("vit_tiny_patch16_224", img_size=64, global_pool="avg", fc_norm=False)
    head = find_head(model, 64)
    seen = record(model, torch.randn(2, 3, 64, 64), [head.layer], gradients=False)
    maps = seen.activations[head.layer][:, 1:] @ head.weights.T
    torch.testing.assert_close(maps.mean(1) + head.bias, seen.scores, rtol=1e-4, atol=1e-5)


def test_a_class_token_has_no_exact_maps():
    with pytest.raises(MethodUnsuitable, match=r"has a class token, .* use `camtool gradcam`"):
        find_head(vit(), 64)


def test_the_default_layer_of_a_vit_is_listed_right_without_its_weights(monkeypatch):
    """torchvision makes ViT's head of zeros, and with it no score would depend on any layer."""
    from cam_cli.errors import WeightsUnavailable
    from cam_cli.models import load, torchvision

    def refuse(*_: object) -> None:
        raise WeightsUnavailable("no network")

    monkeypatch.setattr(torchvision, "downloaded", refuse)
    assert survey(load("vit_b_32", shapes_only=True)).default.path == "encoder.layers.encoder_layer_11.ln_1"
