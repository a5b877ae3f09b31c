"""A checkpoint's weights into a network: by name and shape, all or none, with the reason where they do not fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from torch import Tensor, nn

from cam_cli.errors import CheckpointMismatch

from .checkpoint import SHOWN, State

Construct = Callable[[int | None], nn.Module]
Prepare = Callable[[State, list[str]], State]

FAMILIES = {
    "a DenseNet": r"denselayer\d",
    "an Inception or GoogLeNet": r"(^|\.)([Mm]ixed_\d[a-e]|inception\d[a-e])\.",
    "a SqueezeNet": r"\.squeeze\.weight",
    "a Swin Transformer": r"relative_position_bias_table",
    "a vision transformer": r"(encoder_layer_|(blocks|layer)\.)\d+\.(attn|self_attention|attention)\.",
    "a ConvNeXt": r"dwconv\.weight|\.layer_scale|\.gamma$",
    "an EfficientNet or MobileNet": r"(depthwise|conv_dw|conv_pw)|^features\.\d+\.conv\.\d|^features\.\d+\.0\.block",
    "a ResNet": r"layer\d\.\d+\.conv\d",
    "a VGG or AlexNet": r"^features\.\d+\.(weight|bias)$",
}


def fit(
    construct: Construct, state: State, path: object, prepare: Prepare = lambda state, own: state
) -> tuple[nn.Module, int | None]:
    """A network with the weights of `state`, in eval mode and float32, and its class count where that is not the
    network's own: the file's head alone is of another size.

    construct: makes the network for so many classes, None for its own count. prepare: renames what the source knows to
    be renamed, given the network's own names. Raises CheckpointMismatch.
    """
    module = construct(None)
    own = list(module.state_dict())
    state = best(own, (prepare(variant, own) for variant in stripped(state)))
    other = other_count(module, state)
    if other is not None:
        module = construct(other)
    load_into(module, state, path)
    return module.float().eval(), other


def stripped(state: State) -> Iterable[State]:
    """`state`, then without the first part of its names as long as all share one: what wrappers (DataParallel,
    torch.compile, Lightning) put before every name, once or several times."""
    yield state
    while all("." in key for key in state) and len({key.partition(".")[0] for key in state}) == 1:
        state = {key.partition(".")[2]: tensor for key, tensor in state.items()}
        yield state


def best(own: list[str], variants: Iterable[State]) -> State:
    """The first of those that hold most of the network's own names."""
    return max(variants, key=lambda variant: sum(key in variant for key in own))


def other_count(module: nn.Module, state: State) -> int | None:
    """K when every tensor that differs in shape differs only in having K rows instead of the network's, else None."""
    counts = set()
    for key, own in module.state_dict().items():
        if key in state and state[key].shape != own.shape:
            theirs = state[key].shape
            if not theirs or not own.ndim or theirs[1:] != own.shape[1:]:
                return None
            counts.add((own.shape[0], theirs[0]))
    ((_, found),) = counts if len(counts) == 1 else [(0, 0)]
    return found or None


def load_into(module: nn.Module, state: State, path: object) -> None:
    """Copies `state` into `module`; every name and shape must agree. Raises CheckpointMismatch, key by key."""
    own = module.state_dict()
    # Files from before BatchNorm counted its batches lack the counters; nothing here reads them.
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    shapes = [
        f"{key}: file {times(state[key])}, model {times(tensor)}"
        for key, tensor in own.items()
        if key in state and state[key].shape != tensor.shape
    ]
    groups = {"missing in the file": missing, "unknown to the model": unexpected, "of another shape": shapes}
    said = [f"{len(keys)} {kind} ({listed(keys)})" for kind, keys in groups.items() if keys]
    if said:
        raise CheckpointMismatch(f"{path} does not fit the model: {'; '.join(said)}; {cause(own, state)}")
    for key, tensor in own.items():
        if key in state and (trouble := unusable(state[key], tensor)):
            raise CheckpointMismatch(f"{path} does not fit the model: {key} {trouble}; save plain float tensors")
    module.load_state_dict(state, strict=False)


def unusable(tensor: Tensor, own: Tensor) -> str | None:
    """Why the values of `tensor` cannot become those of `own`, if they cannot."""
    if tensor.is_meta:
        return "has a shape but no values"
    if str(tensor.layout) != "torch.strided":
        return "is sparse"
    if tensor.is_quantized or (own.is_floating_point() and not tensor.is_floating_point()):
        return f"holds {str(tensor.dtype).removeprefix('torch.')}, not floating-point values"
    return None


def cause(own: State, state: State) -> str:
    """What a mismatch most likely comes from, and what to do about it."""
    heads = Counter(
        (own[key].shape[0], state[key].shape[0])
        for key in own
        if key in state and state[key].shape != own[key].shape and own[key].ndim and state[key].ndim
    )
    if len(heads) == 1 and own.keys() == state.keys() and len(own) > 2:
        ((mine, theirs),) = heads
        return (
            f"its head seems to have {theirs} classes, the model's {mine}, and this model takes no other number; "
            "give it one (--model-arg num_classes=N), or name the one it was saved from"
        )
    prefix = Counter(key.partition(".")[0] for key in state if "." in key).most_common(1)
    if prefix:
        name, many = f"{prefix[0][0]}.", prefix[0][1]
        inner = [key.removeprefix(name) for key in state if key.startswith(name)]
        if sum(key in own for key in inner) > len(own) // 2:
            return f"{many} of its names begin with {name!r} and would fit without; save that part's state dict alone"
        if sum(f"{name}{key}" in own for key in state) > len(own) // 2:
            return f"the model's names begin with {name!r}, the file's do not"
    kind = family(state)
    if kind and kind != family(own):
        return f"it looks like {kind}; name the architecture it was saved from"
    if kind and sum(key in own for key in state) > len(state) // 4:
        return f"it looks like {kind} of another depth or width; name the architecture it was saved from"
    return "name the architecture it was saved from"


def family(state: Iterable[str]) -> str | None:
    """What kind of network these names belong to, as far as they tell."""
    return next((name for name, sign in FAMILIES.items() if any(re.search(sign, key) for key in state)), None)


def times(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "scalar"


def listed(keys: list[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
