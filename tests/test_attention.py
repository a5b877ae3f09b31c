"""Attention matrices against a recomputation of torch's own, in every way that blocks have of attending; the network's
scores stay what they are, and nothing stays behind."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cam_cli.capture import record_attention
from cam_cli.errors import MethodUnsuitable, ModelFailed
from cam_cli.models.torchvision import construct
from tests.nets import vit
from tests.test_capture import assert_same, state

IMAGES = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


class Block(nn.Module):
    """Attention of 2 heads over 4×4 patches, 8 channels, in one of several ways, and the mean of the tokens."""

    def __init__(self, way: str = "fused", mask: Tensor | None = None):
        super().__init__()
        self.way, self.mask = way, mask
        self.embed, self.qkv = nn.Conv2d(3, 8, 16, 16), nn.Linear(8, 24)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).mT
        query, key, value = self.qkv(x).unflatten(2, (3, 2, 4)).permute(2, 0, 3, 1, 4)
        if self.way == "fused":
            x = F.scaled_dot_product_attention(query, key, value, attn_mask=self.mask)
        elif self.way == "causal":
            x = F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.3)
        elif self.way == "grouped":
            x = F.scaled_dot_product_attention(query, key[:, :1], value[:, :1], enable_gqa=True)
        else:
            scores = query @ key.mT / 2
            x = {
                "method": lambda: scores.softmax(dim=-1),
                "torch": lambda: torch.softmax(scores, -1),
                "function": lambda: F.softmax(scores, dim=-1, dtype=torch.float32),
                "module": lambda: nn.Softmax(dim=3)(scores),
            }[self.way]() @ value
        return self.head(x.mean((1, 2)).repeat(1, 2))


def block(*options) -> nn.Module:
    torch.manual_seed(0)
    return Block(*options).eval()


BOOLEAN = torch.rand(16, 16, generator=torch.Generator().manual_seed(2)) > 0.3
BOOLEAN |= torch.eye(16, dtype=torch.bool)
BLOCKS = {
    "fused": lambda: block("fused"),
    "masked": lambda: block("fused", BOOLEAN),
    "biased": lambda: block("fused", torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(2))),
    **{way: (lambda way=way: block(way)) for way in ("causal", "grouped", "method", "torch", "function", "module")},
}


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("way", BLOCKS)
def test_ways_of_attending(way, gradients):
    model = BLOCKS[way]()
    with torch.no_grad():
        scores = model(IMAGES)
    recording = record_attention(model, IMAGES, gradients=gradients)
    torch.testing.assert_close(recording.scores.detach(), scores, rtol=1e-5, atol=1e-6)
    (matrix,) = recording.activations.values()
    assert matrix.shape == (3, 2, 16, 16)
    torch.testing.assert_close(matrix.sum(-1), torch.ones(3, 2, 16))
    if way == "masked":
        assert not matrix[:, :, ~BOOLEAN].any()
    elif way == "causal":
        assert not matrix.triu(1).any()
    else:
        assert (matrix > 0).all()


def test_eager_and_fused_are_the_same():
    kept = [record_attention(block(way), IMAGES, gradients=False).activations["0"] for way in ("fused", "method")]
    torch.testing.assert_close(*kept)


def test_a_vits_matrices_are_those_that_torch_returns_itself():
    model, expected = vit(), []
    attentions = [layer.self_attention for layer in model.encoder.layers]

    def hook(module, inputs, output):
        x = inputs[0]
        expected.append(module._forward_plain(x, x, x, need_weights=True, average_attn_weights=False)[1])

    handles = []
    for module in attentions:
        module._forward_plain = module.forward
        handles.append(module.register_forward_hook(hook))
    with torch.no_grad():
        scores = model(IMAGES)
    for handle in handles:
        handle.remove()
    recording = record_attention(model, IMAGES, gradients=True)
    torch.testing.assert_close(list(recording.activations.values()), expected, check_layout=False)
    torch.testing.assert_close(recording.scores, scores, rtol=1e-5, atol=1e-5)


def test_gradients_by_hand():
    """Of a written-out block: d score / d A_ij = w · v_j / n, the same for every row that the mean reads."""
    model = block("method")
    recording = record_attention(model, IMAGES, gradients=True)
    gradients = recording.gradients(lambda scores: scores[:, 2], torch.ones(3, dtype=torch.bool), last=True)["0"]
    tokens = model.embed(IMAGES).flatten(2).mT
    value = model.qkv(tokens)[..., 16:].unflatten(2, (2, 4)).transpose(1, 2)
    weights = model.head.weight[2].view(2, 4).sum(0)
    expected = (value @ weights / 32)[:, :, None].expand(-1, -1, 16, -1)
    torch.testing.assert_close(gradients, expected, rtol=1e-4, atol=1e-7)


class Pooled(nn.Module):
    """Patches that no attention joins."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Conv2d(3, 8, 16, 16), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.embed(x).mean((2, 3))).softmax(-1)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Pooled, "has none that it sees"),
        (lambda: construct("swin_t", 5, 64), "in windows or from few tokens"),
    ],
)
def test_networks_without_it(make, said):
    with pytest.raises(MethodUnsuitable, match=said):
        record_attention(make(), IMAGES, gradients=False)


@pytest.mark.parametrize("end", ["success", "refusal", "exception"])
def test_everything_is_left_as_found(end):
    model, fast = vit().train(), torch.backends.mha.get_fastpath_enabled()
    before, functions = state(model), (F.scaled_dot_product_attention, torch.softmax, torch.Tensor.softmax)
    if end == "success":
        record_attention(model, IMAGES, gradients=True)
    elif end == "refusal":
        with pytest.raises(MethodUnsuitable):
            record_attention(Pooled(), IMAGES, gradients=True)
    else:
        with pytest.raises(ModelFailed):
            record_attention(model, IMAGES[:, :, :48], gradients=True)
    assert_same(before, state(model))
    assert functions == (F.scaled_dot_product_attention, torch.softmax, torch.Tensor.softmax)
    assert "softmax" not in vars(torch.Tensor)
    assert torch.backends.mha.get_fastpath_enabled() == fast


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("way", ["sdpa", "eager"])
def test_transformers_returns_the_same_matrices_itself(way):
    kit = pytest.importorskip("transformers")
    config = kit.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=64, num_labels=5
    )
    torch.manual_seed(0)
    model = kit.ViTForImageClassification(config).eval()
    model.set_attn_implementation("eager")
    with torch.no_grad():
        own = model(IMAGES, output_attentions=True)
    model.set_attn_implementation(way)
    recording = record_attention(model, IMAGES, gradients=True, read_scores=lambda output: output.logits)
    torch.testing.assert_close(list(recording.activations.values()), list(own.attentions), check_layout=False)
    torch.testing.assert_close(recording.scores, own.logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fused", [True, False])
def test_timm(fused):
    kit = pytest.importorskip("timm")
    torch.manual_seed(0)
    model = kit.create_model("vit_tiny_patch16_224", img_size=64, depth=2, num_classes=5).eval()
    with torch.no_grad():
        scores = model(IMAGES)
    for block in model.blocks:
        block.attn.fused_attn = fused
    recording = record_attention(model, IMAGES, gradients=True)
    assert [tuple(matrix.shape) for matrix in recording.activations.values()] == [(3, 3, 17, 17)] * 2
    torch.testing.assert_close(recording.scores, scores, rtol=1e-5, atol=1e-6)
