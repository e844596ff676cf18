"""Where a curve gives way, and in one word how it bears its axis: by rules that the card states.

What a run can lose is what it has beyond chance; `loss` is the share of it that is gone: 0 at the clean
score, 1 at chance. Since every severity is measured on the same pictures as the clean pass, the interval
of the loss is that of a paired difference. It leaves room for pictures of which none was seen: `unseen`.

"Knee" has no one definition (Satopää et al. 2011). Here it is the mildest severity at which the loss is,
with 95 % confidence, above a tenth: a threshold of what is noticed, not a bend of the line, so that it
means the same on every axis and for every unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from striate.stress.resamples import ends, unseen
from striate.types import Array

__all__ = [
    "BROKEN",
    "LEAST",
    "RULE",
    "TOLERATED",
    "Loss",
    "Verdict",
    "knee_of",
    "loss_of",
    "steepest",
    "verdict_of",
]

Verdict: TypeAlias = Literal["holds", "bends", "breaks", "unclear", "nothing to lose"]

TOLERATED, BROKEN = 0.1, 0.5
LEAST = 10
"""Fewer pictures decide nothing: the harshest of many measures of five pictures is mostly their luck."""

RULE = (
    "Loss is the share gone of what the run has beyond chance. Breaks: at some severity surely more "
    "than half is lost. Bends: surely more than a tenth. Holds: at every severity at most a tenth is "
    "lost, and surely not half. Unclear: anything else; there are too few pictures to say. Surely: the "
    "whole 95 % interval lies there. It is that of the paired bootstrap, and never narrower than N "
    "pictures allow: a share of 1 − 0.025^(1/N) of others, about 3.7/N, could be missing among them and "
    f"lose nothing, or everything. Fewer than {LEAST} pictures decide nothing. Knee: the mildest "
    "severity with a sure loss above a tenth."
)


@dataclass(frozen=True, slots=True)
class Loss:
    """Share of what the run has beyond chance that is gone, with its interval; may be below 0."""

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether there was something to lose."""
        return not np.isnan([self.value, self.low, self.high]).any()


def loss_of(
    clean: tuple[float, Array],
    changed: tuple[float, Array],
    chance: float,
    *,
    more_is_better: bool,
    pictures: int,
) -> Loss:
    """From (value, draws (R,)) of the clean and of the changed pass over `pictures`, drawn alike.

    NaN where the clean score is not surely better than chance: there is nothing that could be lost.
    """
    sign = 1.0 if more_is_better else -1.0
    had = sign * (clean[0] - chance)
    drawn = sign * (clean[1] - chance)
    if not had > 0 or not ends(drawn)[0] > 0:
        return Loss(float("nan"), float("nan"), float("nan"))
    gone = sign * (clean[1] - changed[1])
    shares = np.divide(gone, drawn, out=np.full(gone.shape, np.nan), where=drawn > 0)
    lost = sign * (clean[0] - changed[0])
    low, high = ends(shares)
    best = sign * ((1.0 if more_is_better else 0.0) - chance)
    least, most = _room_for_others(lost, had, best, pictures)
    unknown = bool(np.isnan([low, high]).any())
    return Loss(lost / had, *((low, high) if unknown else (min(low, least), max(high, most))))


def _room_for_others(lost: float, had: float, best: float, pictures: int) -> tuple[float, float]:
    """The loss if as many pictures as can be missing among `pictures` had all, `best`, and lost none of
    it; and if they lost it all. Of fewer than `LEAST` nothing is known."""
    room = unseen(pictures) if pictures >= LEAST else 1.0
    there = (1 - room) * had + room * best
    return (1 - room) * lost / there, ((1 - room) * lost + room * best) / there


def knee_of(losses: Sequence[Loss]) -> int | None:
    """Place of the mildest severity with a sure loss above a tenth; None without."""
    return next((at for at, one in enumerate(losses) if one.is_known and one.low > TOLERATED), None)


def steepest(losses: Sequence[Loss]) -> int | None:
    """Place of the severity on the way to which most is lost (the clean pass before the first)."""
    if not losses or not all(one.is_known for one in losses):
        return None
    falls = np.diff([0.0, *(one.value for one in losses)])
    return int(np.argmax(falls)) if falls.max() > 0 else None


def verdict_of(losses: Sequence[Loss]) -> Verdict:
    """By `RULE`."""
    known = [one for one in losses if one.is_known]
    if not known:
        return "nothing to lose"
    surely = max(one.low for one in known)
    if surely > BROKEN:
        return "breaks"
    if surely > TOLERATED:
        return "bends"
    held = max(one.value for one in known) <= TOLERATED
    return "holds" if held and max(one.high for one in known) <= BROKEN else "unclear"
