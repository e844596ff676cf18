"""Brightness, contrast, saturation and hue as one 3×4 matrix a picture, applied in one pass."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from striate.types import Array

__all__ = ["LUMA", "apply_colour", "colour_matrix"]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""

_YIQ = np.array([LUMA, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135)])
"""RGB → luma and two colour axes, in whose plane a hue is an angle (NTSC 1953)."""


def colour_matrix(colour: Array) -> tuple[Array, Array]:
    """What `colour` (B, 4) does: a matrix (B, 3, 3), and the part (B,) of the mean luma that is added.

    In this order, without clipping in between: brightness (times a factor), contrast (away from the
    picture's mean luma), saturation (away from the pixel's luma), hue (a turn of the IQ plane, in
    parts of a circle). The later two leave grey as it is, so the mean is added as grey.
    """
    brightness, contrast, saturation, hue = colour.T
    angle = 2.0 * np.pi * hue
    turn = np.zeros((len(colour), 3, 3))
    turn[:, 0, 0] = 1.0
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 1, 2] = np.sin(angle)  # red to yellow for positive turns, as in HSV
    turn[:, 2, 1] = -turn[:, 1, 2]
    turned = np.linalg.inv(_YIQ) @ turn @ _YIQ
    grey = np.ones((3, 1)) * np.array(LUMA)
    saturated = saturation[:, None, None] * np.eye(3) + (1.0 - saturation)[:, None, None] * grey
    matrix = turned @ saturated * (brightness * contrast)[:, None, None]
    return matrix, (1.0 - contrast) * brightness


def apply_colour(pictures: Tensor, colour: Array) -> Tensor:
    """`pictures` float32 (B, 3, H, W), 0 … 255, recoloured by `colour` (B, 4) and clipped.

    Pointwise on purpose: a batched matrix product may round differently in another batch size.
    """
    matrix, mean_part = colour_matrix(colour)
    device = pictures.device
    factors = torch.from_numpy(matrix).to(device, torch.float32)
    luma = torch.tensor(LUMA, device=device)
    mean = (pictures.mean(dim=(2, 3)) * luma).sum(dim=1)  # (B,)
    added = torch.from_numpy(mean_part).to(device, torch.float32) * mean
    red, green, blue = pictures.unbind(dim=1)
    found = torch.empty_like(pictures)
    for channel, plane in enumerate(found.unbind(dim=1)):
        one, two, three = (factors[:, channel, source, None, None] for source in range(3))
        torch.addcmul(added[:, None, None], red, one, out=plane)
        plane.addcmul_(green, two).addcmul_(blue, three)
    return found.clamp_(0.0, 255.0)
