"""What boxes can be exported as, by name: the values of `--export`. Each is a fold over the records of a run."""

from cam_cli.errors import UsageError
from cam_cli.registry import Entry, Registry

EXPORTS = Registry(
    "export",
    UsageError,
    {
        "csv": Entry("cam_cli.outputs.exports.csv:Csv", "boxes.csv, a row a box, in pixels"),
        "coco": Entry("cam_cli.outputs.exports.coco:Coco", "coco.json, and coco_results.json for pycocotools' loadRes"),
        "voc": Entry("cam_cli.outputs.exports.voc:Voc", "voc/: an XML file an image, Pascal VOC's folders"),
        "yolo": Entry(
            "cam_cli.outputs.exports.yolo:Yolo", "yolo/: a text file an image, data.yaml, Ultralytics' folders"
        ),
        "labelstudio": Entry(
            "cam_cli.outputs.exports.labelstudio:LabelStudio", "labelstudio.json: tasks with predictions to correct"
        ),
    },
)
