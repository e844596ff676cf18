"""What will happen to each picture of a batch, drawn once, before a pixel is touched. NumPy only.

Every number comes from (seed, epoch, index) of its own record, so the plan of a record does not
depend on the batch it is in. Only mixing looks at the batch: record 2i mixes with record 2i+1, so a
contiguous slice of even length, as a data-parallel worker gets it, mixes the same pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.nn.augment.affine import compose_affine
from striate.nn.augment.settings import AugmentSettings
from striate.randomness import beta, hash64, uniforms
from striate.types import Array, SizeHW

__all__ = ["Mix", "Plan", "Rectangles", "draw_plan"]

_ERASED_AREA = (0.02, 0.33)  # of the picture, and the aspect below: Zhong et al. 2020, table 1
_ERASED_ASPECT = (0.3, 3.3)
_HUE_TURNS = 0.25  # of the colour circle to either side at colour = 1


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Rectangles to overwrite. `box_yxyx` int64 (B, 4): y0, x0, y1, x1, empty where y0 = y1.

    `grey` (B,): the level that is written, 0 … 255.
    """

    box_yxyx: Array
    grey: Array


@dataclass(frozen=True, slots=True)
class Mix:
    """With whom, and how much.

    `partner` int64 (B,): position in the batch. `blend` float32 (B,): own part of each pixel.
    `box_yxyx` int64 (B, 4): the rectangle taken from the partner (CutMix), empty where y0 = y1.
    `share` float32 (B,): own part of the label.
    """

    partner: Array
    blend: Array
    box_yxyx: Array
    share: Array


@dataclass(frozen=True, slots=True)
class Plan:
    """All random choices for B pictures of one size.

    `matrix` float64 (B, 2, 3): where a point of the original goes (see `affine`). `whole_pixels`:
    it only mirrors and shifts by whole pixels. `reflect`: what lies beyond a picture is its mirror
    image, otherwise grey. `colour` float64 (B, 4): factors of brightness,
    contrast and saturation, and the hue in turns. `noise_std` float64 (B,): on the scale 0 … 255,
    with `noise_seeds` (Python integers). What is `None` is off.
    """

    size_hw: SizeHW
    matrix: Array
    whole_pixels: bool
    reflect: bool = True
    colour: Array | None = None
    noise_std: Array | None = None
    noise_seeds: tuple[int, ...] = ()
    erase: Rectangles | None = None
    mix: Mix | None = None

    def __len__(self) -> int:
        return len(self.matrix)


@dataclass(frozen=True, slots=True)
class _Dice:
    """The draws of some records in one epoch."""

    seed: int
    epoch: int
    indices: Array

    def uniforms(self, stream: str, draws: int) -> Array:
        return uniforms(self.seed, self.epoch, self.indices, draws, stream=f"augment/{stream}")

    def spread(self, stream: str, draws: int) -> Array:
        """In [-1, 1)."""
        return 2.0 * self.uniforms(stream, draws) - 1.0


def draw_plan(
    settings: AugmentSettings, size_hw: SizeHW, *, seed: int, epoch: int, indices: Array
) -> Plan:
    """The plan of records `indices` (B,) in `epoch`; `settings` must be resolved."""
    assert settings.flip != "auto", "unresolved settings"
    assert settings.crop is not None, "unresolved settings"
    dice = _Dice(seed, epoch, np.asarray(indices, np.int64))
    matrix, whole_pixels = _draw_geometry(settings, size_hw, dice)
    noise_std = (settings.noise or 0.0) * 255.0 * dice.uniforms("noise", 1)[:, 0]
    return Plan(
        size_hw=size_hw,
        matrix=matrix,
        whole_pixels=whole_pixels,
        reflect=settings.border == "reflect",
        colour=_draw_colour(settings.colour, dice) if settings.colour else None,
        noise_std=noise_std if settings.noise else None,
        noise_seeds=tuple(hash64(seed, epoch, int(i), "noise") >> 1 for i in dice.indices)
        if settings.noise
        else (),
        erase=_draw_erase(settings.erase, size_hw, dice) if settings.erase else None,
        mix=_draw_mix(settings, size_hw, dice) if settings.mixup or settings.cutmix else None,
    )


def _draw_geometry(settings: AugmentSettings, size_hw: SizeHW, dice: _Dice) -> tuple[Array, bool]:
    """Matrices (B, 2, 3), and whether they keep to whole pixels."""
    crop, scale, angle = settings.crop or 0.0, settings.scale or 0.0, settings.rotate_deg or 0.0
    size_xy = np.array([size_hw[1], size_hw[0]], np.float64)
    reach = np.rint((settings.translate or 0.0) * size_xy)
    shift = np.floor(dice.uniforms("translate", 2) * (2 * reach + 1)) - reach
    wanted = np.array([settings.flip in ("horizontal", "both"), settings.flip in ("vertical", "both")])
    cut = crop * dice.uniforms("crop", 2)  # sides apart: the aspect changes too
    matrix = compose_affine(
        size_hw,
        centre_xy=size_xy * (0.5 + 0.5 * cut * dice.spread("crop-place", 2)),
        angle_deg=angle * dice.spread("rotate", 1)[:, 0],
        zoom_xy=(1.0 + scale * dice.spread("scale", 1)) / (1.0 - cut),
        flip_xy=(dice.uniforms("flip", 2) < 0.5) & wanted,
        shift_xy=shift,
    )
    return matrix, not (crop or scale or angle)


def _draw_colour(strength: float, dice: _Dice) -> Array:
    """Factors and hue, (B, 4)."""
    factors = 1.0 + strength * dice.spread("colour", 3)
    hue = strength * _HUE_TURNS * dice.spread("hue", 1)
    return np.concatenate([factors, hue], axis=1)


def _draw_erase(probability: float, size_hw: SizeHW, dice: _Dice) -> Rectangles:
    happens, area, aspect, grey, y, x = dice.uniforms("erase", 6).T
    low, high = np.log(_ERASED_ASPECT)
    area = _ERASED_AREA[0] + (_ERASED_AREA[1] - _ERASED_AREA[0]) * area
    ratio = np.exp(low + (high - low) * aspect)  # height over width
    sides = np.stack([np.sqrt(area * ratio), np.sqrt(area / ratio)], axis=1)
    sides[happens >= probability] = 0.0
    return Rectangles(_place(sides, np.stack([y, x], axis=1), size_hw), np.floor(grey * 256.0))


def _place(sides: Array, where: Array, size_hw: SizeHW) -> Array:
    """Boxes (B, 4) inside the picture: `sides` (B, 2) as parts of it, `where` (B, 2) in [0, 1)."""
    size = np.array(size_hw)
    extent = np.minimum(np.rint(sides * size), size)
    extent = np.where(sides > 0, np.maximum(extent, 1), extent)
    start = np.floor(where * (size - extent + 1))
    return np.concatenate([start, start + extent], axis=1).astype(np.int64)


def _draw_mix(settings: AugmentSettings, size_hw: SizeHW, dice: _Dice) -> Mix:
    """Partner by position; lambda by record. With both kinds on, a coin chooses."""
    count = len(dice.indices)
    positions = np.arange(count)
    partner = np.minimum(positions ^ 1, count - 1)
    alone = partner == positions
    coin = dice.uniforms("mix-kind", 1)[:, 0] < 0.5
    cuts = ~alone & bool(settings.cutmix) & (coin if settings.mixup else True)
    blend = np.ones(count)
    if settings.mixup:
        blends = beta(dice.seed, dice.epoch, dice.indices, settings.mixup, stream="augment/mixup")
        blend = np.where(cuts | alone, 1.0, blends)
    box, share = np.zeros((count, 4), np.int64), blend
    if settings.cutmix:
        kept = beta(dice.seed, dice.epoch, dice.indices, settings.cutmix, stream="augment/cutmix")
        box = _cut_boxes(np.where(cuts, 1.0 - kept, 0.0), dice.uniforms("cut-place", 2), size_hw)
        area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
        share = np.where(cuts, 1.0 - area / (size_hw[0] * size_hw[1]), blend)
    return Mix(partner, blend.astype(np.float32), box, share.astype(np.float32))


def _cut_boxes(area: Array, centre: Array, size_hw: SizeHW) -> Array:
    """Boxes (B, 4) of part `area` (B,) round `centre` (B, 2), cut at the border (Yun et al. 2019)."""
    size = np.array(size_hw)
    half = np.sqrt(area)[:, None] * size / 2
    box = np.concatenate([centre * size - half, centre * size + half], axis=1)
    inside: Array = np.clip(np.rint(box), 0, np.tile(size, 2)).astype(np.int64)
    return inside
