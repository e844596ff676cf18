"""Batched augmentation: draw a plan, carry it out."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import Tensor

from striate.nn.augment.colour import apply_colour
from striate.nn.augment.pixels import add_noise, erase_rectangles, mix_pictures
from striate.nn.augment.plan import Plan, draw_plan
from striate.nn.augment.settings import AugmentSettings
from striate.nn.augment.warp import shift_pictures, warp_pictures
from striate.types import Array, SizeHW

__all__ = ["Augmenter"]


@final
class Augmenter:
    """Varies batches of pictures of one size. It keeps no state: equal arguments, equal result.

    `settings` must be resolved (`presets.resolve`).
    """

    def __init__(self, settings: AugmentSettings, size_hw: SizeHW, *, seed: int) -> None:
        self.settings, self.size_hw, self.seed = settings, size_hw, seed

    def plan(self, epoch: int, indices: Array) -> Plan:
        """All random choices for records `indices` (B,) in `epoch`."""
        return draw_plan(self.settings, self.size_hw, seed=self.seed, epoch=epoch, indices=indices)

    def apply(self, pixels: Array | Tensor, plan: Plan) -> Tensor:
        """Pictures uint8 (B, H, W, 3) → uint8 or float32 (B, 3, H, W), both 0 … 255.

        uint8 where pixels are only moved or overwritten, float32 where new values arise. The input
        is not changed; a `ValueError` if it is not B pictures of the planned size.
        """
        source = _tensor(pixels)
        shape = (len(plan), *plan.size_hw, 3)
        if source.dtype != torch.uint8 or source.shape != shape:
            raise ValueError(
                f"augment: expected uint8 {shape}, got {source.dtype} {tuple(source.shape)}"
            )
        if plan.whole_pixels and plan.reflect:
            pictures = shift_pictures(source, plan.matrix)
        else:
            pictures = warp_pictures(source, plan.matrix, reflect=plan.reflect)
        if plan.colour is not None:
            pictures = apply_colour(pictures.float().contiguous(), plan.colour)
        if plan.noise_std is not None:
            pictures = add_noise(pictures.float().contiguous(), plan.noise_std, plan.noise_seeds)
        if plan.erase is not None:
            pictures = erase_rectangles(pictures, plan.erase)
        return pictures if plan.mix is None else mix_pictures(pictures, plan.mix)


def _tensor(pixels: Array | Tensor) -> Tensor:
    """A tensor over the same memory; read-only arrays (slices of a memory map) are copied."""
    if isinstance(pixels, Tensor):
        return pixels
    return torch.from_numpy(pixels if pixels.flags.writeable else np.array(pixels))
