"""The places at which maps are compared."""

from dataclasses import replace

from .networks import LAYERS, Place


def places(layers: dict[str, tuple[str, ...]], small: bool = False) -> tuple[Place, ...]:
    return tuple(Place(name, layer, small) for name in layers for layer in layers[name])


NETWORKS = ("resnet18", "densenet121", "squeezenet1_1")
EVERY = places({name: LAYERS[name] for name in NETWORKS})
MIXED = places({"densenet121": LAYERS["densenet121"]})  # activations of both signs
# After a ReLU: no activation below 0.
RECTIFIED = places(
    {
        "resnet18": LAYERS["resnet18"],
        "densenet121": ("features.transition2.relu", "features.transition3.relu"),
        "squeezenet1_1": LAYERS["squeezenet1_1"],
    }
)
LAST = tuple(Place(name, LAYERS[name][-1]) for name in NETWORKS)
# What the network's own head pools.
POOLED = places({"resnet18": ("layer4",), "densenet121": ("features",), "mobilenet_v2": ("features",)})
# Of few channels, for what asks the network once a channel.
SMALL = places(
    {
        "resnet18": ("layer1", "layer2"),
        "densenet121": ("features.pool0", "features.transition1"),
        "squeezenet1_1": ("features.3", "features.4"),
    },
    small=True,
)
SMALL_MIXED = tuple(place for place in SMALL if place.layer == "features.transition1")
SMALL_RECTIFIED = tuple(
    replace(place, layer="features.transition1.relu") if place in SMALL_MIXED else place for place in SMALL
)
INPUTS = tuple(Place(name, None, small=True) for name in NETWORKS)
# Whose ReLUs are all modules; DenseNet's last is a function.
MODULES = {
    "resnet18": LAYERS["resnet18"],
    "shufflenet_v2_x0_5": ("stage3", "conv5"),
    "squeezenet1_1": LAYERS["squeezenet1_1"],
}
MODULAR = tuple(Place(name, None, small=True) for name in MODULES)
BLOCK = "encoder.layers.encoder_layer_{}.{}"
OF_TOKENS = places(
    {
        "vit": (BLOCK.format(1, "ln_1"), BLOCK.format(0, "ln_2"), "encoder.dropout"),
        "swin": ("features.1", "features.3.0.norm2", "norm"),
    }
)


def up_to(place: Place) -> list[Place]:
    """The layers of its network that it is compared beside, as far as this one."""
    beside = [one for one in (RECTIFIED if place in RECTIFIED else EVERY) if one.name == place.name]
    return beside[: beside.index(place) + 1]
