"""Bytes counted, and replaced by what a table says; on the processor by OpenCV, several times faster."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from striate.features.opencv import cv2_module

__all__ = ["histograms", "look_up"]


def histograms(pictures: Tensor) -> Tensor:
    """How often each value occurs: int64 (N, C, 256) of uint8 (N, C, H, W)."""
    count, channels = pictures.shape[:2]
    found = torch.bincount(_places(pictures), minlength=256 * count * channels)
    return found.view(count, channels, 256)


def look_up(pictures: Tensor, tables: Tensor) -> Tensor:
    """`pictures` uint8 (N, C, H, W) through `tables` uint8 (N, C or 1, 256)."""
    if pictures.device.type == "cpu":
        return _by_opencv(pictures, tables)
    return _by_index(pictures, tables)


def _by_opencv(pictures: Tensor, tables: Tensor) -> Tensor:
    cv2 = cv2_module()
    count, parts = tables.shape[:2]
    planes = pictures.contiguous().view(count * parts, 1, -1).numpy()
    found = np.empty(planes.shape, np.uint8)
    for plane, table, out in zip(planes, tables.view(-1, 256).numpy(), found, strict=True):
        cv2.LUT(plane, table, out)
    return torch.from_numpy(found).view(pictures.shape)


def _by_index(pictures: Tensor, tables: Tensor) -> Tensor:
    """On any device."""
    whole = tables.expand(-1, pictures.shape[1], -1).reshape(-1)
    return whole.index_select(0, _places(pictures)).view(pictures.shape)


def _places(pictures: Tensor) -> Tensor:
    """Each value as a place among those of its own channel: int32, flat."""
    planes = pictures.flatten(2).flatten(0, 1).to(torch.int32)
    first = 256 * torch.arange(len(planes), device=pictures.device, dtype=torch.int32)
    return planes.add_(first[:, None]).reshape(-1)
