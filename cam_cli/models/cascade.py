"""A network whose weights are drawn anew from the top down: what a map that shows what was learnt has to notice."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import torch
from torch import nn

from cam_cli.errors import ModelFailed

from .layers import Survey

FEWEST = 3  # stages; with fewer, as among tokens, the layers are parted evenly
PARTS = 4


def cascade(seen: Survey, seed: int) -> tuple[nn.Module, ...]:
    """Copies of the network, each with more weights drawn anew than the one before: the head alone, then stage after
    stage, down to all of them. The network itself stays as it is, and so does torch's global generator.

    A module with a `reset_parameters` of its own draws them as it does at its making (torch's layers do: uniform by
    fan-in; batch norm goes back to mean 0, variance 1, weight 1 and bias 0). Of others each parameter becomes normal
    noise of its own mean and standard deviation. Drawn on the CPU, so the same on every device.
    Adebayo et al., NeurIPS 2018, arXiv:1810.03292: cascading randomisation, block by block. Quantus goes layer by layer
    in the reverse order of their definition; ours is the order in which they run.
    Raises ModelFailed where the network cannot be copied or its own code cannot draw.
    """
    module = seen.specimen.module
    device = next((one.device for one in module.parameters()), torch.device("cpu"))
    copies: list[nn.Module] = []
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.default_generator.manual_seed(seed)
            drawn = deepcopy(module).cpu()
            for paths in steps(seen):
                for path in paths:
                    draw(drawn.get_submodule(path))
                copies.append(deepcopy(drawn).to(device))
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        raise ModelFailed(f"the weights of {seen.specimen.name} cannot be drawn anew ({words})") from error
    return tuple(copies)


def draw(module: nn.Module) -> None:
    """Draws the parameters that are a module's own, not its children's, from torch's generator."""
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    for parameter in module.parameters(recurse=False):
        parameter.normal_(parameter.mean().item(), parameter.std(correction=0).item())


def steps(seen: Survey) -> list[list[str]]:
    """The paths of the modules that have parameters of their own, in groups: the last to run, which is the head, then
    those after the last stage if there are any, then stage by stage down to the first."""
    places = first_run(list(seen.outputs))
    modules = seen.specimen.module.named_modules()
    owners = [path for path, module in modules if any(True for _ in module.parameters(recurse=False))]
    *below, head = sorted(owners, key=lambda path: places[running(path, places)])
    ends = sorted(list(seen.outputs).index(stage.path) for stage in seen.stages.values())
    cuts = [sum(places[running(path, places)] <= end for path in below) for end in ends]
    if len(ends) < FEWEST:
        cuts = [len(below) * part // PARTS for part in range(1, PARTS)]
    groups = [below[start:end] for start, end in pairwise([0, *cuts, len(below)])]
    return [[head], *filter(None, reversed(groups))]


def first_run(finished: list[str]) -> dict[str, int]:
    """When the first module at or below a path has finished. What holds others may use its parameters before them, as
    it does position embeddings, so it comes with the first of them."""
    places: dict[str, int] = {}
    for place, path in enumerate(finished):
        places.setdefault(path, place)
        while path:
            path = path.rpartition(".")[0]
            places.setdefault(path, place)
    return places


def running(path: str, places: dict[str, int]) -> str:
    """The innermost module around a path that runs by itself: those inside torch's attention do not."""
    while path not in places:
        path = path.rpartition(".")[0]
    return path
