"""The scripts that people write with the libraries beside: one picture after the other, from file to overlay."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn


def shown(path: Path, size: int) -> tuple[np.ndarray, torch.Tensor]:
    """The picture squashed to the input, RGB in [0, 1], and the network's input."""
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    small = cv2.resize(picture, (size, size)).astype(np.float32) / 255
    return picture, torch.from_numpy((small - 0.5) / 0.5).permute(2, 0, 1)[None]


def pytorch_grad_cam(module: nn.Module, layer: str, photographs: list[Path], out: Path, size: int) -> float:
    """Seconds. As its README has it: GradCAM, show_cam_on_image."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.image import show_cam_on_image

    start = time.perf_counter()
    with GradCAM(model=module, target_layers=[module.get_submodule(layer)]) as cam:
        for path in photographs:
            picture, images = shown(path, size)
            (map,) = cam(input_tensor=images, targets=None)
            heat = cv2.resize(map, (picture.shape[1], picture.shape[0]))
            drawn = show_cam_on_image(picture.astype(np.float32) / 255, heat, use_rgb=True)
            cv2.imwrite(str(out / f"{path.stem}.png"), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return time.perf_counter() - start


def torchcam(module: nn.Module, layer: str, photographs: list[Path], out: Path, size: int) -> float:
    """Seconds. As its README has it: GradCAM, overlay_mask."""
    from PIL import Image
    from torchcam.methods import GradCAM
    from torchcam.utils import overlay_mask

    start = time.perf_counter()
    with GradCAM(module, target_layer=layer) as extractor:
        for path in photographs:
            picture, images = shown(path, size)
            scores = module(images)
            (map,) = extractor(scores.squeeze(0).argmax().item(), scores)
            heat = Image.fromarray(map.squeeze(0).numpy())
            overlay_mask(Image.fromarray(picture), heat, alpha=0.5).save(out / f"{path.stem}.png")
    return time.perf_counter() - start
