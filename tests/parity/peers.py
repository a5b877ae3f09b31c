"""Our maps and those of three libraries, of any `Place`, as they come: ours and most of theirs signed."""

import warnings
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any
from unittest import mock

import captum.attr as captum
import numpy as np
import pytorch_grad_cam
import torch
import torchcam.methods as torchcam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from cam_cli.maps import fuse, heatmap, rectify
from cam_cli.methods.cam import Cam
from cam_cli.methods.choice import Choice
from cam_cli.models.head import find_head
from cam_cli.types import Geometry
from tests.methods.asking import captured

from .networks import HEADS, SIDE, Place
from .places import up_to

Maps = Callable[[Place], np.ndarray]
"""Of a place: maps (b, u, v) of its images."""

WHOLE = Geometry(224, 160, 224, 160, (1.0, 1.0), (0.0, 0.0), "squash")


@cache
def ours(method: str) -> Maps:
    """Our raw maps. method: with its parameters, as on the command line. Each map is made once."""
    return cache(lambda place: mapped(method, place))


def mapped(method: str, place: Place) -> np.ndarray:
    _, chosen = Choice.parse(method).load()
    return chosen.map(*place.seen).numpy()


def rectified(maps: Maps) -> Maps:
    return lambda place: np.stack([rectify(one) for one in maps(place)])


def heats(maps: np.ndarray) -> np.ndarray:
    """(b, h, w): as the tool ends, rectified, at the input's size, from 0 to 1."""
    return np.stack([heatmap(one, WHOLE).heat for one in maps])


def turned(theirs: Maps, like: Maps) -> Maps:
    """Each map of `theirs` with the sign that suits `like`: a principal component has any."""

    def maps(place: Place) -> np.ndarray:
        found = theirs(place)
        return found * np.sign((found * like(place)).sum((1, 2), keepdims=True))

    return maps


def patched(maps: Maps, what: Any, name: str, new: Any) -> Maps:
    """What `maps` makes while the attribute `name` of `what` is another."""

    def inside(place: Place) -> np.ndarray:
        with mock.patch.object(what, name, new):
            return maps(place)

    return inside


# What a person would write for pytorch-grad-cam.
LAID_OUT = {
    "vit": lambda tensor: tensor[:, 1:].reshape(len(tensor), 4, 4, -1).permute(0, 3, 1, 2),
    "swin": lambda tensor: tensor.permute(0, 3, 1, 2),
}


def scores_of(place: Place, score: Callable[[int], Any] = ClassifierOutputTarget) -> list[Any]:
    return [score(index) for index in place.targets]


def by_pytorch_grad_cam(kind: str, scores: Callable[[Place], list[Any]] = scores_of, heat: bool = False) -> Maps:
    """Signed; with `heat` what it returns in the end."""

    def maps(place: Place) -> np.ndarray:
        model, kept = place.network, []
        layers = [model.get_submodule(place.layer)]
        with getattr(pytorch_grad_cam, kind)(model, layers, reshape_transform=LAID_OUT.get(place.name)) as cam:
            base = getattr(cam, "base_cam", cam)  # of what wraps another
            inner = base.get_cam_image

            def keep(*given: Any) -> np.ndarray:
                kept.append(inner(*given))
                return kept[-1]

            with mock.patch.object(base, "get_cam_image", keep):
                returned = cam(place.images, scores(place))
        return returned if heat else kept[0]

    return maps


def by_torchcam(kind: str, layers: Callable[[Place], Any] = lambda place: place.layer, **parameters: Any) -> Maps:
    """Rectified. layers: what it is told to look at."""

    def maps(place: Place) -> np.ndarray:
        torch.manual_seed(0)
        model = place.network
        with getattr(torchcam, kind)(model, layers(place), **parameters) as cam:
            (found,) = cam(place.targets, model(place.images), normalized=False)
        return found.detach().numpy()

    return maps


def by_captum(kind: str, *, layered: bool = False, **options: Any) -> Callable[[Place], Tensor]:
    """(b, c, u, v), signed."""

    def attributions(place: Place) -> Tensor:
        model = place.copy() if kind.startswith("Guided") else place.network
        given = [model.get_submodule(place.layer)] if layered else []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the hooks it sets
            made = getattr(captum, kind)(model, *given)
            return made.attribute(place.images, target=torch.tensor(place.targets), **options).detach()

    return attributions


def largest(attributions: Callable[[Place], Tensor]) -> Maps:
    """(b, h, w): of each pixel the largest magnitude of its colours."""
    return lambda place: attributions(place).abs().amax(1).numpy()


def cam(place: Place) -> np.ndarray:
    """At the layer that is found, whichever the peer is told."""
    layer = find_head(place.network, SIDE).layer
    seen, probe = captured(place.network, place.images, layer, place.targets, head=True)
    return Cam().map(seen, probe).numpy()


def cam_by_torchcam(place: Place) -> np.ndarray:
    """It has to be told both layers."""
    with torchcam.CAM(place.network, place.layer, HEADS[place.name]) as extractor, torch.no_grad():
        place.network(place.images)
        (found,) = extractor(place.targets, normalized=False)
    return found.detach().numpy()


def channel(attributions) -> Maps:
    return lambda place: attributions(place).squeeze(1).numpy()


def smoothgrad_by_captum(place: Place) -> np.ndarray:
    """One sample a pass, as ours: the rounding of a larger one turns a ReLU or two. The noise of each has a seed."""
    (seed,), seeds = place.seen[0].seeds, count(1)
    spread = (0.15 * (place.images.max() - place.images.min())).item()

    def network(images: Tensor) -> Tensor:
        torch.manual_seed(seed + next(seeds))  # of the noise that follows
        scores: Tensor = place.network(images)
        return scores

    torch.manual_seed(seed)
    found = captum.NoiseTunnel(captum.Saliency(network)).attribute(
        place.images,
        nt_type="smoothgrad",
        nt_samples=8,
        nt_samples_batch_size=1,
        stdevs=spread,
        target=place.targets[0],
        abs=False,
    )
    return found.detach().abs().sum(1).numpy()


def guided_by_pytorch_grad_cam(place: Place) -> np.ndarray:
    (index,) = place.targets
    found = pytorch_grad_cam.GuidedBackpropReLUModel(place.copy(), torch.device("cpu"))(
        place.images, target_category=index
    )
    return np.abs(found).max(2)[None]


def random_by_pytorch_grad_cam(place: Place) -> np.ndarray:
    """On the weights that ours draws, in the place of its own."""
    drawn = [
        torch.rand(place.seen[0].activations.shape[1], generator=torch.Generator().manual_seed(seed)) * 2 - 1
        for seed in place.seen[0].seeds
    ]
    weights = torch.stack(drawn).numpy()
    with mock.patch.object(np.random, "uniform", lambda low, high, size: weights.reshape(size)):
        return by_pytorch_grad_cam("RandomCAM")(place)


def product(method: str) -> Maps:
    """Our maps of `up_to`, multiplied."""

    def maps(place: Place) -> np.ndarray:
        layered = [ours(method)(one) for one in up_to(place)]
        return np.stack([fuse(list(raws), "product") for raws in zip(*layered, strict=True)])

    return maps


def per_score(maps: Maps) -> Maps:
    """Over the score, which must be positive."""

    def divided(place: Place) -> np.ndarray:
        score = place.seen[0].scores[0, place.targets[0]].item()
        assert score > 0
        return maps(place) / score

    return divided
