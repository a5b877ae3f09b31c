"""The versions of everything that can change a result and is loaded."""

import sys

from cam_cli import __version__


def versions() -> dict[str, str]:
    names = ("torch", "torchvision", "timm", "transformers", "cv2", "numpy", "PIL")
    return {"camtool": __version__} | {
        name: str(sys.modules[name].__version__) for name in names if name in sys.modules
    }
