"""What will happen to each picture of a batch, drawn once, before a pixel is touched. NumPy only.

Every number comes from (seed, epoch, index) of its own record, so the plan of a record does not
depend on the batch it is in. Only mixing looks at the batch: record 2i mixes with record 2i+1, so a
contiguous slice of even length, as a data-parallel worker gets it, mixes the same pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.nn.augment.affine import about_middle, compose_affine, then, warp_points
from striate.nn.augment.bending import Elastic, draw_elastic, draw_perspective, project
from striate.nn.augment.dice import Dice
from striate.nn.augment.policies import Mixture, Steps, draw_policy
from striate.nn.augment.settings import AugmentSettings
from striate.randomness import beta
from striate.types import Array, SizeHW

__all__ = ["Light", "Mix", "Plan", "Rectangles", "draw_plan"]

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
class Light:
    """How the light fell, float64: in this order, and clipped once.

    `gain` (B, 3): of red, green and blue, from exposure and cast. `shade` (B, 3): the part of the light
    that is lost at the darkest place, and the direction (x, y) of the fall, of length 1. `exponent`
    (B,): gamma.
    """

    gain: Array
    shade: Array
    exponent: Array


@dataclass(frozen=True, slots=True)
class Plan:
    """All random choices for B pictures of one size.

    `matrix` float64 (B, 2, 3): where a point of the original goes (see `affine`), but for `perspective`
    (B, 3, 3) and `elastic`, which come after it: `move_points` knows all three. `whole_pixels`: it only
    mirrors and shifts by whole pixels. `whole_rows` bool (B,): with a policy, which do. `reflect`: what
    lies beyond a picture is its mirror image, otherwise grey. `steps`, `mixture`: of a policy (see
    `policies`). `colour` float64 (B, 4): factors of brightness, contrast and saturation, and the hue in
    turns. `greyscale` bool (B,). `blur_sigma` (B,): pixels, at most `blur_most`; `sharpen` (B,): share
    of fine detail that is added. `noise_std`, `colour_noise_std` (B,): on the scale 0 … 255, with
    `noise_seeds` and `colour_noise_seeds` (Python integers). `jpeg_quality` (B,): 1 … 100. What is
    `None` is off.
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
    perspective: Array | None = None
    elastic: Elastic | None = None
    whole_rows: Array | None = None
    steps: Steps | None = None
    mixture: Mixture | None = None
    light: Light | None = None
    greyscale: Array | None = None
    blur_sigma: Array | None = None
    blur_most: float = 0.0
    sharpen: Array | None = None
    colour_noise_std: Array | None = None
    colour_noise_seeds: tuple[int, ...] = ()
    jpeg_quality: Array | None = None

    def __len__(self) -> int:
        return len(self.matrix)

    def moves_of(self, rows: Array | slice) -> Plan:
        """Of some pictures: what moves their pixels, and their policy."""
        return Plan(
            self.size_hw,
            self.matrix[rows],
            self.whole_pixels,
            self.reflect,
            perspective=None if self.perspective is None else self.perspective[rows],
            elastic=None if self.elastic is None else self.elastic.take(rows),
            whole_rows=None if self.whole_rows is None else self.whole_rows[rows],
            steps=None if self.steps is None else self.steps.take(rows),
            mixture=None if self.mixture is None else self.mixture.take(rows),
        )

    @property
    def bends(self) -> bool:
        """Whether more happens to places than `matrix` tells."""
        return self.perspective is not None or self.elastic is not None

    def move_points(self, points_xy: Array, row: int | None = None) -> Array:
        """Where points of the originals go: float64 (B, N, 2), (x, y) in continuous pixels.

        `row`: the points (N, 2) are of this picture alone. A `ValueError` where the plan mixes versions
        of a picture that were moved differently (AugMix): a point then lies in several places.
        """
        if self.mixture is not None and any(chain.moved.any() for chain in self.mixture.chains):
            raise ValueError("a point of a picture that AugMix moved lies in several places")
        if row is not None:
            found: Array = self._moved(np.asarray(points_xy, np.float64)[None], slice(row, row + 1))[0]
            return found
        return self._moved(np.asarray(points_xy, np.float64), slice(None))

    def _moved(self, points_xy: Array, rows: slice) -> Array:
        moved = warp_points(points_xy, self.matrix[rows])
        if self.perspective is not None:
            moved = project(moved, self.perspective[rows])
        if self.elastic is not None:
            moved = self.elastic.take(rows).follow(moved)
        return moved


def draw_plan(
    settings: AugmentSettings, size_hw: SizeHW, *, seed: int, epoch: int, indices: Array
) -> Plan:
    """The plan of records `indices` (B,) in `epoch`; `settings` must be resolved."""
    assert settings.flip != "auto", "unresolved settings"
    assert settings.crop is not None, "unresolved settings"
    dice = Dice(seed, epoch, np.asarray(indices, np.int64))
    matrix, whole_pixels = _draw_geometry(settings, size_hw, dice)
    moves, steps, mixture = draw_policy(settings, size_hw, dice)
    reflect = settings.border == "reflect"
    whole_rows = None
    if moves is not None:
        matrix = then(matrix, moves)
    if whole_pixels and (moves is not None or mixture is not None):
        whole_rows = _whole_rows(matrix, size_hw, reflect=reflect)
    return Plan(
        size_hw=size_hw,
        matrix=matrix,
        whole_pixels=whole_pixels and moves is None,
        reflect=reflect,
        colour=_draw_colour(settings.colour, dice) if settings.colour else None,
        noise_std=_upto(255.0 * settings.noise, "noise", dice) if settings.noise else None,
        noise_seeds=dice.seeds("noise") if settings.noise else (),
        erase=_draw_erase(settings.erase, size_hw, dice) if settings.erase else None,
        mix=_draw_mix(settings, size_hw, dice) if settings.mixup or settings.cutmix else None,
        perspective=draw_perspective(settings.perspective, size_hw, dice)
        if settings.perspective
        else None,
        elastic=draw_elastic(settings.elastic, size_hw, dice) if settings.elastic else None,
        whole_rows=whole_rows,
        steps=steps,
        mixture=mixture,
        light=_draw_light(settings, dice),
        greyscale=dice.uniforms("greyscale", 1)[:, 0] < settings.greyscale
        if settings.greyscale
        else None,
        blur_sigma=_upto(settings.blur, "blur", dice) if settings.blur else None,
        blur_most=settings.blur or 0.0,
        sharpen=_upto(settings.sharpen, "sharpen", dice) if settings.sharpen else None,
        colour_noise_std=_upto(255.0 * settings.colour_noise, "colour-noise", dice)
        if settings.colour_noise
        else None,
        colour_noise_seeds=dice.seeds("colour-noise") if settings.colour_noise else (),
        jpeg_quality=100.0 - _upto(99.0 * settings.jpeg, "jpeg", dice) if settings.jpeg else None,
    )


def _whole_rows(matrix: Array, size_hw: SizeHW, *, reflect: bool) -> Array:
    """Which of (B, 2, 3) mirror and shift by whole pixels; without `reflect`, within the picture."""
    linear, offset = matrix[:, :, :2], matrix[:, :, 2]
    signs = np.diagonal(linear, axis1=1, axis2=2)  # (B, 2)
    off = np.abs(linear[:, 0, 1]) + np.abs(linear[:, 1, 0])
    still = np.where(signs > 0, 0.0, np.array([size_hw[1], size_hw[0]]))
    there = np.rint(offset) if reflect else still
    found: Array = (np.abs(signs) == 1).all(axis=1) & (off == 0) & (offset == there).all(axis=1)
    return found


def _upto(most: float, stream: str, dice: Dice) -> Array:
    """Strengths (B,) from 0 to `most`."""
    found: Array = most * dice.uniforms(stream, 1)[:, 0]
    return found


def _draw_light(settings: AugmentSettings, dice: Dice) -> Light | None:
    stops, gamma = settings.exposure or 0.0, settings.gamma or 0.0
    shade, cast = settings.shade or 0.0, settings.cast or 0.0
    if not (stops or gamma or shade or cast):
        return None
    angle = 2.0 * np.pi * dice.uniforms("shade-angle", 1)[:, 0]
    fall = np.stack([shade * dice.uniforms("shade", 1)[:, 0], np.cos(angle), np.sin(angle)], axis=1)
    gain = 2.0 ** (stops * dice.spread("exposure", 1)) * (1.0 + cast * dice.spread("cast", 3))
    return Light(gain, fall, (1.0 + gamma) ** dice.spread("gamma", 1)[:, 0])


def _draw_geometry(settings: AugmentSettings, size_hw: SizeHW, dice: Dice) -> tuple[Array, bool]:
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
    if settings.shear_deg:
        slant = np.tan(np.deg2rad(settings.shear_deg * dice.spread("shear", 2)))
        linear = np.tile(np.eye(2), (len(dice), 1, 1))
        linear[:, 0, 1], linear[:, 1, 0] = slant.T
        linear[:, 1, 1] += slant[:, 0] * slant[:, 1]  # one after the other: areas stay
        matrix = then(matrix, about_middle(size_hw, linear, np.zeros((len(dice), 2))))
    bends = settings.shear_deg or settings.perspective or settings.elastic
    return matrix, not (crop or scale or angle or bends)


def _draw_colour(strength: float, dice: Dice) -> Array:
    """Factors and hue, (B, 4)."""
    factors = 1.0 + strength * dice.spread("colour", 3)
    hue = strength * _HUE_TURNS * dice.spread("hue", 1)
    return np.concatenate([factors, hue], axis=1)


def _draw_erase(probability: float, size_hw: SizeHW, dice: Dice) -> Rectangles:
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


def _draw_mix(settings: AugmentSettings, size_hw: SizeHW, dice: Dice) -> Mix:
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
