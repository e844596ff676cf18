"""Batched augmentation: draw a plan, carry it out."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import Tensor

from striate.nn.augment.affine import then
from striate.nn.augment.colour import apply_colour
from striate.nn.augment.compression import compress_pictures
from striate.nn.augment.filters import blur_pictures, sharpen_pictures
from striate.nn.augment.groups import by_kind
from striate.nn.augment.light import apply_light, lose_colour
from striate.nn.augment.pixel_ops import apply_steps
from striate.nn.augment.pixels import add_colour_noise, add_noise, erase_rectangles, mix_pictures
from striate.nn.augment.plan import Plan, draw_plan
from striate.nn.augment.policies import Chain, Mixture
from striate.nn.augment.settings import AugmentSettings
from striate.nn.augment.warp import bend_pictures, shift_pictures, warp_pictures
from striate.types import Array, SizeHW

__all__ = ["Augmenter"]

_CACHED = 2**20
"""Values of pictures that a policy works on at a time, on the processor."""
_LARGE = 2**17
"""A picture of so many values is worked on alone: copying it to be grouped costs more than calls."""
_STILL, _SHIFTED, _INTERPOLATED = range(3)


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
    many, parts = _at_a_time(source), []
    for start in range(0, max(1, len(plan)), many):
        rows = slice(start, start + many)
        part, own = plan.moves_of(rows), source[rows]
        pictures = _moved_bytes(own, part)
        if part.steps is not None:
            pictures = apply_steps(pictures, part.steps)
        if part.mixture is not None:
            pictures = _mixed_chains(pictures, own, part, part.mixture)
        parts.append(pictures)
    return torch.cat(parts)


def _at_a_time(source: Tensor) -> int:
    """Pictures."""
    if source.device.type != "cpu" or not source.numel():
        return max(1, len(source))
    values = source[0].numel()
    return 1 if values >= _LARGE else max(1, _CACHED // values)


def _moved(source: Tensor, plan: Plan) -> Tensor:
    """Everything that moves pixels, in one resampling."""
    if plan.whole_pixels and plan.reflect:
        return shift_pictures(source, plan.matrix)
    return _resampled(source, plan, plan.matrix)


def _moved_bytes(source: Tensor, plan: Plan) -> Tensor:
    """As bytes, for a policy: only what is turned or slanted is interpolated."""

    def move(kind: int, some: Tensor, rows: Array) -> Tensor:
        if kind == _STILL:
            return some.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)
        if kind == _SHIFTED:
            return shift_pictures(some, plan.matrix[rows]).contiguous()
        return _whole(_resampled(some, plan.moves_of(rows), plan.matrix[rows]))

    return by_kind(source, _kinds_of_move(plan), move)


def _kinds_of_move(plan: Plan) -> Array:
    """`_STILL`, `_SHIFTED` by whole pixels, or else, (B,)."""
    if plan.whole_rows is None:
        return np.full(len(plan), _INTERPOLATED)
    still = (plan.matrix == np.eye(2, 3)).all(axis=(1, 2))
    return np.where(still, _STILL, np.where(plan.whole_rows, _SHIFTED, _INTERPOLATED))


def _resampled(source: Tensor, plan: Plan, matrix: Array) -> Tensor:
    if plan.bends:
        return bend_pictures(source, matrix, plan.perspective, plan.elastic, reflect=plan.reflect)
    return warp_pictures(source, matrix, reflect=plan.reflect)


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


def _mixed_chains(plain: Tensor, source: Tensor, plan: Plan, mixture: Mixture) -> Tensor:
    """AugMix: the picture as it is, and its versions after each chain, blended; float32."""
    shape, device = (-1, 1, 1, 1), plain.device
    found = plain.float().mul_(torch.from_numpy(mixture.own).to(device).view(shape))
    for chain, weights in zip(mixture.chains, mixture.weights, strict=True):
        version = apply_steps(_moved_further(plain, source, plan, chain), chain.steps)
        found.addcmul_(version.float(), torch.from_numpy(weights).to(device).view(shape))
    return found.clamp_(0.0, 255.0)


def _moved_further(plain: Tensor, source: Tensor, plan: Plan, chain: Chain) -> Tensor:
    """`plain`, but where the chain moves it: those are resampled once more from the `source`."""

    def move(moved: int, some: Tensor, rows: Array) -> Tensor:
        if not moved:
            return some
        own, matrix = plan.moves_of(rows), then(plan.matrix[rows], chain.matrix[rows])
        places = torch.from_numpy(rows).to(source.device)
        return _whole(_resampled(source.index_select(0, places), own, matrix))

    return by_kind(plain, chain.moved, move)


def _whole(pictures: Tensor) -> Tensor:
    """As bytes; changes `pictures`."""
    return pictures.round_().to(torch.uint8)


def _tensor(pixels: Array | Tensor) -> Tensor:
    """A tensor over the same memory; read-only arrays (slices of a memory map) are copied."""
    if isinstance(pixels, Tensor):
        return pixels
    return torch.from_numpy(pixels if pixels.flags.writeable else np.array(pixels))
