"""What each augmentation gained, with an interval that says how sure that is. No torch, no training.

Trainings are a block design: every arm is trained with every seed, and within a seed all arms see the
same start, the same split and the same order of pictures. So a gain is a mean of differences within
seeds. Two things are left to chance, and both widen the interval:

- the luck of training: from the residuals of all arms and seeds after the means of arms and of seeds are
  taken out, with Student's t for their (arms − 1)(seeds − 1) degrees of freedom (Fisher's randomised
  blocks: all arms are taken to be equally lucky);
- the luck of the pictures: a bootstrap over the pictures that were measured, pairs kept together.

Their half widths are added as lengths at a right angle. Part of the second is in the first already, so
an interval is a little too wide rather than too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from striate.metrics.intervals import bootstrap_mean
from striate.pictures.lettering import listed
from striate.types import Array

__all__ = ["Ablation", "Direction", "Effect", "Scores", "Verdict", "measure_effects", "number_of"]

Verdict: TypeAlias = Literal["helps", "harms", "no measurable effect"]
Direction: TypeAlias = Literal["added", "left out"]

Scores: TypeAlias = Mapping[tuple[str, int], Array]
"""(arm, seed) → a score a picture, float (N,); higher is better."""

_LEVEL = 0.95
_SHOWN = 5e-4
"""What is nearer to zero than this is shown as zero, and so it is called."""
_FEW_PICTURES = 100
"""With fewer, an answer more is worth telling."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one augmentation does. `gain`: mean score with it minus without it; positive is good.

    `settings`: those that switch it on, or, left out, off. `low`, `high`: the 95 % interval.
    `direction`: "added" to the plain training, or "left out" of the preset, where the gain is what the
    preset has from it. `per_seed`: the gain with each seed.
    """

    name: str
    direction: Direction
    settings: Mapping[str, Any]
    gain: float
    low: float
    high: float
    per_seed: tuple[float, ...]

    @property
    def verdict(self) -> Verdict:
        """What the interval allows to say."""
        if self.low > _SHOWN:
            return "helps"
        return "harms" if self.high < -_SHOWN else "no measurable effect"

    def statement(self, unit: Unit) -> str:
        """The gain in words, no more than the interval shows."""
        interval = f"{unit.text(self.gain)} ({unit.text(self.low)} to {unit.text(self.high)})"
        if self.verdict == "no measurable effect":
            return f"{self.name}: no measurable effect, {interval}"
        return f"{self.name} {self.verdict}: {interval}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "direction": self.direction,
            "gain": self.gain,
            "interval": [self.low, self.high],
            "verdict": self.verdict,
            "per_seed": list(self.per_seed),
            "settings": dict(self.settings),
        }


@dataclass(frozen=True, slots=True)
class Unit:
    """How a score is told: `share`: as points of a hundred, else as a number with `name`."""

    name: str
    share: bool = True

    def text(self, change: float) -> str:
        """A change of the score, with its sign."""
        if self.share:
            return f"{100 * change:+.1f}".replace("-", "−") + " points"
        return f"{change:+.3g}".replace("-", "−") + (f" {self.name}" if self.name else "")

    def number(self, change: float) -> str:
        """A change of the score without its unit, for a column that names it."""
        return self.text(change).split(" ", maxsplit=1)[0]

    @property
    def of_changes(self) -> str:
        """The unit of changes."""
        return "points" if self.share else self.name

    def level(self, score: float) -> str:
        """A score itself."""
        return f"{100 * score:.1f} %" if self.share else f"{score:.3g}"


@dataclass(frozen=True, slots=True)
class Ablation:
    """Effects, the best first, and how they were found."""

    source: str
    task: str
    measured: str
    unit: Unit
    effects: tuple[Effect, ...]
    references: Mapping[str, float]
    """Mean score of what arms are compared with, by name."""
    seeds: tuple[int, ...]
    pictures: int
    epochs: int
    trainings: int
    left: tuple[str, ...] = ()
    """Trainings that there was no time for, or that failed, in words."""
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def added(self) -> list[Effect]:
        """What was added to the plain training, the best first."""
        return [one for one in self.effects if one.direction == "added"]

    @property
    def left_out(self) -> list[Effect]:
        """What was left out of the preset, the most valuable first."""
        return [one for one in self.effects if one.direction == "left out"]

    def best(self) -> Effect | None:
        """The augmentation that gains most, if any measurably gains."""
        return next((one for one in self.added if one.verdict == "helps"), None)

    def statements(self) -> list[str]:
        """The findings in sentences."""
        said = []
        for effects, where in (
            (self.added, "Added to the plain training"),
            (self.left_out, "Of the preset's parts"),
        ):
            for verdict in ("helps", "harms"):
                found = [
                    f"{one.name} ({self.unit.text(one.gain)})"
                    for one in effects
                    if one.verdict == verdict
                ]
                verb = verdict if len(found) == 1 else verdict[:-1]
                if found:
                    said.append(f"{where}, {listed(found)} {verb}.")
            quiet = [one.name for one in effects if one.verdict == "no measurable effect"]
            if quiet:
                said.append(f"{where}, {listed(quiet)}: no measurable effect.")
        if len(self.effects) > 1:
            said.append(
                f"Of {len(self.effects)} comparisons at 95 %, about {len(self.effects) / 20:.2g} would "
                "show an effect by luck alone."
            )
        return said

    def limits(self) -> list[str]:
        """What the findings lack, in sentences: trainings, seeds, pictures."""
        said = [f"{one[0].upper()}{one[1:]}." for one in self.left]
        if len(self.seeds) == 1:
            said.append(
                "With one seed the luck of training is not in the intervals: they are too narrow."
            )
        if self.unit.share and self.pictures < _FEW_PICTURES:
            said.append(
                f"Measured on {number_of(self.pictures, 'picture')}: one right answer more is "
                f"{self.unit.text(1 / self.pictures)}."
            )
        return said

    def to_dict(self) -> dict[str, Any]:
        """What ablate.json holds."""
        return {
            "source": self.source,
            "task": self.task,
            "measured": self.measured,
            "pictures": self.pictures,
            "seeds": list(self.seeds),
            "epochs": self.epochs,
            "trainings": self.trainings,
            "references": dict(self.references),
            "effects": [one.to_dict() for one in self.effects],
            "statements": self.statements(),
            "limits": self.limits(),
            "left": list(self.left),
            "fixed": dict(self.fixed),
        }


def number_of(count: int, noun: str) -> str:
    """ "1 seed", "3 seeds"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def measure_effects(
    scores: Scores,
    arms: Sequence[tuple[str, str, Direction]],
    seeds: Sequence[int],
    settings: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    *,
    same_pictures: bool,
) -> tuple[Effect, ...]:
    """Effects of `arms`, each (arm, the arm it is compared with, direction), sorted by gain.

    `scores` holds every arm with every one of `seeds`. `settings`, `names`: of arms. `same_pictures`:
    the pictures are the same with every seed, and so share their luck.
    """
    luck = _luck_of_training(scores, seeds)
    found = []
    for arm, reference, direction in arms:
        sign = 1.0 if direction == "added" else -1.0
        apart = [sign * (scores[arm, seed] - scores[reference, seed]) for seed in seeds]
        gains = [float(one.mean()) for one in apart]
        gain = float(np.mean(gains))
        below, above = _luck_of_pictures(apart, gain, same_pictures=same_pictures)
        low, high = gain - float(np.hypot(luck, below)), gain + float(np.hypot(luck, above))
        found.append(Effect(names[arm], direction, settings[arm], gain, low, high, tuple(gains)))
    return tuple(sorted(found, key=lambda one: (one.direction != "added", -one.gain)))


def _luck_of_training(scores: Scores, seeds: Sequence[int]) -> float:
    """Half the width of the interval of a difference of two arms' means; 0 with a single seed."""
    from scipy.stats import t

    arms = sorted({arm for arm, _ in scores})
    means = np.array([[scores[arm, seed].mean() for seed in seeds] for arm in arms])
    freedom = (len(arms) - 1) * (len(seeds) - 1)
    if not freedom:
        return 0.0
    rest = means - means.mean(axis=0) - means.mean(axis=1, keepdims=True) + means.mean()
    variance = float((rest**2).sum()) / freedom
    quantile = float(t.ppf(0.5 + _LEVEL / 2, freedom))
    return quantile * float(np.sqrt(2.0 * variance / len(seeds)))


def _luck_of_pictures(
    apart: Sequence[Array], gain: float, *, same_pictures: bool
) -> tuple[float, float]:
    """How far below and above the gain the 95 % interval over pictures reaches."""
    if same_pictures:
        ends = bootstrap_mean(np.mean(apart, axis=0), level=_LEVEL)
        return max(0.0, gain - ends[0]), max(0.0, ends[1] - gain)
    # each seed has pictures of its own: resampled apart, the mean of seeds is taken
    seeds = len(apart)
    below, above = np.zeros(seeds), np.zeros(seeds)
    for place, one in enumerate(apart):
        ends = bootstrap_mean(one, level=_LEVEL, seed=place)
        below[place], above[place] = one.mean() - ends[0], ends[1] - one.mean()
    return float(np.sqrt((below**2).sum())) / seeds, float(np.sqrt((above**2).sum())) / seeds
