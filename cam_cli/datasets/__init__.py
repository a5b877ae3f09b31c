"""Annotations in: one format a file. This table is what detection, help, documentation and contract tests read.

To add a format: one file that ends in `format = Format(detects, read)`, and one line here.
"""

from cam_cli.errors import UsageError
from cam_cli.registry import Entry, Registry

FORMATS = Registry(
    "dataset format",
    UsageError,
    {
        "voc": Entry("cam_cli.datasets.voc:format", "PASCAL VOC: Annotations/*.xml, JPEGImages, ImageSets/Main"),
        "coco": Entry("cam_cli.datasets.coco:format", "COCO: an instances JSON"),
        "wsol": Entry(
            "cam_cli.datasets.wsol:format",
            "a metadata folder of wsolevaluation: image_ids.txt, class_labels.txt, localization.txt (boxes or masks)",
        ),
        "imagenet": Entry(
            "cam_cli.datasets.imagenet:format", "ILSVRC: a folder of images by WNID or flat, and box XML beside"
        ),
        "cub": Entry("cam_cli.datasets.cub:format", "CUB-200-2011: images.txt, bounding_boxes.txt, …"),
        "csv": Entry("cam_cli.datasets.csv:format", "a table: path, class or labels, and perhaps boxes, mask"),
        "folder": Entry("cam_cli.datasets.folder:format", "a folder a class; no boxes"),
    },
)
