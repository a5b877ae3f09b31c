"""Our maps again with a deviation of a peer in each, and the peers that are asked in a way of their own."""

from collections.abc import Callable
from functools import reduce
from types import SimpleNamespace

import numpy as np
import pytorch_grad_cam
import torch
import torch.nn.functional as F
import torchcam.methods as torchcam
from pytorch_grad_cam.utils.model_targets import FinerWeightedTarget
from torch import Tensor, nn

from cam_cli.capture import record, record_attention
from cam_cli.methods import scorecam
from cam_cli.methods.eigencam import principal
from tests.methods.asking import captured

from .networks import BLOCKS, Place
from .peers import Maps, heats, mapped, ours, patched, product, scores_of
from .places import up_to

# --- weights of channels ---------------------------------------------------------------------------------------------


def tensors(place: Place) -> tuple[Tensor, Tensor]:
    """Activations and gradients, (b, c, u, v)."""
    seen, _ = place.seen
    return seen.activations, seen.gradients


def cam_without_bias(place: Place) -> np.ndarray:
    """SqueezeNet's head is a convolution, whose class maps a ReLU follows."""
    head = place.network.get_submodule("classifier.1")
    seen, _ = captured(place.network, place.images, place.layer, place.targets)
    return torch.einsum("bkij,bkuv->buv", head.weight[place.targets], seen.activations).detach().numpy()


def squared_gradients(place: Place) -> np.ndarray:
    a, g = tensors(place)
    return ((g**2 * g.relu()).sum((2, 3), keepdim=True) * a).sum(1).numpy()


def xgradcam_by_sums(place: Place) -> np.ndarray:
    a, g = (one.numpy() for one in tensors(place))
    weights = (g * a / (a.sum((2, 3), keepdims=True) + 1e-7)).sum((2, 3))
    return (weights[:, :, None, None] * a).sum(1)


def gradcam_pp_by_sums(place: Place) -> np.ndarray:
    a, g = tensors(place)
    alpha = g**2 / (2 * g**2 + a.sum((2, 3), keepdim=True) * g**3 + 1e-6)
    return ((alpha * g.relu()).sum((2, 3), keepdim=True) * a).sum(1).numpy()


def noise(place: Place) -> Tensor:
    """What ours draws for one sample."""
    seen, _ = place.seen
    drawn = [torch.randn(seen.inputs.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seen.seeds]
    ranges = seen.inputs.amax((1, 2, 3), keepdim=True) - seen.inputs.amin((1, 2, 3), keepdim=True)
    return 0.1 * ranges * torch.stack(drawn)


def smooth_by_torchcam(place: Place) -> np.ndarray:
    with torchcam.SmoothGradCAMpp(place.network, place.layer, num_samples=1) as cam:
        cam._distrib = SimpleNamespace(sample=lambda size: noise(place))
        place.network(place.images)
        (found,) = cam(place.targets, normalized=False)
    return found.detach().numpy()


def smooth_of_noisy_activations(place: Place) -> np.ndarray:
    seen, probe = place.seen
    noisy = probe.record(seen.inputs + noise(place))
    g, a = noisy.gradients.double(), seen.activations.double()
    below = 2 * g**2 + (a * g**3).sum((2, 3), keepdim=True) + 1e-8
    weights = (g.relu() * (g**2 / below).nan_to_num()).sum((2, 3), keepdim=True)
    return (weights * noisy.activations).sum(1).numpy()


def nearest(place: Place) -> list[FinerWeightedTarget]:
    """What pytorch-grad-cam makes of each image's class and the three whose scores are nearest."""
    scores, rankings = place.seen[0].scores, []
    for row, own in zip(scores, place.targets, strict=True):
        rankings.append((row - row[own]).abs().argsort().tolist())
    return [FinerWeightedTarget(own, rest[:3], 1.0) for own, *rest in rankings]


def finer_by_probabilities(place: Place) -> np.ndarray:
    recording = record(place.network, place.images, [place.layer], gradients=True)
    score = lambda scores: torch.stack([one(row) for one, row in zip(nearest(place), scores, strict=True)])  # noqa: E731
    everyone = torch.ones(len(place.images), dtype=torch.bool)
    gradients = recording.gradients(score, everyone, last=True)[place.layer]
    return (gradients.mean((2, 3), keepdim=True) * recording.activations[place.layer].detach()).sum(1).numpy()


def refine_by_pytorch_grad_cam(place: Place) -> np.ndarray:
    model = place.network
    modules = [model.get_submodule(one.layer) for one in up_to(place)]
    return pytorch_grad_cam.RefineCAM(model, modules)(place.images, scores_of(place))


def refine_on_the_grid(place: Place) -> np.ndarray:
    return heats(product("gradcam++")(place))


def refine_at_the_inputs_size(place: Place) -> np.ndarray:
    return np.prod([heats(gradcam_pp_by_sums(one)) for one in up_to(place)], 0)


# --- for no class ----------------------------------------------------------------------------------------------------


def centred(place: Place) -> np.ndarray:
    return principal(tensors(place)[0], centred=True).numpy()


def shares_of_strong_cells(place: Place) -> np.ndarray:
    a, _ = tensors(place)
    strong = a > a.mean((2, 3), keepdim=True) + 2 * a.std((2, 3), correction=0, keepdim=True)
    return (strong.float().mean((2, 3), keepdim=True) * a).sum(1).numpy()


# --- at the input ----------------------------------------------------------------------------------------------------


def fullgrad_by_pytorch_grad_cam(place: Place) -> np.ndarray:
    return pytorch_grad_cam.FullGrad(place.copy(), [])(place.images, scores_of(place))


def terms(place: Place) -> list[Tensor]:
    """Input times its gradients, and of each layer with a grid its biases times theirs: (b, c, u, v)."""
    seen, probe = place.seen
    grids = [one for one in probe.bias_gradients() if one.ndim == 4]
    return [seen.inputs * probe.input_gradients(seen.inputs), *grids]


def channelwise(place: Place) -> np.ndarray:
    def scaled(one: Tensor) -> Tensor:
        one = one.abs() - one.abs().amin((2, 3), keepdim=True)
        one = one / (one.amax((2, 3), keepdim=True) + 1e-7)
        return F.interpolate(one, place.images.shape[2:], mode="bilinear").sum(1)

    return reduce(torch.add, map(scaled, terms(place))).numpy()


class Guided(torch.autograd.Function):
    """A ReLU of guided backpropagation."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * (x > 0)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x > 0) * (gradient > 0)


def guided_in_modules(place: Place) -> np.ndarray:
    def maps(place: Place) -> np.ndarray:
        image = place.images.requires_grad_()
        score = place.copy()(image)[0, place.targets[0]]
        return torch.autograd.grad(score, image)[0].abs().amax(1).numpy()

    return patched(maps, nn.ReLU, "forward", lambda self, x: Guided.apply(x))(place)


def guided_gradcam_in_modules(place: Place) -> np.ndarray:
    coarse = torch.tensor(ours("gradcam")(place)).relu()[None]
    where = F.interpolate(coarse, place.images.shape[2:], mode="bilinear")[0].numpy()
    return where * guided_in_modules(place)


# --- by asking again -------------------------------------------------------------------------------------------------


def aligned(channel: Tensor, image: Tensor) -> Tensor:
    """A mask as pytorch-grad-cam makes it: the corners of both sizes are one."""
    mask = F.interpolate(channel[None, None], image.shape[1:], mode="bilinear", align_corners=True)[0, 0]
    return (mask - mask.min()) / (mask.max() - mask.min())


def scaled_first(channel: Tensor, image: Tensor) -> Tensor:
    """A mask as torchcam makes it: from 0 to 1 on the grid, not after."""
    mask = (channel - channel.min()) / (channel.max() - channel.min())
    return F.interpolate(mask[None, None], image.shape[1:], mode="bilinear", align_corners=False)[0, 0]


Mask = Callable[[Tensor, Tensor], Tensor]
"""Of a channel (u, v) and an image (3, h, w): the mask (h, w)."""


def masked(method: str, mask_of: Mask) -> Maps:
    return patched(lambda place: mapped(method, place), scorecam, "mask_of", mask_of)


def ablated_far_below(place: Place) -> np.ndarray:
    """Of each batch of 32 channels one after the other is 10⁷ below all before it."""
    (channels,), _ = tensors(place)
    lit = channels.repeat(len(channels), 1, 1, 1)
    for k, one in enumerate(lit):
        one[k] = channels.min() - 1e7 * (k % 32 + 1)
    whole = place.seen[0].scores[0, place.targets[0]]
    model = place.copy()
    hook = model.get_submodule(place.layer).register_forward_hook(lambda module, inputs, output: lit)
    with torch.no_grad():
        scores = model(place.images.expand(len(lit), -1, -1, -1))[:, place.targets[0]]
    hook.remove()
    return (((whole - scores) / whole)[:, None, None] * channels).sum(0)[None].numpy()


# --- of tokens -------------------------------------------------------------------------------------------------------


def blocks(place: Place) -> list[str]:
    return [f"encoder.layers.encoder_layer_{number}" for number in range(BLOCKS[place.name])]


def legrad_of_a_score_a_block(place: Place) -> np.ndarray:
    model, outputs = place.network, []
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda module, inputs, output: outputs.append(output))
        for name in blocks(place)
    ]
    recording = record_attention(model, place.images, gradients=True)
    for hook in hooks:
        hook.remove()
    relevance = []
    for tokens, matrix in zip(outputs, recording.activations.values(), strict=True):
        scores = model.heads(model.encoder.ln(tokens.mean(1)))
        chosen = scores[torch.arange(len(scores)), place.targets].sum()
        (gradient,) = torch.autograd.grad(chosen, matrix, retain_graph=True)
        relevance.append(gradient.relu().mean((1, 2))[:, 1:].unflatten(1, (4, 4)))
    return torch.stack(relevance).mean(0).numpy()
