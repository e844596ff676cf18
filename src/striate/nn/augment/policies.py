"""RandAugment, TrivialAugment and AugMix: which operations, how strong, in which order. NumPy only.

Operations that move pixels become a matrix, so that labels follow and the picture is resampled once;
those that change pixels in place become steps, which are carried out in turn. Between the two the
order of the papers is not kept: pictures are moved first. Slanting is about the middle rather than
the corner, and what comes in follows the plan's border rather than being black.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from striate.nn.augment.affine import about_middle, then
from striate.nn.augment.dice import Dice
from striate.nn.augment.settings import AugmentSettings
from striate.types import Array, SizeHW

__all__ = ["MOVES", "PIXEL_OPS", "TABLES", "Chain", "Mixture", "Op", "Steps", "draw_policy"]

PIXEL_OPS = (
    "identity",
    "brightness",
    "contrast",
    "saturation",
    "sharpness",
    "posterize",
    "solarize",
    "autocontrast",
    "equalize",
)
"""What changes pixels in place; `Steps.ops` counts in this order."""
MOVES = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
"""What moves pixels."""

STRONGEST = 30
_AUGMIX_STRONGEST = 10
_AUGMIX_DEPTH = 3
_LEAST_LEVEL = 0.1


@dataclass(frozen=True, slots=True)
class Op:
    """An operation whose value goes from `weak` to `strong` with the strength.

    `signed`: to either side. Values are tangents (shear), degrees (rotate), parts of a side or, with
    `pixels`, pixels (translate), changes of a factor from 1 (brightness, contrast, saturation,
    sharpness), bits (posterize), or a level (solarize).
    """

    name: str
    weak: float = 0.0
    strong: float = 0.0
    signed: bool = False
    pixels: bool = False
    whole: bool = False


def _enhancing(most: float) -> tuple[Op, ...]:
    names = ("brightness", "saturation", "contrast", "sharpness")
    return tuple(Op(name, 0.0, most, signed=True) for name in names)


_RANDAUGMENT = (
    Op("identity"),
    Op("shear_x", 0.0, 0.3, signed=True),
    Op("shear_y", 0.0, 0.3, signed=True),
    Op("translate_x", 0.0, 150 / 331, signed=True),
    Op("translate_y", 0.0, 150 / 331, signed=True),
    Op("rotate", 0.0, 30.0, signed=True),
    *_enhancing(0.9),
    Op("posterize", 8.0, 4.0, whole=True),
    Op("solarize", 255.0, 0.0),
    Op("autocontrast"),
    Op("equalize"),
)
_TRIVIAL = (
    Op("identity"),
    Op("shear_x", 0.0, 0.99, signed=True),
    Op("shear_y", 0.0, 0.99, signed=True),
    Op("translate_x", 0.0, 32.0, signed=True, pixels=True),
    Op("translate_y", 0.0, 32.0, signed=True, pixels=True),
    Op("rotate", 0.0, 135.0, signed=True),
    *_enhancing(0.99),
    Op("posterize", 8.0, 2.0, whole=True),
    Op("solarize", 255.0, 0.0),
    Op("autocontrast"),
    Op("equalize"),
)
_AUGMIX = (
    Op("autocontrast"),
    Op("equalize"),
    Op("posterize", 4.0, 0.0, whole=True),
    Op("rotate", 0.0, 30.0, signed=True, whole=True),
    Op("solarize", 256.0, 0.0, whole=True),
    Op("shear_x", 0.0, 0.3, signed=True),
    Op("shear_y", 0.0, 0.3, signed=True),
    Op("translate_x", 0.0, 1 / 3, signed=True),
    Op("translate_y", 0.0, 1 / 3, signed=True),
)
TABLES: Mapping[str, Sequence[Op]] = MappingProxyType(
    {"randaugment": _RANDAUGMENT, "trivialaugment": _TRIVIAL, "augmix": _AUGMIX}
)
"""Operations and their ranges: Cubuk et al. 2020 (with the ranges of the code they published), Müller &
Hutter 2021 ("wide"), Hendrycks et al. 2020."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Operations on pixels in turn: `ops` int64 (S, B) into `PIXEL_OPS`, `values` float64 (S, B)."""

    ops: Array
    values: Array

    def take(self, rows: Array | slice) -> Steps:
        """Of some pictures."""
        return Steps(self.ops[:, rows], self.values[:, rows])


@dataclass(frozen=True, slots=True)
class Chain:
    """One of the chains that AugMix mixes. `matrix` (B, 2, 3): on top of the plan's own.

    `moved` bool (B,): where it is not the identity.
    """

    matrix: Array
    moved: Array
    steps: Steps

    def take(self, rows: Array | slice) -> Chain:
        """Of some pictures."""
        return Chain(self.matrix[rows], self.moved[rows], self.steps.take(rows))


@dataclass(frozen=True, slots=True)
class Mixture:
    """AugMix: `own` float32 (B,) of the picture as it is, and `weights` float32 (C, B) of its chains."""

    chains: tuple[Chain, ...]
    own: Array
    weights: Array

    def take(self, rows: Array | slice) -> Mixture:
        """Of some pictures."""
        chains = tuple(chain.take(rows) for chain in self.chains)
        return Mixture(chains, self.own[rows], self.weights[:, rows])


def draw_policy(
    settings: AugmentSettings, size_hw: SizeHW, dice: Dice
) -> tuple[Array | None, Steps | None, Mixture | None]:
    """A matrix (B, 2, 3) to put on top of the plan's, steps on pixels, and a mixture: what there is.

    `settings` must be resolved.
    """
    name, count = settings.policy, settings.policy_ops
    magnitude = settings.policy_magnitude
    assert name is not None, "unresolved settings"
    assert count is not None, "unresolved settings"
    assert magnitude is not None, "unresolved settings"
    if name == "none" or not count:
        return None, None, None
    if name == "augmix":
        return None, None, _draw_mixture(count, magnitude, size_hw, dice)
    table = TABLES[name]
    chosen = np.floor(dice.uniforms(f"{name}-op", count) * len(table)).astype(np.int64)
    strength = np.full(chosen.shape, magnitude / STRONGEST)
    if name == "trivialaugment":
        level = np.floor(dice.uniforms("trivialaugment-level", count) * (STRONGEST + 1))
        strength = level / STRONGEST * strength
    signs = dice.signs(f"{name}-sign", count)
    matrix, _, steps = _carried_out(table, chosen.T, strength.T, signs.T, size_hw)
    return matrix, steps, None


def _draw_mixture(width: int, severity: float, size_hw: SizeHW, dice: Dice) -> Mixture:
    """Algorithm 1 of the paper, without its consistency loss: Dirichlet and Beta with α = 1."""
    table, depth = TABLES["augmix"], _AUGMIX_DEPTH
    chains = []
    for place in range(width):
        stream = f"augmix-{place}"
        chosen = np.floor(dice.uniforms(f"{stream}-op", depth) * len(table)).astype(np.int64)
        length = 1 + np.floor(dice.uniforms(f"{stream}-depth", 1) * depth)
        chosen = np.where(np.arange(depth) < length, chosen, -1)
        level = _LEAST_LEVEL + (severity - _LEAST_LEVEL) * dice.uniforms(f"{stream}-level", depth)
        strength = np.maximum(level, 0.0) / _AUGMIX_STRONGEST
        signs = dice.signs(f"{stream}-sign", depth)
        chains.append(Chain(*_carried_out(table, chosen.T, strength.T, signs.T, size_hw)))
    shares = -np.log1p(-dice.uniforms("augmix-weights", width))
    mixed = dice.uniforms("augmix-mix", 1)
    weights = mixed * shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    own = 1.0 - weights.sum(axis=1)
    return Mixture(tuple(chains), own.astype(np.float32), weights.T.astype(np.float32))


def _carried_out(
    table: Sequence[Op], chosen: Array, strength: Array, signs: Array, size_hw: SizeHW
) -> tuple[Array, Array, Steps]:
    """What operations `chosen` (S, B) of `table` do (−1: none): a matrix, where it moves, and steps."""
    count = chosen.shape[1]
    matrix = np.tile(np.eye(2, 3), (count, 1, 1))
    moved = np.zeros(count, bool)
    ops, values = np.zeros(chosen.shape, np.int64), np.zeros(chosen.shape)
    for step, row in enumerate(chosen):
        linear, shift = np.tile(np.eye(2), (count, 1, 1)), np.zeros((count, 2))
        for number, op in enumerate(table):
            here = np.flatnonzero(row == number)
            value = _values(op, strength[step, here], signs[step, here])
            if op.name in PIXEL_OPS:
                ops[step, here], values[step, here] = PIXEL_OPS.index(op.name), value
            else:
                linear[here], shift[here] = _move(op, value, size_hw)
                moved[here] = True
        matrix = then(matrix, about_middle(size_hw, linear, shift))
    return matrix, moved, Steps(ops, values)


def _values(op: Op, strength: Array, signs: Array) -> Array:
    change = (op.strong - op.weak) * strength
    if op.name == "posterize" and op.weak == 8:  # torchvision and the paper's code round
        return op.weak + np.round(change)
    found = op.weak + (np.trunc(change) if op.whole else change)
    found = found * signs if op.signed else found
    enhances = op.name in ("brightness", "contrast", "saturation", "sharpness")
    return np.asarray(1.0 + found if enhances else found)


def _move(op: Op, value: Array, size_hw: SizeHW) -> tuple[Array, Array]:
    """Linear parts (N, 2, 2) and shifts (N, 2)."""
    linear, shift = np.tile(np.eye(2), (len(value), 1, 1)), np.zeros((len(value), 2))
    match op.name:
        case "shear_x":
            linear[:, 0, 1] = value
        case "shear_y":
            linear[:, 1, 0] = value
        case "rotate":
            angle = np.deg2rad(value)
            linear[:, 0, 0] = linear[:, 1, 1] = np.cos(angle)
            linear[:, 1, 0] = np.sin(angle)
            linear[:, 0, 1] = -linear[:, 1, 0]
        case _:
            axis = 0 if op.name == "translate_x" else 1
            side = 1 if op.pixels else size_hw[1 - axis]
            shift[:, axis] = np.trunc(value * side)
    return linear, shift
