"""What is minimised, by what steps, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cam_cli.models.layers import Survey
from cam_cli.models.weak import WeakNetwork

WARM = 0.1  # of all steps, over which the rate rises
SLOWER = 0.5  # the rate of a stage, of that of the stage behind it


def loss(scores: Tensor, present: Tensor, known: Tensor, competing: bool) -> Tensor:
    """Of each image, (b,). scores, present, known: (b, k), logits, 1 or 0, and 1 where that can be told.

    Each class by itself: Σ_c log(1 + exp(−y_c S_c)), y_c = ±1, over the classes that are known; Oquab et al. 2015,
    eq. 1, the sum of k log-losses. competing: −log softmax(S)_c of the one class that is there, as for CAM.
    """
    if competing:
        return -(scores.log_softmax(1) * present).sum(1)
    return (F.binary_cross_entropy_with_logits(scores, present, reduction="none") * known).sum(1)


def rate(step: int, steps: int) -> float:
    """The learning rate at a step, from 0, of `steps`, as a part of its highest: it rises in a straight line for the
    first tenth, then falls as half a cosine to 0."""
    warm = max(1, round(WARM * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))


Part = tuple[list[nn.Parameter], float]
"""Parameters, and their learning rate at its highest."""


def parts(network: WeakNetwork, seen: Survey, rate: float, last: float) -> list[Part]:
    """The head at `rate`; and where `last` is not 0 the trunk: what belongs to its last stage at `last` times that, to
    the stage before it at half of this, and so on down. seen: of the whole network, whose head is its last stage."""
    finished = [path for path in seen.outputs if path.startswith("trunk.")]
    places = {path: place for place, path in enumerate(finished)}
    ends = [places[stage.path] for stage in seen.stages.values() if stage.path in places]
    found: list[Part] = [([*network.head.parameters()], rate)]
    taken = set[int]()
    for path, module in network.named_modules():
        own = [one for one in module.parameters(recurse=False) if one.requires_grad and id(one) not in taken]
        if path.partition(".")[0] == "trunk" and own and last:
            taken |= {id(one) for one in own}
            back = sum(places.get(path, -1) <= end for end in ends)
            found.append((own, rate * last * SLOWER**back))
    return found


def optimizer(found: Sequence[Part], decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019), with `decay` of matrices and kernels; vectors do not decay. Each group keeps
    its highest rate as `highest`; `set_rate` sets them for a step."""
    groups = []
    for parameters, highest in found:
        for matrices in (True, False):
            members = [one for one in parameters if (one.ndim > 1) == matrices]
            if members:
                own = {"lr": highest, "highest": highest, "weight_decay": decay if matrices else 0.0}
                groups.append({"params": members, **own})
    return torch.optim.AdamW(groups)


def set_rate(found: torch.optim.Optimizer, part: float) -> None:
    """Every group's rate, as a part of its highest."""
    for group in found.param_groups:
        group["lr"] = group["highest"] * part
