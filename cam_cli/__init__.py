"""camtool: where an image classifier looks, as heatmaps, boxes and numbers."""

__version__ = "0.1.0"
