"""Which channels of a layer are worth a look: what each prefers, measured while pictures pass by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.types import Array

__all__ = ["Preference", "Tally", "choose_channels"]


@dataclass(frozen=True, slots=True, eq=False)
class Preference:
    """What the channels of a layer prefer, from their peaks: the largest value in each picture.

    `mean`, `spread` (C,): of the peaks. `awake` (C,): in which share of the pictures a channel is above
    zero. `score` (C,): how selective it is. `favourite` (C,): the class that it prefers, −1 where
    pictures have no classes. With classes the score is how far the mean peak in the favourite class is
    above that in all others, in standard deviations of its peaks; without, how far its strongest
    pictures are above its mean. `support` (C,): how many pictures there are of the favourite class; of
    all, without classes.
    """

    mean: Array
    spread: Array
    awake: Array
    score: Array
    favourite: Array
    support: Array

    @property
    def alive(self) -> Array:
        """Channels whose peaks differ and are sometimes above zero, bool (C,)."""
        found: Array = (self.spread > 1e-6 * np.maximum(np.abs(self.mean), 1e-6)) & (self.awake > 0)
        return found

    @property
    def typical(self) -> float | None:
        """The median score of the channels that answer; None without classes."""
        told = self.alive & (self.favourite >= 0)
        return float(np.median(self.score[told])) if told.any() else None


class Tally:
    """Sums of peaks over any number of pictures, in memory for one number a channel and class."""

    def __init__(self, channels: int, classes: int = 0) -> None:
        self.pictures = 0
        self._sum, self._squares, self._awake = (np.zeros(channels) for _ in range(3))
        self._by_class = np.zeros((classes, channels))
        self._per_class = np.zeros(classes)

    def add(self, peaks: Array, labels: Array | None = None) -> None:
        """`peaks` (B, C) of further pictures; `labels` (B,): their classes, −1 for none."""
        peaks = np.asarray(peaks, np.float64)
        self.pictures += len(peaks)
        self._sum += peaks.sum(axis=0)
        self._squares += (peaks**2).sum(axis=0)
        self._awake += (peaks > 0).sum(axis=0)
        if labels is not None and len(self._per_class):
            known = labels >= 0
            np.add.at(self._by_class, labels[known], peaks[known])
            np.add.at(self._per_class, labels[known], 1)

    def preference(self, strongest: Array) -> Preference:
        """What was found; `strongest` (C, T): the highest peaks of each channel."""
        count = max(self.pictures, 1)
        mean = self._sum / count
        spread = np.sqrt(np.maximum(self._squares / count - mean**2, 0.0))
        score, favourite = self._against_classes(spread)
        if (self._per_class > 0).sum() < 2:
            finite = np.where(np.isfinite(strongest), strongest, np.nan)
            top = np.nanmean(finite, axis=1) if self.pictures else mean
            score = (top - mean) / np.maximum(spread, 1e-12)
            favourite = np.full(len(mean), -1)
        known = np.append(self._per_class, self.pictures)  # the last one is for "none", −1
        return Preference(mean, spread, self._awake / count, score, favourite, known[favourite])

    def _against_classes(self, spread: Array) -> tuple[Array, Array]:
        """The best (mean in a class − mean elsewhere) / spread, and the class."""
        shown = np.flatnonzero(self._per_class > 0)
        if len(shown) < 2:
            return np.zeros(len(spread)), np.full(len(spread), -1)
        inside = self._by_class[shown] / self._per_class[shown, None]
        others = self._per_class[shown].sum() - self._per_class[shown]
        total = self._by_class[shown].sum(axis=0)
        outside = (total - self._by_class[shown]) / others[:, None]
        apart = (inside - outside) / np.maximum(spread, 1e-12)
        best = apart.argmax(axis=0)
        return apart.max(axis=0), shown[best]


def choose_channels(preference: Preference, count: int) -> list[int]:
    """The `count` most selective channels that answer at all, first the best of each favourite class.

    So that a few channels show many preferences. Channels that never answer come last.
    """
    order = np.argsort(np.where(preference.alive, -preference.score, np.inf), kind="stable").tolist()
    met: dict[int, int] = {}
    rounds = []
    for at, channel in enumerate(order):
        favourite = int(preference.favourite[channel])
        # without classes, and for channels that sleep, the order stands
        turn = met.get(favourite, 0) if favourite >= 0 and preference.alive[channel] else at
        met[favourite] = met.get(favourite, 0) + 1
        rounds.append((not bool(preference.alive[channel]), turn, at))
    return [order[at] for *_, at in sorted(rounds)[:count]]
