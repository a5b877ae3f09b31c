"""A network's own recipe with what the options say instead: `--size`, `--mean`, `--std`, `--interpolation`."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cam_cli.errors import UsageError
from cam_cli.specs import GeometrySpec
from cam_cli.types import Recipe


def asked(geometry: GeometrySpec) -> dict[str, Any]:
    """What the options say of the recipe, by its fields: size px, mean and std as tuples, interpolation.

    Raises UsageError for a mean outside [0, 1] and a std that is not above 0.
    """
    options = {
        "size": geometry.size,
        "mean": _numbers("--mean", geometry.mean, "from 0 to 1", lambda number: 0 <= number <= 1),
        "std": _numbers("--std", geometry.std, "above 0", lambda number: 0 < number < math.inf),
        "interpolation": geometry.interpolation,
    }
    return {name: value for name, value in options.items() if value is not None}


def recipe_for(recipe: Recipe, geometry: GeometrySpec) -> Recipe:
    """`recipe` with the options of `geometry`; its source is `options` where there are any.

    A size is the crop's, and the resize before it follows in proportion; with `keep` it is the short side. One mean or
    std counts for every channel. Raises UsageError where their number is not the network's, and what `asked` raises.
    """
    options = asked(geometry)
    if not options:
        return recipe
    channels = len(recipe.mean)
    for name in options.keys() & {"mean", "std"}:
        if len(options[name]) == 1:
            options[name] *= channels
        elif len(options[name]) != channels:
            raise UsageError(
                f"--{name} has {len(options[name])} numbers, the network's input {channels} "
                f"channel{'s' * (channels > 1)}; give one a channel, or one for all"
            )
    if "size" in options:
        size = options["size"]
        grown = max(size, round(recipe.resize * size / recipe.size))
        options["resize"] = size if geometry.fit == "keep" else grown
    return replace(recipe, **options, source="options")


def _numbers(flag: str, text: str | None, bounds: str, within: Callable[[float], bool]) -> tuple[float, ...] | None:
    """The numbers of a list such as 0.485,0.456,0.406; None for None."""
    if text is None:
        return None
    try:
        numbers = tuple(map(float, text.split(",")))
    except ValueError:
        numbers = ()
    if not (numbers and all(map(within, numbers))):
        raise UsageError(
            f"{flag} takes numbers {bounds}, for pixels from 0 to 1: one, or one a channel separated by commas "
            f"(0.485,0.456,0.406), not {text!r}"
        )
    return numbers
