"""Batched augmentation: draw a plan, carry it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np
import torch
from torch import Tensor

from striate.nn.augment.affine import then
from striate.nn.augment.colour import apply_colour
from striate.nn.augment.compression import compress_pictures
from striate.nn.augment.filters import blur_pictures, sharpen_pictures
from striate.nn.augment.light import apply_light, lose_colour
from striate.nn.augment.pixel_ops import apply_steps
from striate.nn.augment.pixels import add_colour_noise, add_noise, erase_rectangles, mix_pictures
from striate.nn.augment.plan import Plan, draw_plan
from striate.nn.augment.policies import Mixture
from striate.nn.augment.settings import AugmentSettings
from striate.nn.augment.warp import bend_pictures, shift_pictures, warp_pictures
from striate.types import Array, SizeHW

__all__ = ["Augmenter"]

_CACHED = 2**20
"""Values of pictures that a policy works on at a time."""


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
        policy = plan.steps is not None or plan.mixture is not None
        pictures = _by_policy(source, plan) if policy else _moved(source, plan)
        if plan.colour is not None:
            pictures = apply_colour(pictures.float().contiguous(), plan.colour)
        pictures = _exposed(pictures, plan)
        if plan.noise_std is not None:
            pictures = add_noise(pictures.float().contiguous(), plan.noise_std, plan.noise_seeds)
        if plan.colour_noise_std is not None:
            pictures = add_colour_noise(
                pictures.float().contiguous(), plan.colour_noise_std, plan.colour_noise_seeds
            )
        if plan.jpeg_quality is not None:
            pictures = compress_pictures(pictures.float().contiguous(), plan.jpeg_quality)
        if plan.erase is not None:
            pictures = erase_rectangles(pictures, plan.erase)
        return pictures if plan.mix is None else mix_pictures(pictures, plan.mix)


def _by_policy(source: Tensor, plan: Plan) -> Tensor:
    """Moved and changed as a policy says, a few pictures at a time: they stay in the cache."""
    many = len(plan) if source.is_cuda else max(1, _CACHED // max(1, source[:1].numel()))
    parts = []
    for start in range(0, max(1, len(plan)), max(1, many)):
        rows = slice(start, start + many)
        part, own = plan.moves_of(rows), source[rows]
        pictures = _whole(_moved(own, part))
        if part.steps is not None:
            pictures = apply_steps(pictures, part.steps)
        if part.mixture is not None:
            pictures = _mixed_chains(pictures, own, part, part.mixture)
        parts.append(pictures)
    return torch.cat(parts)


def _moved(source: Tensor, plan: Plan) -> Tensor:
    """Everything that moves pixels, in one resampling."""
    if plan.bends:
        return _resampled(source, plan, plan.matrix)
    if plan.whole_pixels and plan.reflect:
        return shift_pictures(source, plan.matrix)
    if plan.whole_rows is None:
        return _resampled(source, plan, plan.matrix)
    return _partly_resampled(source, plan, plan.whole_rows)


def _resampled(source: Tensor, plan: Plan, matrix: Array) -> Tensor:
    if plan.bends:
        return bend_pictures(source, matrix, plan.perspective, plan.elastic, reflect=plan.reflect)
    return warp_pictures(source, matrix, reflect=plan.reflect)


def _partly_resampled(source: Tensor, plan: Plan, whole: Array) -> Tensor:
    """As bytes, for a policy: only what is turned or slanted is interpolated."""
    found = source.new_empty((len(source), 3, *plan.size_hw))
    for rows, move in ((whole, shift_pictures), (~whole, _interpolated(plan))):
        if rows.any():
            places = torch.from_numpy(rows).to(source.device)
            found[places] = move(source[places], plan.matrix[rows])
    return found


def _interpolated(plan: Plan) -> Callable[[Tensor, Array], Tensor]:
    return lambda source, matrix: _whole(warp_pictures(source, matrix, reflect=plan.reflect))


def _exposed(pictures: Tensor, plan: Plan) -> Tensor:
    """Light, lens and film."""
    if plan.light is not None:
        pictures = apply_light(pictures.float().contiguous(), plan.light)
    if plan.greyscale is not None:
        pictures = lose_colour(pictures.clone(), plan.greyscale)
    if plan.blur_sigma is not None:
        pictures = blur_pictures(pictures.float().contiguous(), plan.blur_sigma, plan.blur_most)
    if plan.sharpen is not None:
        pictures = sharpen_pictures(pictures.float().contiguous(), plan.sharpen)
    return pictures


def _mixed_chains(pictures: Tensor, source: Tensor, plan: Plan, mixture: Mixture) -> Tensor:
    """AugMix: the picture as it is, and its versions after each chain, blended; float32."""
    plain = _whole(pictures)
    shape = (-1, 1, 1, 1)
    device = pictures.device
    found = plain.float() * torch.from_numpy(mixture.own).to(device).view(shape)
    for chain, weights in zip(mixture.chains, mixture.weights, strict=True):
        version = plain
        rows = torch.from_numpy(chain.moved).nonzero()[:, 0]
        if len(rows):
            some = plan.moves_of(rows.numpy())
            matrix = then(some.matrix, chain.matrix[rows.numpy()])
            version = plain.clone(memory_format=torch.contiguous_format)
            version[rows.to(device)] = _whole(_resampled(source[rows.to(device)], some, matrix))
        version = apply_steps(version, chain.steps)
        found.addcmul_(version.float(), torch.from_numpy(weights).to(device).view(shape))
    return found.clamp_(0.0, 255.0)


def _whole(pictures: Tensor) -> Tensor:
    """As bytes."""
    return pictures if pictures.dtype == torch.uint8 else pictures.round().to(torch.uint8)


def _tensor(pixels: Array | Tensor) -> Tensor:
    """A tensor over the same memory; read-only arrays (slices of a memory map) are copied."""
    if isinstance(pixels, Tensor):
        return pixels
    return torch.from_numpy(pixels if pixels.flags.writeable else np.array(pixels))
