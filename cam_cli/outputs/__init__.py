"""What a run can save, by name: the values of `--save`."""

from cam_cli.errors import UsageError
from cam_cli.registry import Entry, Registry

KINDS = Registry(
    "kind of output",
    UsageError,
    {
        "overlay": Entry("cam_cli.outputs.overlay:Overlay", "the picture under its heatmap, at its own size"),
        "heatmap": Entry(
            "cam_cli.outputs.heatmap:HeatmapPicture", "the heatmap alone, in colours, at the picture's size"
        ),
        "raw": Entry("cam_cli.outputs.raw:Raw", "the raw map as .npy: float32, signed, at the layer's grid"),
        "panel": Entry("cam_cli.outputs.panel:Panel", "picture and maps side by side with captions, one an image"),
        "boxes": Entry("cam_cli.outputs.boxes:Boxes", "the picture with the boxes of all its maps, one an image"),
        "mask": Entry("cam_cli.outputs.mask:Mask", "0 and 255 as .png at the picture's size: what the boxes stand for"),
        "crop": Entry("cam_cli.outputs.crop:Crop", "what lies in each box, a picture a box"),
    },
)
