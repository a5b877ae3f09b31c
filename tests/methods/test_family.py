"""Methods of the gradient family: maps by hand, limits in which they are other methods, and formulas again in loops."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cam_cli.maps import fuse
from cam_cli.methods import METHODS
from cam_cli.methods.eigencam import principal
from cam_cli.methods.finercam import FinerCam
from cam_cli.methods.fullgrad import FullGrad
from cam_cli.methods.gradcam import GradCam
from cam_cli.methods.gradcam_pp import GradCamPlusPlus
from cam_cli.methods.kpcacam import KpcaCam
from cam_cli.methods.method import Target
from cam_cli.methods.refinecam import RefineCam
from cam_cli.methods.shapleycam import ShapleyCam
from cam_cli.methods.smoothgradcam_pp import SmoothGradCamPlusPlus
from cam_cli.methods.xgradcam import XGradCam
from tests.nets import Blunt, ByHand, Residual, seeded

from .asking import NOBODY, by_hand, captured

# Two channels of four cells, the second of both signs, and the gradients of a score.
ACTIVATIONS = torch.tensor([[[1.0, 2], [3, 4]], [[0, -1], [2, 1]]])
GRADIENTS = torch.tensor([[[1.0, 0], [0, -1]], [[2, 2], [1, 0]]])


def images(count: int = 2, size: int = 16) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(2))


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def close(found: torch.Tensor, expected: np.ndarray | torch.Tensor, share: float = 1e-5) -> None:
    """Within a share of the largest expected value."""
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * np.abs(expected).max())


def test_xgradcam_by_hand():
    """Weights (1 − 4)/10 and, by magnitudes, (2 + 2)/4; a channel of zeros has none."""
    empty = torch.cat([ACTIVATIONS, torch.zeros(1, 2, 2)])[None]
    steep = torch.cat([GRADIENTS, torch.full((1, 2, 2), 1e30)])[None]
    (found,) = XGradCam().map(by_hand(empty, steep), NOBODY)
    torch.testing.assert_close(found, -0.3 * ACTIVATIONS[0] + ACTIVATIONS[1])


@pytest.mark.parametrize("sign", [1, -1])
def test_xgradcam_of_channels_of_one_sign_is_the_papers_and_conserves(sign):
    """The paper's second axiom, that the map sums to Σ A g, as its first-order score."""
    activations, gradients = sign * noise(2, 5, 4, 3).abs(), noise(2, 5, 4, 3).roll(1, 1)
    found = XGradCam().map(by_hand(activations, gradients), NOBODY)
    a, g = activations.double(), gradients.double()
    close(found, ((a * g).sum((2, 3), keepdim=True) / a.sum((2, 3), keepdim=True) * a).sum(1))
    close(found.sum((1, 2)), (a * g).sum((1, 2, 3)))


def test_xgradcam_of_even_gradients_is_gradcam():
    activations, gradients = noise(2, 5, 4, 3), noise(2, 5, 1, 1).expand(-1, -1, 4, 3)
    seen = by_hand(activations, gradients)
    close(XGradCam().map(seen, NOBODY), GradCam().map(seen, NOBODY))


def kernel_component(cells: np.ndarray, gamma: float) -> np.ndarray:
    """First kernel principal component of cells (n, c), a pair at a time, in float64."""
    cells = cells - cells.mean(0)
    count = len(cells)
    kernel = np.array(
        [[np.tanh(gamma * sum(p * q for p, q in zip(x, y, strict=True)) + 1) for y in cells] for x in cells]
    )
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(centring @ kernel @ centring)
    found = np.sqrt(values[-1]) * vectors[:, -1]
    return found * (1 if (found * cells.sum(1)).sum() >= 0 else -1)


@pytest.mark.parametrize("gamma", [1.0, 0.3])
def test_kpcacam_again_in_float64(gamma):
    activations = noise(2, 6, 4, 5)
    for found, one in zip(KpcaCam(gamma).map(by_hand(activations), NOBODY), activations, strict=True):
        cells = one.flatten(1).T.double().numpy()
        close(found, kernel_component(cells, gamma / 6).reshape(4, 5))


def test_kpcacam_of_a_faint_kernel_is_linear():
    """tanh(1 + γ x·y) is tanh 1 + (1 − tanh² 1) γ x·y for small γ: the centred linear component, in other units."""
    activations = noise(2, 6, 4, 5)
    found = KpcaCam(gamma=6e-3).map(by_hand(activations), NOBODY)
    close(found / (1e-3 * (1 - np.tanh(1) ** 2)) ** 0.5, principal(activations, centred=True), 0.01)


def test_kpcacam_of_cells_all_alike_is_zero():
    alike = torch.full((1, 7, 4, 5), 1 / 3) * torch.arange(1, 8).view(1, 7, 1, 1)
    assert not KpcaCam().map(by_hand(alike), NOBODY).any()


def test_kpcacam_of_an_image_that_is_not_finite_spoils_no_other():
    activations = noise(2, 6, 4, 5)
    activations[0, 2, 1, 1] = torch.inf
    found = KpcaCam().map(by_hand(activations), NOBODY)
    assert found[0].isnan().all()
    close(found[1], KpcaCam().map(by_hand(activations[1:]), NOBODY)[0])


def test_finercam_by_hand():
    """Of two classes the other is the reference: (M_c − γ M_d) over the number of cells."""
    seen, probe = captured(ByHand(), images(), "features", [0, 1])
    red, other = seen.activations.unbind(1)
    maps = torch.stack([red, -red + 2 * other], 1) / 16
    expected = torch.stack([maps[0, 0] - 0.6 * maps[0, 1], maps[1, 1] - 0.6 * maps[1, 0]])
    close(FinerCam().map(seen, probe), expected)
    probe.seen = replace(seen, target=replace(seen.target, signs=-seen.target.signs), gradients=-seen.gradients)
    close(FinerCam().map(probe.seen, probe), -expected)


@pytest.mark.parametrize("references", [1, 2, 5])
def test_finercam_takes_off_the_classes_that_score_nearest(references):
    model, chosen = seeded(Residual()), [3, 0]
    seen, probe = captured(model, images(), "branch", chosen)
    expected = []
    for row, own in enumerate(chosen):
        scores = seen.scores[row].tolist()
        others = sorted((k for k in range(4) if k != own), key=lambda k: abs(scores[k] - scores[own]))[:references]
        of = lambda k, row=row: GradCam().map(*captured(model, images(), "branch", [k, k]))[row].double()  # noqa: E731
        expected.append(of(own) - 0.5 * sum(of(k) for k in others) / len(others))
    close(FinerCam(0.5, references).map(seen, probe), torch.stack(expected))


def test_shapleycam_by_the_whole_hessian():
    model = ByHand().double()
    seen, probe = captured(ByHand(), images(), "features", [1, 0])

    for found, a, index in zip(ShapleyCam().map(seen, probe), seen.activations.double(), [1, 0], strict=True):

        def utility(a: torch.Tensor, index: int = index) -> torch.Tensor:
            logits = model.fc(a.mean((1, 2)))
            return logits[index] + logits.log_softmax(0)[index]

        gradient = torch.autograd.functional.jacobian(utility, a)
        hessian = torch.autograd.functional.hessian(utility, a).reshape(a.numel(), a.numel())
        assert hessian.any()
        weights = (gradient - (hessian @ a.flatten()).view_as(a) / 2).mean((1, 2))
        close(found, (weights[:, None, None] * a).sum(0))


@pytest.mark.parametrize("layer", ["stem", "branch"])
def test_smoothgradcam_pp_without_noise_is_gradcam_pp(layer):
    seen, probe = captured(seeded(Residual()), images(), layer, [1, 2])
    expected = GradCamPlusPlus().map(seen, probe)
    close(SmoothGradCamPlusPlus(samples=3, noise=0).map(seen, probe), expected)
    assert not torch.allclose(SmoothGradCamPlusPlus().map(seen, probe), expected, rtol=0.01)


def test_smoothgradcam_pp_again_in_float64():
    model, samples = seeded(Residual()), 4
    seen, probe = captured(model, images(), "branch", [1, 2])
    found = SmoothGradCamPlusPlus(samples, 0.2).map(seen, probe)
    for row, seed in enumerate(seen.seeds):
        image = images()[row]
        drawn = [torch.randn(image.shape, generator=torch.Generator().manual_seed(seed + i)) for i in range(samples)]
        noisy = [image + 0.2 * (image.max() - image.min()) * one for one in drawn]
        index = seen.target.indices[row].item()
        slopes = [captured(model, one[None], "branch", [index])[0].gradients[0].double().numpy() for one in noisy]
        first, second, third = (sum(slope**power for slope in slopes) / samples for power in (1, 2, 3))
        a, expected = seen.activations[row].double().numpy(), 0
        for k in range(len(a)):
            below = 2 * second[k] + np.maximum(a[k], 0).sum() * np.maximum(third[k], 0)
            alpha = np.divide(second[k], below, out=np.zeros_like(below), where=below > 0)
            expected = expected + (alpha * np.maximum(first[k], 0)).sum() * a[k]
        close(found[row], expected, 1e-4)


def test_smoothgradcam_pp_draws_an_images_noise_from_its_own_seed():
    seen, probe = captured(seeded(Residual()), images(), "branch", [1, 1])
    method = SmoothGradCamPlusPlus()
    found = method.map(seen, probe)
    probe.seen = replace(seen, seeds=(0, 7))
    other = method.map(probe.seen, probe)
    torch.testing.assert_close(other[0], found[0])
    assert not torch.allclose(other[1], found[1])


def test_refinecam_multiplies_what_is_hot_in_every_layer():
    deep, shallow = np.float32([[-1, 3]]), np.float32([[0, 4, 2, 1]])
    # Rectified and min–maxed: 0 1 → 0 1/4 3/4 1 at the finer grid, and 0 1 1/2 1/4.
    np.testing.assert_allclose(fuse([deep, shallow], RefineCam.fuse), [[0, 1 / 4, 3 / 8, 1 / 4]], rtol=1e-6)
    assert not fuse([deep - 9, shallow], "product").any()


def test_refinecam_is_of_all_stages(camtool, photo, tmp_path):
    def ran(out: str, *options: str) -> tuple[list[str], np.ndarray]:
        found = camtool("explain", photo("a.png"), "--save", "raw", "--json", "-o", out, *options)
        (one,) = json.loads(found.out)["maps"]
        return one["layers"], np.load(tmp_path / out / one["files"]["raw"])

    layers, raw = ran("one", "--method", "refinecam")
    assert len(layers) == 4
    assert raw.shape == (56, 56)
    assert raw.min() >= 0
    named, other = ran("two", "--method", "gradcam++", "--layer", "layer1+layer2+layer3+layer4", "--fuse", "product")
    assert named == layers
    np.testing.assert_array_equal(raw, other)


class Plain(nn.Module):
    """Modules that run once, each writing over nothing: what hooks see is what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 5, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(5, 6, 3, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(),
        )
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


@pytest.mark.parametrize("kind", [ByHand, Residual, Blunt, Plain])
def test_fullgrad_is_complete(kind):
    """Input times its gradients and biases times theirs sum to the score: piecewise linear networks have no more."""
    model = seeded(kind())
    seen, probe = captured(model, images(), None, [1, 0])
    terms = [seen.inputs * probe.input_gradients(seen.inputs), *probe.bias_gradients()]
    total = sum(one.double().flatten(1).sum(1) for one in terms)
    weight = sum(one.double().abs().flatten(1).sum(1) for one in terms)
    biases = [name for name, _ in model.named_parameters() if name.endswith("bias")]
    assert len(terms) == 1 + len(biases)
    assert ((total - seen.target(seen.scores)).abs() < 1e-6 * weight).all()
    assert all(not one.requires_grad for one in terms)


def test_fullgrad_by_backward_hooks():
    """The authors' way of collecting, an image at a time in float64, with their min–max over a layer."""
    model = seeded(Plain())
    found = FullGrad().map(*captured(model, images(), None, [1, 0]))
    assert found.shape == (2, 16, 16)
    model = model.double()
    for row, index in enumerate([1, 0]):
        image, gradients = images()[row : row + 1].double().requires_grad_(), {}
        collect = lambda module, _, given, into=gradients: into.update({module: given[0]})  # noqa: E731
        handles = [model.body[place].register_full_backward_hook(collect) for place in (0, 4)]
        model(image)[0, index].backward()
        norm = model.body[4]
        implicit = norm.bias - norm.running_mean * norm.weight / torch.sqrt(norm.running_var + norm.eps)
        biases = {model.body[0]: model.body[0].bias, norm: implicit}
        expected = rescaled(image.grad * image).sum(1)
        for module, bias in biases.items():
            layer = rescaled(gradients[module] * bias[None, :, None, None])
            expected = expected + F.interpolate(layer, (16, 16), mode="bilinear").sum(1)
        close(found[row], expected[0].detach())
        for handle in handles:
            handle.remove()


def rescaled(terms: torch.Tensor) -> torch.Tensor:
    size = terms.abs()
    return (size - size.min()) / (size.max() - size.min())


@pytest.mark.parametrize("name", ["xgradcam", "smoothgradcam++", "refinecam", "finercam", "shapleycam"])
def test_nothing_to_explain_is_a_map_of_zeros(name):
    """A class whose score does not depend on the layer."""
    model = seeded(Residual())
    with torch.no_grad():
        model.fc.weight.zero_()
    seen, probe = captured(model, images(), "branch", Target.of(torch.tensor([0, 1])))
    assert not METHODS.load(name)().map(seen, probe).any()
