"""The operations of policies that change pixels in place, batched: uint8 in, uint8 out, as in Pillow.

Pictures that are to undergo the same operation are taken together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.nn.augment.policies import PIXEL_OPS, Steps
from striate.types import Array

__all__ = ["apply_steps"]

_GREY = (0.2989, 0.587, 0.114)
"""Weights of brightness in Pillow and torchvision."""


def apply_steps(pictures: Tensor, steps: Steps) -> Tensor:
    """`pictures` uint8 (B, 3, H, W), each after its operations in turn; the input is not changed."""
    found = pictures.clone(memory_format=torch.contiguous_format)
    for ops, values in zip(steps.ops, steps.values, strict=True):
        _change(found, ops, values)
    return found


def _change(pictures: Tensor, ops: Array, values: Array) -> None:
    """One operation each, in place: `ops` int64 (B,) into `PIXEL_OPS`, with `values` (B,)."""
    codes, levels = torch.from_numpy(ops), torch.from_numpy(values).to(torch.float32)
    for number, name in enumerate(PIXEL_OPS):
        rows = (codes == number).nonzero()[:, 0]
        if name in _CHANGES and len(rows):
            places = rows.to(pictures.device)
            pictures[places] = _CHANGES[name](pictures[places], levels[rows].to(pictures.device))


def _brightness(pictures: Tensor, factors: Tensor) -> Tensor:
    return _bytes(pictures.float().mul_(_each(factors)))


def _contrast(pictures: Tensor, factors: Tensor) -> Tensor:
    """Away from the mean brightness of the picture."""
    plain = pictures.float()
    return _away(plain, _greys(plain).mean(dim=(1, 2, 3), keepdim=True), factors)


def _saturation(pictures: Tensor, factors: Tensor) -> Tensor:
    plain = pictures.float()
    return _away(plain, _greys(plain), factors)


def _sharpness(pictures: Tensor, factors: Tensor) -> Tensor:
    """Away from a smoothed version; the outermost pixels stay."""
    height, width = pictures.shape[2:]
    if min(height, width) < 3:
        return pictures
    plain = pictures.float()
    across = plain[..., :-2] + plain[..., 1:-1] + plain[..., 2:]
    sums = across[:, :, :-2] + across[:, :, 1:-1] + across[:, :, 2:]
    middle = plain[:, :, 1:-1, 1:-1]
    smooth = sums.add_(middle, alpha=4.0).div_(13.0).round_()  # ones around a five
    middle.sub_(smooth).mul_(_each(factors)).add_(smooth)
    return _bytes(plain)


def _posterize(pictures: Tensor, bits: Tensor) -> Tensor:
    kept = 256 - 2 ** (8 - bits.round().to(torch.int32))
    return pictures & kept.to(torch.uint8)[:, None, None, None]


def _solarize(pictures: Tensor, thresholds: Tensor) -> Tensor:
    least = thresholds.ceil().to(torch.int16)[:, None, None, None]
    return torch.where(pictures >= least, 255 - pictures, pictures)


def _autocontrast(pictures: Tensor, levels: Tensor) -> Tensor:
    """Each channel spread over the whole range; one of a single value stays."""
    low = pictures.amin(dim=(2, 3), keepdim=True).float()
    high = pictures.amax(dim=(2, 3), keepdim=True).float()
    plain = high == low
    step = torch.where(plain, 1.0, (high - low) * (1.0 / 255.0))
    return _bytes(pictures.float().sub_(torch.where(plain, 0.0, low)).div_(step))


def _equalize(pictures: Tensor, levels: Tensor) -> Tensor:
    """Each channel's values spread so that they are used evenly: Pillow's rule, in whole numbers."""
    count, channels = pictures.shape[:2]
    planes = pictures.reshape(count * channels, -1)
    places = planes.to(torch.int32)
    places += 256 * torch.arange(len(planes), device=pictures.device, dtype=torch.int32)[:, None]
    histogram = torch.bincount(places.view(-1), minlength=256 * len(planes)).view(-1, 256)
    below = histogram.cumsum(dim=1)
    # values of the highest level that occurs are not counted
    last = 255 - torch.flip(histogram > 0, dims=[1]).to(torch.uint8).argmax(dim=1)
    step = (below[:, -1] - histogram.gather(1, last[:, None])[:, 0]) // 255
    before = F.pad(below, (1, 0))[:, :256]
    spread = (before + step[:, None] // 2) // step.clamp_min(1)[:, None]
    ramp = torch.arange(256, device=pictures.device)[None]
    table = torch.where(step[:, None] > 0, spread.clamp_max(255), ramp).to(torch.uint8)
    return table.view(-1).index_select(0, places.view(-1)).view(pictures.shape)


def _each(values: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1)."""
    return values[:, None, None, None]


def _greys(pictures: Tensor) -> Tensor:
    """Whole-numbered brightness (N, 1, H, W) of floats."""
    grey = pictures[:, :1] * _GREY[0]
    return grey.add_(pictures[:, 1:2], alpha=_GREY[1]).add_(pictures[:, 2:], alpha=_GREY[2]).floor_()


def _away(pictures: Tensor, others: Tensor, factors: Tensor) -> Tensor:
    """Floats blended, in this form so that what is equal stays exactly; changes `pictures`."""
    return _bytes(pictures.sub_(others).mul_(_each(factors)).add_(others))


def _bytes(pictures: Tensor) -> Tensor:
    return pictures.clamp_(0, 255).to(torch.uint8)


_Change = Callable[[Tensor, Tensor], Tensor]

_CHANGES: Mapping[str, _Change] = MappingProxyType(
    {
        "brightness": _brightness,
        "contrast": _contrast,
        "saturation": _saturation,
        "sharpness": _sharpness,
        "posterize": _posterize,
        "solarize": _solarize,
        "autocontrast": _autocontrast,
        "equalize": _equalize,
    }
)
"""(pictures uint8 (N, 3, H, W), values float32 (N,)) → uint8, for all but the identity."""
