"""What a run makes a map with, for every image and class."""

from dataclasses import dataclass

from cam_cli.methods.method import Method, Needs
from cam_cli.models.layers import Layer


@dataclass(frozen=True)
class Column:
    """A method at one layer, or at several fused: what one map of an image stands for, its class aside.

    layers: none for a method that has none. label: the layer's part of file names. why: why this layer, for people.
    """

    name: str
    method: Method
    layers: tuple[Layer, ...]
    label: str
    why: str = ""

    @property
    def part(self) -> str:
        """The name as a part of file names, where a colon is not allowed everywhere."""
        return self.name.replace(":", "-")

    @property
    def gradients(self) -> bool:
        return Needs.GRADIENTS in self.method.needs
