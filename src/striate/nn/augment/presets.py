"""From what the user asked for to concrete numbers: presets, and what suits the pictures. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from striate.errors import SettingError
from striate.nn.augment.settings import AugmentSettings
from striate.types import Array, SizeHW

__all__ = [
    "AUTO_PHOTO",
    "AUTO_TINY",
    "POLICIES",
    "PRESETS",
    "TINY_SIDE",
    "looks_like_writing",
    "resolve",
]

TINY_SIDE = 64
"""Pictures whose shorter side has at most so many pixels are tiny: shifted and mirrored, not warped."""

_OFF: dict[str, float] = {
    "crop": 0.0,
    "translate": 0.0,
    "rotate_deg": 0.0,
    "scale": 0.0,
    "shear_deg": 0.0,
    "perspective": 0.0,
    "elastic": 0.0,
    "colour": 0.0,
    "exposure": 0.0,
    "gamma": 0.0,
    "shade": 0.0,
    "cast": 0.0,
    "greyscale": 0.0,
    "blur": 0.0,
    "sharpen": 0.0,
    "noise": 0.0,
    "colour_noise": 0.0,
    "jpeg": 0.0,
    "erase": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
}

AUTO_TINY: Mapping[str, float] = _OFF | {"translate": 0.0625}
AUTO_PHOTO: Mapping[str, float] = _OFF | {
    "crop": 0.25,
    "rotate_deg": 10.0,
    "scale": 0.1,
    "colour": 0.2,
    "erase": 0.1,
}
PRESETS: Mapping[str, Mapping[str, float]] = {
    "none": _OFF,
    "light": _OFF | {"crop": 0.1, "colour": 0.1},
    "standard": AUTO_PHOTO,
    "heavy": _OFF
    | {
        "crop": 0.4,
        "translate": 0.1,
        "rotate_deg": 20.0,
        "scale": 0.25,
        "colour": 0.4,
        "noise": 0.05,
        "erase": 0.25,
        "mixup": 0.2,
        "cutmix": 1.0,
    },
}

POLICIES: Mapping[str, tuple[int, float]] = {
    "none": (0, 0.0),
    "randaugment": (2, 9.0),
    "trivialaugment": (1, 30.0),
    "augmix": (3, 3.0),
}
"""Operations (of augmix: chains) and magnitude as published. No preset has a policy."""
_AUGMIX_MOST = 10

_Flip = Literal["none", "horizontal", "vertical", "both"]


def resolve(
    settings: AugmentSettings, *, size_hw: SizeHW, grey: bool, writing: bool | None = None
) -> AugmentSettings:
    """`settings` with every value concrete: nothing is `auto` or `None` any more.

    `size_hw`: the training resolution. `grey`: all pictures are single-channel. `writing`: mirroring
    would change the meaning (digits, letters); unless told (`looks_like_writing` can tell), tiny grey
    pictures count as writing. A value that the user gave stands, even against the rule.
    """
    tiny = min(size_hw) <= TINY_SIDE
    name = settings.augment
    preset = PRESETS[name] if name != "auto" else AUTO_TINY if tiny else AUTO_PHOTO
    flip = settings.flip
    if flip == "auto":
        readable = grey and tiny if writing is None else writing
        flip = "none" if readable or name == "none" else "horizontal"
    border = "reflect" if settings.border == "auto" else settings.border
    values: dict[str, Any] = {
        "augment": "standard" if name == "auto" else name,
        "flip": flip,
        "border": border,
    }
    for field, default in preset.items():
        given = getattr(settings, field)
        values[field] = default if given is None else given
    return AugmentSettings(**values, **_resolve_policy(settings))


def _resolve_policy(settings: AugmentSettings) -> dict[str, Any]:
    """The policy's three settings; those of no policy, or beyond the policy's range, are refused.

    A policy laid over resolved settings without one finds no operations at no magnitude there: nobody
    asked for those, and it takes its own.
    """
    name = settings.policy or "none"
    ops, magnitude = settings.policy_ops, settings.policy_magnitude
    if name != "none" and (ops, magnitude) == POLICIES["none"]:
        ops = magnitude = None
    if name != "none" and ops == 0:
        raise SettingError(
            f"policy_ops is 0, with which {name} does nothing",
            expected="at least 1, or policy none",
        )
    if name == "none" and (ops or magnitude):
        raise SettingError(
            "policy_ops and policy_magnitude are settings of a policy, and none was asked for",
            expected=f"a policy beside them: {', '.join(one for one in POLICIES if one != 'none')}",
        )
    if name == "augmix" and (magnitude or 0.0) > _AUGMIX_MOST:
        raise SettingError(
            f"policy_magnitude is {magnitude:g}",
            expected=f"at most {_AUGMIX_MOST} for augmix; 30 is for the other policies",
        )
    usual_ops, usual_magnitude = POLICIES[name]
    return {
        "policy": name,
        "policy_ops": usual_ops if ops is None else ops,
        "policy_magnitude": usual_magnitude if magnitude is None else magnitude,
    }


def looks_like_writing(pictures: Array) -> bool:
    """Whether grey pictures uint8 (N, H, W, 3) show thin strokes on an even ground: digits, letters.

    A square of a sixth of the side is fitted into the ink (a morphological opening): strokes are too
    thin for it, coats and faces are not. Writing, if in three of four pictures less than a quarter of
    the ink is covered. Coloured pictures are never judged to be writing: a house number in a photo is
    not found. A few dozen pictures are enough.
    """
    red, green, blue = (pictures[..., channel].astype(np.int16) for channel in range(3))
    if not len(pictures) or max(np.abs(red - green).max(), np.abs(red - blue).max()) > 2:
        return False
    _, height, width = red.shape
    edge = np.concatenate([red[:, 0], red[:, -1], red[:, :, 0], red[:, :, -1]], axis=1)
    contrast = np.abs(red - np.median(edge, axis=1)[:, None, None])
    strongest = contrast.max(axis=(1, 2))
    ink = contrast > 0.5 * np.maximum(strongest, 1)[:, None, None]  # (N, H, W)
    covered = _opened(ink, side=max(3, round(min(height, width) / 6)))
    shares = covered.sum(axis=(1, 2)) / np.maximum(ink.sum(axis=(1, 2)), 1)
    return bool(strongest.max() > 0 and np.quantile(shares, 0.75) < 0.25)


def _opened(ink: Array, *, side: int) -> Array:
    """The parts of `ink` bool (N, H, W) into which a full square of `side` pixels fits."""
    if side > min(ink.shape[1:]):
        return np.zeros_like(ink)
    whole = sliding_window_view(ink, (side, side), axis=(1, 2)).all(axis=(-2, -1))
    margin = ((0, 0), (side - 1, side - 1), (side - 1, side - 1))
    grown = sliding_window_view(np.pad(whole, margin), (side, side), axis=(1, 2))
    return np.asarray(grown.any(axis=(-2, -1)))
