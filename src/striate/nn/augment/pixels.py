"""Changes of pixels that move nothing: noise, erased rectangles, and two pictures mixed into one."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.nn.augment.colour import LUMA
from striate.nn.augment.plan import Mix, Rectangles
from striate.types import Array

__all__ = ["add_colour_noise", "add_noise", "erase_rectangles", "mix_pictures"]


def add_noise(pictures: Tensor, std: Array, seeds: tuple[int, ...]) -> Tensor:
    """Gaussian noise of `std` (B,) added in place to float32 (B, 3, H, W), and clipped.

    One generator a picture, so that a picture's noise does not depend on its batch. Central and
    graphics processors have different generators: the noise is the same on the same kind of device.
    """
    generator = torch.Generator(device=pictures.device)
    for picture, level, seed in zip(pictures, std, seeds, strict=True):
        noise = torch.randn(picture.shape, generator=generator.manual_seed(seed), device=picture.device)
        picture.add_(noise, alpha=float(level))
    return pictures.clamp_(0.0, 255.0)


def add_colour_noise(pictures: Tensor, std: Array, seeds: tuple[int, ...]) -> Tensor:
    """Like `add_noise`, but red, green and blue change so that the brightness of each pixel stays."""
    generator = torch.Generator(device=pictures.device)
    luma = torch.tensor(LUMA, device=pictures.device)[:, None, None]
    for picture, level, seed in zip(pictures, std, seeds, strict=True):
        noise = torch.randn(picture.shape, generator=generator.manual_seed(seed), device=picture.device)
        noise.sub_((noise * luma).sum(dim=0, keepdim=True))
        picture.add_(noise, alpha=float(level))
    return pictures.clamp_(0.0, 255.0)


def erase_rectangles(pictures: Tensor, erase: Rectangles) -> Tensor:
    """Rectangles overwritten with grey, in place, in (B, 3, H, W) of any dtype."""
    box = torch.from_numpy(erase.box_yxyx)
    chosen = torch.nonzero(box[:, 0] < box[:, 2])[:, 0]
    if not len(chosen):
        return pictures
    inside = _inside(box[chosen], pictures)
    grey = torch.from_numpy(erase.grey)[chosen].to(pictures.device, pictures.dtype)
    places = chosen.to(pictures.device)
    pictures[places] = torch.where(inside, grey[:, None, None, None], pictures[places])
    return pictures


def mix_pictures(pictures: Tensor, mix: Mix) -> Tensor:
    """Each picture (B, 3, H, W) with its partner's pixels: blended, or in a rectangle.

    Blending gives float32; rectangles keep the dtype.
    """
    device = pictures.device
    others = pictures[torch.from_numpy(mix.partner).to(device)]
    mixed = pictures
    if (mix.blend < 1).any():
        own = torch.from_numpy(mix.blend).to(device)[:, None, None, None]
        mixed = torch.lerp(others.float(), pictures.float(), own)
    if mix.box_yxyx.any():
        inside = _inside(torch.from_numpy(mix.box_yxyx), pictures)
        mixed = torch.where(inside, others.to(mixed.dtype), mixed)
    return mixed


def _inside(box_yxyx: Tensor, pictures: Tensor) -> Tensor:
    """bool (B, 1, H, W): which pixels lie in the boxes (B, 4)."""
    y0, x0, y1, x1 = box_yxyx.to(pictures.device)[:, :, None].unbind(dim=1)  # (B, 1) each
    y = torch.arange(pictures.shape[2], device=pictures.device)
    x = torch.arange(pictures.shape[3], device=pictures.device)
    rows, columns = (y >= y0) & (y < y1), (x >= x0) & (x < x1)
    return (rows[:, :, None] & columns[:, None, :])[:, None]
