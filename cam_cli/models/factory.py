"""A person's own network: `package.module:factory` or `file.py:factory`, a function that returns a torch module.

Importing it runs it: it is the person's own code, named by them. The current folder is importable.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from cam_cli.choice import ModelChoice
from cam_cli.errors import ModelFailed, ModelUnknown, nearest

from .network import Blueprint, Source, Weights
from .recipe import IMAGENET, configured
from .signature import called, takes, told

NAME = re.compile(r"(?P<module>.+\.py|[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<factory>[^\W\d]\w*(\.[^\W\d]\w*)*)")


def blueprint(choice: ModelChoice) -> Blueprint:
    """The network that the factory makes; it gets `num_classes` only where its signature takes it.

    Raises ModelUnknown, ModelFailed.
    """
    factory, options = imported(choice.name), dict(choice.arguments)
    counts = takes(factory, "num_classes") and "num_classes" not in options

    def made(given: Mapping[str, Any]) -> nn.Module:
        with redirect_stdout(sys.stderr):  # stdout is for results
            module = called(factory, given, choice.name)
        if not isinstance(module, nn.Module):
            raise ModelFailed(f"{choice.name} returns {type(module).__name__}, not a torch.nn.Module")
        return module

    first = made(options)

    def construct(classes: int | None) -> nn.Module:
        return made(options | {"num_classes": classes}) if counts and classes is not None else first

    config = getattr(first, "pretrained_cfg", None) or getattr(first, "default_cfg", None)
    notes: tuple[str, ...] = ()
    if isinstance(config, Mapping):
        recipe, notes = configured(config, choice.name)
    else:
        recipe = IMAGENET
        notes = (f"preprocessing assumed: ImageNet's, {recipe.size} px ({choice.name} carries no pretrained_cfg)",)
    return Blueprint(
        "factory",
        construct,
        lambda: Weights(first, f"as {choice.name} makes it", fingerprint(first)),
        None,
        recipe,
        f"{choice.name}'s own" if isinstance(config, Mapping) else f"ImageNet's, {recipe.size} px",
        notes=notes,
    )


def imported(name: str) -> Callable[..., Any]:
    """The factory of that name. Raises ModelUnknown where there is none, ModelFailed where its module fails."""
    match = NAME.fullmatch(name)
    assert match is not None
    where, path = match["module"], match["factory"]
    folder = str(Path(where).resolve().parent) if where.endswith(".py") else str(Path.cwd())
    for entry in (str(Path.cwd()), folder):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    try:
        with redirect_stdout(sys.stderr):
            module = from_file(Path(where)) if where.endswith(".py") else import_module(where)
    except (ModelUnknown, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        if error.name and (where == error.name or where.startswith(f"{error.name}.")):
            raise ModelUnknown(f"no module is called {error.name!r} (looked for from {Path.cwd()})") from error
        raise ModelFailed(f"{where} cannot be imported: {told(error)}") from error
    except (Exception, SystemExit) as error:
        raise ModelFailed(f"{where} cannot be imported: {told(error)}") from error
    found: Any = module
    for part in path.split("."):
        if not hasattr(found, part):
            known = [name for name, value in vars(found).items() if callable(value) and not name.startswith("_")]
            raise ModelUnknown(f"{where} has no {path!r}{nearest(part, known)}")
        found = getattr(found, part)
    if not callable(found) or isinstance(found, nn.Module):
        raise ModelFailed(f"{name} is a {type(found).__name__}, not a function that returns a network")
    factory: Callable[..., Any] = found
    return factory


def from_file(path: Path) -> ModuleType:
    """The module in a file, run under the file's name. Raises ModelUnknown and what its code raises."""
    if not path.is_file():
        raise ModelUnknown(f"no file {path}")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # dataclasses and pickles look their module up there
    spec.loader.exec_module(module)
    return module


def fingerprint(module: nn.Module) -> str:
    """SHA-256 of the names and values of all weights, hex: a factory names no file."""
    found = hashlib.sha256()
    for key, tensor in module.state_dict().items():
        found.update(key.encode())
        found.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


source = Source(knows=lambda name: NAME.fullmatch(name) is not None, names=list, blueprint=blueprint)
