"""The numbers of a report by name. One definition a file; help, lists, docs and contract tests read this table.

To add one: a file with a `Metric`, and a line here for each of its `names`.
"""

from cam_cli.errors import MetricUnknown
from cam_cli.registry import Entry, Registry

METRICS = Registry(
    "metric",
    MetricUnknown,
    {
        "top1_accuracy": Entry("cam_cli.metrics.accuracy:Accuracy", "the most probable class is a true one"),
        "top5_accuracy": Entry("cam_cli.metrics.accuracy:Accuracy", "one of the five most probable is a true one"),
        "classification_ap": Entry(
            "cam_cli.metrics.classification_ap:ClassificationAp", "average precision of each class, their mean"
        ),
        "auroc": Entry("cam_cli.metrics.auroc:Auroc", "area under the ROC curve of each class, their mean"),
        "top1_loc": Entry("cam_cli.metrics.location:Location", "right class first, and right box"),
        "top5_loc": Entry("cam_cli.metrics.location:Location", "right class among five, and right box"),
        "gt_known_loc": Entry("cam_cli.metrics.location:Location", "right box of the true class's map"),
        "top1_loc_best": Entry("cam_cli.metrics.location:Location", "top1_loc at the best threshold in hindsight"),
        "top5_loc_best": Entry("cam_cli.metrics.location:Location", "top5_loc at the best threshold in hindsight"),
        "gt_known_loc_best": Entry(
            "cam_cli.metrics.location:Location", "gt_known_loc at the best threshold in hindsight"
        ),
        "gt_known_loc_calibrated": Entry(
            "cam_cli.metrics.location:Location", "gt_known_loc at the threshold of --threshold calibrated:DATASET"
        ),
        "corloc": Entry("cam_cli.metrics.corloc:CorLoc", "share of right boxes of each class, their mean"),
        "mean_iou": Entry("cam_cli.metrics.mean_iou:MeanIou", "intersection over union of the box, mean"),
        "maxboxacc": Entry("cam_cli.metrics.maxboxacc:MaxBoxAcc", "wsolevaluation's: right boxes, best threshold"),
        "maxboxacc_v2": Entry(
            "cam_cli.metrics.maxboxacc:MaxBoxAccV2",
            "wsolevaluation's: any contour, mean over three overlaps",
        ),
        "pxap": Entry("cam_cli.metrics.pxap:PxAp", "wsolevaluation's: average precision of pixels; needs masks"),
        "pointing_game": Entry("cam_cli.metrics.pointing:PointingGame", "the map's maximum lies in a box"),
        "pointing_game_15px": Entry(
            "cam_cli.metrics.pointing:PointingGame", "TorchRay's: less than 15 px from a box will do"
        ),
        "energy_pointing": Entry("cam_cli.metrics.energy:EnergyPointing", "share of the heat that lies in boxes"),
        "location_ap": Entry(
            "cam_cli.metrics.location_ap:LocationAp", "Oquab's: average precision, a maximum off its box is a miss"
        ),
        "insertion_auc": Entry("cam_cli.metrics.insertion:Insertion", "RISE's: probability as hot pixels come"),
        "deletion_auc": Entry("cam_cli.metrics.insertion:Deletion", "RISE's: probability as hot pixels go"),
        "average_drop": Entry("cam_cli.metrics.drop:AverageDrop", "what the masked image loses of the probability"),
        "increase_in_confidence": Entry("cam_cli.metrics.drop:IncreaseInConfidence", "the masked image scores higher"),
        "adcc": Entry("cam_cli.metrics.adcc:Adcc", "harmonic mean of coherency, simplicity and what is kept"),
        "road_combined": Entry("cam_cli.metrics.road:Road", "least less most relevant first, imputed, halved"),
        "randomisation_correlation": Entry(
            "cam_cli.metrics.randomisation:RandomisationCorrelation", "likeness to maps of networks made random"
        ),
        "class_correlation": Entry(
            "cam_cli.metrics.randomisation:ClassCorrelation", "likeness to the map of the next class"
        ),
    },
)
