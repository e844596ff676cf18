"""The operations of policies that change pixels in place, batched: uint8 in, uint8 out, as in Pillow.

Pictures that are to undergo the same operation are taken together. Where the new value of a pixel
depends on nothing but the old one and the picture, only the 256 values of a byte are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.nn.augment.groups import by_kind
from striate.nn.augment.policies import PIXEL_OPS, Steps
from striate.nn.augment.tables import histograms, look_up
from striate.types import Array

__all__ = ["apply_steps"]

_GREY = (0.2989, 0.587, 0.114)
"""Weights of brightness in Pillow and torchvision."""


def apply_steps(pictures: Tensor, steps: Steps) -> Tensor:
    """`pictures` uint8 (B, 3, H, W), each after its operations in turn; the input is not changed."""
    for ops, values in zip(steps.ops, steps.values, strict=True):
        pictures = _changed(pictures, ops, torch.from_numpy(values).to(torch.float32))
    return pictures


def _changed(pictures: Tensor, ops: Array, values: Tensor) -> Tensor:
    """After one operation each: `ops` int64 (B,) into `PIXEL_OPS`, with `values` (B,)."""

    def change(number: int, some: Tensor, rows: Array) -> Tensor:
        name = PIXEL_OPS[number]
        if name == "identity":
            return some
        levels = values[torch.from_numpy(rows)].to(some.device)
        if name in _TABLES:
            return look_up(some, _TABLES[name](some, levels))
        return _CHANGES[name](some, levels)

    return by_kind(pictures, ops, change)


def _brightness(pictures: Tensor, factors: Tensor) -> Tensor:
    return _bytes(_ramp(pictures) * factors[:, None, None])


def _contrast(pictures: Tensor, factors: Tensor) -> Tensor:
    """Away from the mean brightness of the picture."""
    means = _greys(pictures.float()).mean(dim=(1, 2, 3))
    return _away(_ramp(pictures), means[:, None, None], factors[:, None, None])


def _solarize(pictures: Tensor, thresholds: Tensor) -> Tensor:
    ramp = _ramp(pictures)
    return _bytes(torch.where(ramp >= thresholds[:, None, None], 255 - ramp, ramp))


def _autocontrast(pictures: Tensor, levels: Tensor) -> Tensor:
    """Each channel spread over the whole range; one of a single value stays."""
    low = pictures.amin(dim=(2, 3)).float()[:, :, None]
    high = pictures.amax(dim=(2, 3)).float()[:, :, None]
    plain = high == low
    step = torch.where(plain, 1.0, (high - low) * (1.0 / 255.0))
    return _bytes((_ramp(pictures) - torch.where(plain, 0.0, low)).div_(step))


def _equalize(pictures: Tensor, levels: Tensor) -> Tensor:
    """Each channel's values spread so that they are used evenly: Pillow's rule, in whole numbers."""
    histogram = histograms(pictures)  # (N, 3, 256)
    below = histogram.cumsum(dim=2)
    # values of the highest level that occurs are not counted
    last = 255 - torch.flip(histogram > 0, dims=[2]).to(torch.uint8).argmax(dim=2, keepdim=True)
    step = (below[:, :, -1:] - histogram.gather(2, last)) // 255
    before = F.pad(below, (1, 0))[:, :, :256]
    spread = (before + step // 2) // step.clamp_min(1)
    return torch.where(step > 0, spread.clamp_max(255), _ramp(pictures)).to(torch.uint8)


def _posterize(pictures: Tensor, bits: Tensor) -> Tensor:
    kept = 256 - 2 ** (8 - bits.round().to(torch.int32))
    return pictures & kept.to(torch.uint8)[:, None, None, None]


def _saturation(pictures: Tensor, factors: Tensor) -> Tensor:
    plain = pictures.float()
    return _away(plain, _greys(plain), factors[:, None, None, None])


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
    middle.sub_(smooth).mul_(factors[:, None, None, None]).add_(smooth)
    return _bytes(plain)


def _ramp(pictures: Tensor) -> Tensor:
    """All values of a byte, float32 (1, 1, 256)."""
    return torch.arange(256, device=pictures.device, dtype=torch.float32)[None, None]


def _greys(pictures: Tensor) -> Tensor:
    """Whole-numbered brightness (N, 1, H, W) of floats."""
    grey = pictures[:, :1] * _GREY[0]
    return grey.add_(pictures[:, 1:2], alpha=_GREY[1]).add_(pictures[:, 2:], alpha=_GREY[2]).floor_()


def _away(values: Tensor, others: Tensor, factors: Tensor) -> Tensor:
    """Floats blended, in this form so that what is equal stays exactly."""
    return _bytes((values - others).mul_(factors).add_(others))


def _bytes(values: Tensor) -> Tensor:
    return values.clamp_(0, 255).to(torch.uint8)


_Change = Callable[[Tensor, Tensor], Tensor]

_TABLES: Mapping[str, _Change] = MappingProxyType(
    {
        "brightness": _brightness,
        "contrast": _contrast,
        "solarize": _solarize,
        "autocontrast": _autocontrast,
        "equalize": _equalize,
    }
)
"""(pictures uint8 (N, 3, H, W), values float32 (N,)) → what becomes of each value of a byte, uint8
(N, 1 or 3, 256)."""
_CHANGES: Mapping[str, _Change] = MappingProxyType(
    {"posterize": _posterize, "saturation": _saturation, "sharpness": _sharpness}
)
"""Likewise → pictures uint8 (N, 3, H, W)."""
