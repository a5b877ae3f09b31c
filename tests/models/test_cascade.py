"""Weights drawn anew from the top down: which, how, and that nothing else changes."""

import pytest
import torch
from torch import nn

from cam_cli.errors import ModelFailed
from cam_cli.models.cascade import cascade, steps
from cam_cli.models.efficientnet_lite import efficientnet_lite0
from cam_cli.models.layers import survey
from tests.contracts.networks import KINDS, network
from tests.nets import Blunt, ByHand, Residual, seeded, vit
from tests.test_capture import assert_same, state


def changed(one: nn.Module, other: nn.Module) -> set[str]:
    """The names of parameters and buffers that differ."""
    mine, theirs = one.state_dict(), other.state_dict()
    return {name for name in mine if not torch.equal(mine[name], theirs[name])}


def test_from_the_head_down_in_the_order_of_running():
    assert steps(survey(seeded(Residual()), 16)) == [
        ["fc"], ["last.0", "last.1"], ["second", "branch.0"], ["norm", "first"], ["stem"],
    ]  # fmt: skip
    assert steps(survey(Blunt(), 16)) == [["classifier.3"], ["classifier.1"], ["features.0"]]
    assert steps(survey(ByHand(), 16)) == [["fc"], ["features"]]


def test_stage_by_stage():
    class Staged(nn.Sequential):
        """Four stages of a block each, then two linear layers."""

        def __init__(self):
            blocks = [nn.Sequential(nn.Conv2d(3, 3, 3, 2, 1), nn.BatchNorm2d(3), nn.ReLU()) for _ in range(4)]
            super().__init__(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4), nn.Linear(4, 5))

    parts = [[f"{stage}.0", f"{stage}.1"] for stage in (3, 2, 1, 0)]
    assert steps(survey(Staged().eval(), 64)) == [["7"], ["6"], *parts]


def test_the_default_model():
    """bn2 is the last stage itself."""
    groups = steps(survey(efficientnet_lite0(10), 64))
    assert groups[0] == ["classifier"]
    assert [(group[0], group[-1]) for group in groups[1:]] == [
        ("blocks.5.0.conv_pw", "bn2"),
        ("blocks.3.0.conv_pw", "blocks.4.2.bn3"),
        ("blocks.2.0.conv_pw", "blocks.2.1.bn3"),
        ("conv_stem", "blocks.1.1.bn3"),
    ]


def test_what_a_module_holds_beside_its_children_comes_before_them():
    """The class token is the network's own, the position embeddings the encoder's; torch's attention runs its output
    layer by itself."""
    groups = steps(survey(vit(), 64))
    assert groups[0] == ["heads.head"]
    assert {"", "conv_proj", "encoder"} <= set(groups[-1])
    at = {path: place for place, group in enumerate(groups) for path in group}
    assert at["encoder.layers.encoder_layer_0.ln_1"] > at["encoder.layers.encoder_layer_1.ln_1"] > at["encoder.ln"]
    assert "encoder.layers.encoder_layer_1.self_attention.out_proj" in at
    assert len(groups) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_adds_to_the_one_before_and_the_last_has_all(kind):
    model = network(kind)
    seen, before, random = survey(model, KINDS[kind].size), state(model), torch.get_rng_state()
    groups, copies = steps(seen), cascade(seen, 3)
    assert len(copies) == len(groups) <= 6
    known = model
    for number, (group, copy) in enumerate(zip(groups, copies, strict=True)):
        allowed = {f"{path}." if path else "" for path in group}
        added = changed(known, copy)
        assert added
        assert all(f"{name.rpartition('.')[0]}.".removeprefix(".") in allowed for name in added), number
        known = copy
        assert not copy.training
    parameters = {name for name, one in model.named_parameters() if one.numel() > 1}
    constant = {name for name in parameters - changed(model, known) if one_value(model.get_parameter(name))}
    assert parameters - changed(model, known) == constant
    assert_same(before, state(model))
    assert torch.equal(random, torch.get_rng_state())


def one_value(parameter: torch.Tensor) -> bool:
    """As new: all ones or zeros, to which its module goes back, or without a spread that noise could have."""
    return bool((parameter == parameter.flatten()[0]).all())


def test_batch_norm_goes_back_to_its_defaults_only_when_its_turn_comes():
    model = seeded(Residual())
    copies = cascade(survey(model, 16), 0)
    assert torch.equal(copies[0].last[1].running_mean, model.last[1].running_mean)
    assert not copies[1].last[1].running_mean.any()
    assert (copies[1].last[1].running_var == 1).all()
    assert (copies[1].last[1].weight == 1).all()
    assert torch.equal(copies[1].norm.running_var, model.norm.running_var)


def test_a_parameter_without_a_rule_of_its_own_becomes_noise_of_the_same_spread():
    class Scaled(ByHand):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(3 + 2 * torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(0)))
            self.level = nn.Parameter(torch.full((1, 1, 1), 0.25))

        def forward(self, x):
            return super().forward(x * self.level + self.shift)

    model = Scaled().eval()
    last = cascade(survey(model, 16), 0)[-1]
    assert not torch.equal(last.shift, model.shift)
    assert last.shift.mean().item() == pytest.approx(3, abs=0.3)
    assert last.shift.std().item() == pytest.approx(2, rel=0.1)
    assert last.level.item() == 0.25


def test_the_seed_and_nothing_else_decides():
    model = seeded(Residual())
    torch.manual_seed(1)
    one = cascade(survey(model, 16), 5)
    torch.manual_seed(2)
    same, other = cascade(survey(model, 16), 5), cascade(survey(model, 16), 6)
    assert [changed(*pair) for pair in zip(one, same, strict=True)] == [set()] * len(one)
    assert changed(one[0], other[0]) == {"fc.weight", "fc.bias"}


def test_a_copy_shares_nothing_with_the_network():
    model = seeded(Residual())
    mine = {one.data_ptr() for one in model.state_dict().values()}
    copies = cascade(survey(model, 16), 0)
    theirs = [one.data_ptr() for copy in copies for one in copy.state_dict().values()]
    assert not mine & set(theirs)
    assert len(set(theirs)) == len(theirs)


def test_a_network_that_cannot_be_copied_or_drawn_is_said_in_words():
    class Stubborn(ByHand):
        def __deepcopy__(self, memo):
            raise TypeError("one of a kind")

    with pytest.raises(ModelFailed, match=r"Stubborn cannot be drawn anew .*one of a kind"):
        cascade(survey(Stubborn(), 16), 0)

    model = ByHand()
    model.fc.reset_parameters = lambda scale: None
    random = torch.get_rng_state()
    with pytest.raises(ModelFailed, match="scale"):
        cascade(survey(model, 16), 0)
    assert torch.equal(random, torch.get_rng_state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_the_same_network_on_cuda():
    expected = cascade(survey(seeded(Residual()), 16), 0)
    model, random = seeded(Residual()).cuda(), torch.cuda.get_rng_state()
    found = cascade(survey(model, 16), 0)
    for one, other in zip(found, expected, strict=True):
        assert all(value.is_cuda for value in one.state_dict().values())
        assert not changed(one.cpu(), other)
    assert torch.equal(random, torch.cuda.get_rng_state())
