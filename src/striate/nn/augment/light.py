"""Exposure, colour cast, shade and gamma; and the loss of colour. Batched, float32."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.nn.augment.colour import LUMA
from striate.nn.augment.plan import Light
from striate.types import Array

__all__ = ["apply_light", "lose_colour"]


def apply_light(pictures: Tensor, light: Light) -> Tensor:
    """`pictures` float32 (B, 3, H, W), 0 … 255, changed in place: v → (v · gain · shade) ^ gamma.

    The shade falls in a straight line: nothing is lost at one end of the picture, `shade` at the other.
    """
    device = pictures.device
    gain = torch.from_numpy(light.gain).to(device, torch.float32) / 255.0
    pictures.mul_(gain[:, :, None, None])
    loss, x_part, y_part = torch.from_numpy(light.shade).to(device, torch.float32).unbind(dim=1)
    if bool((loss > 0).any()):
        pictures.mul_(_fall(loss, x_part, y_part, pictures.shape[2], pictures.shape[3]))
    pictures.clamp_(0.0, 1.0)
    exponent = torch.from_numpy(light.exponent).to(device, torch.float32)
    if bool((exponent != 1).any()):
        pictures.pow_(exponent[:, None, None, None])
    return pictures.mul_(255.0)


def _fall(loss: Tensor, x_part: Tensor, y_part: Tensor, height: int, width: int) -> Tensor:
    """The light that is left, (B, 1, H, W)."""
    x = ((torch.arange(width, device=loss.device) + 0.5) / width - 0.5)[None, None, :]
    y = ((torch.arange(height, device=loss.device) + 0.5) / height - 0.5)[None, :, None]
    along = x_part[:, None, None] * x + y_part[:, None, None] * y
    reach = (x_part.abs() + y_part.abs())[:, None, None]  # from corner to corner
    return (1.0 - loss[:, None, None] * (0.5 + along / reach))[:, None]


def lose_colour(pictures: Tensor, chosen: Array) -> Tensor:
    """Those `chosen`, bool (B,), become grey; in place, of any dtype."""
    rows = torch.from_numpy(chosen).nonzero()[:, 0].to(pictures.device)
    if len(rows):
        red, green, blue = pictures[rows].float().unbind(dim=1)
        grey = red * LUMA[0] + green * LUMA[1] + blue * LUMA[2]
        if not pictures.is_floating_point():
            grey = grey.round()
        pictures[rows] = grey.to(pictures.dtype)[:, None].expand(-1, 3, -1, -1)
    return pictures
