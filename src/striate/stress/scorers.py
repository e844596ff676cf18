"""The three scorers: accuracy of classes, error of numbers, average precision of boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from striate.metrics.calibration import expected_calibration_error, reliability
from striate.metrics.detection.matching import ANY_SIZE, Matches, match
from striate.metrics.detection.precision import interpolated
from striate.metrics.detection.tables import Found, Truth, overlaps
from striate.metrics.regression import difference, within
from striate.stress.judged import Judged, Measure
from striate.stress.resamples import Resamples
from striate.task import Task
from striate.tasks.detect.metrics import tables_of
from striate.types import Array

__all__ = ["score_boxes", "score_classes", "score_numbers"]

_BINS = 15
_ANSWERS = 4_000_000
"""Answers that the resamples of one pass may go through: some seconds."""


# -- classes ----------------------------------------------------------------------------------


@final
class ClassScorer:
    """Accuracy, and whether confidence can be believed (ECE, Guo et al. 2017)."""

    name = "accuracy"
    more_is_better = True

    def __init__(self, task: Task[Any, Any], truths: Sequence[Any], resamples: Resamples) -> None:
        self._resamples = resamples
        facts = task.facts.model_dump()
        self._many = bool(facts["multi_label"])
        self.chance = _guessing(facts, truths)
        self.note = (
            "Share of the pictures of which every label is right."
            if self._many
            else "Share of the pictures whose most probable class is the right one."
        )

    def judge(self, results: Sequence[Any], truths: Sequence[Any]) -> Judged:
        pairs = zip(results, truths, strict=True)
        right = np.fromiter((set(one.labels) == set(truth) for one, truth in pairs), bool, len(truths))
        probabilities = np.stack([one.probabilities for one in results])  # (N, K)
        if self._many:
            # each label is an answer of its own; the least sure one decides the whole
            sure = np.maximum(probabilities, 1 - probabilities).min(axis=1)
        else:
            sure = probabilities.max(axis=1)
        marks, sure = right.astype(np.float32), sure.astype(np.float32)
        measure = self._resamples.means
        return Judged(
            Measure(float(right.mean()), measure(marks), len(marks), is_share=True),
            marks,
            sure,
            {
                "ece": self._calibration(sure, marks),
                "overconfidence": Measure(
                    float((sure - marks).mean()), measure(sure - marks), len(marks), (-1.0, 1.0)
                ),
            },
        )

    def _calibration(self, sure: Array, marks: Array) -> Measure:
        """ECE with `_BINS` equal-width bins, in all resamples at once."""
        value = expected_calibration_error(sure, marks, bins=_BINS)
        where = np.clip(
            np.ceil(sure.astype(np.float64) * _BINS - 1e-6).astype(np.int64) - 1, 0, _BINS - 1
        )
        gaps = np.zeros((len(sure), _BINS), np.float32)
        gaps[np.arange(len(sure)), where] = sure - marks
        draws = np.abs(self._resamples.means(gaps)).sum(axis=1)
        # resampling adds noise to each bin, which |…| only ever adds up: taken off again
        return Measure(value, np.maximum(draws - (draws.mean() - value), 0.0), len(marks))

    def support(self, results: Sequence[Any], answered: Sequence[Any]) -> Array:
        places = [[one.names.index(label) for label in one.labels] for one in answered]
        pairs = zip(results, places, strict=True)
        return np.array(
            [one.probabilities[at].mean() if at else -one.probabilities.max() for one, at in pairs],
            np.float32,
        )

    def fallen(self, clean: Judged, changed: Judged) -> Array:
        found: Array = (clean.marks > 0) & (changed.marks == 0)
        return found

    def words(self, result: Any) -> str:
        return f"{_joined(result.labels)} ({100 * result.score:.0f} %)"

    def truth(self, target: Any) -> str:
        return _joined(target)


def _guessing(facts: Mapping[str, Any], truths: Sequence[Any]) -> float:
    """Accuracy of always giving the same answer, and at least that of drawing lots.

    The answer is the class that was commonest in training: the commonest of few pictures would make
    luck look like skill. Of several labels it is the commonest set of them.
    """
    if facts["multi_label"]:
        counts = np.unique([_joined(one) for one in truths], return_counts=True)[1]
        return float(counts.max()) / len(truths)
    names, seen = facts["names"], facts["counts"]
    commonest = names[int(np.argmax(seen))] if len(seen) else None
    same = sum(set(one) == {commonest} for one in truths) / len(truths)
    return max(same, 1 / len(names))


def _joined(labels: Sequence[str]) -> str:
    return " + ".join(sorted(labels)) or "nothing"


# -- numbers ----------------------------------------------------------------------------------


@final
class NumberScorer:
    """Error of numbers: of one target in its unit, of several as a share of the error of guessing."""

    more_is_better = False

    def __init__(
        self,
        task: Task[Any, Any],
        truths: Sequence[Any],
        resamples: Resamples,
        beside: Task[Any, Any] | None,
    ) -> None:
        self._resamples = resamples
        facts = task.facts.model_dump()
        self._names: tuple[str, ...] = tuple(facts["names"])
        self._angles: tuple[bool, ...] = tuple(facts["is_angle"])
        values = _values(truths)
        known = (beside or task).facts.model_dump()
        middles = dict(zip(known["names"], known["middle"], strict=True))
        middle = np.broadcast_to(np.array([middles[name] for name in self._names]), values.shape)
        guessing = self._apart(middle, values).mean(axis=0)  # (K,)
        self._one = len(self._names) == 1
        self._scale = np.ones(1) if self._one else np.where(guessing > 0, guessing, 1.0)
        self.chance = float(guessing[0]) if self._one else 1.0
        self.name = "mean absolute error" if self._one else "relative error"
        self.note = (
            f"Mean distance of {self._names[0]} from the truth, in its unit; always guessing the middle "
            f"of the training values is off by {self.chance:.4g}."
            if self._one
            else "Mean distance from the truth over that of always guessing the middle of the training "
            f"values, averaged over {', '.join(self._names)}: 0 is perfect, 1 is a guess."
        )

    def judge(self, results: Sequence[Any], truths: Sequence[Any]) -> Judged:
        values, found = _values(truths), np.stack([one.values for one in results])
        apart = self._apart(found, values)  # (N, K)
        error = (apart / self._scale).mean(axis=1).astype(np.float32)
        more = {
            f"mae of {name}": self._mean(apart[:, k], 0.0)
            for k, name in enumerate(self._names)
            if not self._one
        }
        covered = self._covered(results, values)
        if covered is not None:
            more["coverage"] = self._mean(covered, 1.0)
        headline = self._mean(error, self.chance)
        return Judged(headline, -error, np.zeros(len(error), np.float32), more)

    def _mean(self, values: Array, most: float) -> Measure:
        """Of `values` (N,), which may reach up to `most`, or whatever is the largest seen."""
        bounds = (0.0, max(most, float(values.max())))
        return Measure(float(values.mean()), self._resamples.means(values), len(values), bounds)

    def _covered(self, results: Sequence[Any], values: Array) -> Array | None:
        """Share of targets within their intervals, (N,); None without intervals."""
        lows, highs = (np.stack([getattr(one, end) for one in results]) for end in ("lows", "highs"))
        if np.isnan(lows).any():
            return None
        columns = [
            within(values[:, k], lows[:, k], highs[:, k], angle=angle)
            for k, angle in enumerate(self._angles)
        ]
        found: Array = np.mean(columns, axis=0)
        return found

    def _apart(self, found: Array, values: Array) -> Array:
        columns = [
            np.abs(difference(values[:, k], found[:, k], angle=angle))
            for k, angle in enumerate(self._angles)
        ]
        return np.stack(columns, axis=1)

    def support(self, results: Sequence[Any], answered: Sequence[Any]) -> Array:
        apart = self._apart(
            np.stack([one.values for one in results]), np.stack([one.values for one in answered])
        )
        kept: Array = -(apart / self._scale).mean(axis=1).astype(np.float32)
        return kept

    def fallen(self, clean: Judged, changed: Judged) -> Array:
        """Better than a guess before, worse than a guess now."""
        found: Array = (-clean.marks < self.chance) & (-changed.marks > self.chance)
        return found

    def words(self, result: Any) -> str:
        return self.truth(result.values.tolist())

    def truth(self, target: Any) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(self._names, target, strict=True))


def _values(truths: Sequence[Any]) -> Array:
    return np.asarray(truths, np.float64).reshape(len(truths), -1)


# -- boxes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """Answers (D,) by class and, within it, the surest first; class k is `starts`[k:k + 2].

    `right`, `counted` bool, `pictures` int64: of the answers. `objects`, `shown_in` (M,): class and
    picture of each object that counts.
    """

    right: Array
    counted: Array
    pictures: Array
    starts: Array
    objects: Array
    shown_in: Array


@final
class BoxScorer:
    """AP50 as COCO defines it, F1 at the run's own threshold, and whether scores can be believed."""

    name = "AP50"
    more_is_better = True
    chance = 0.0
    note = "Average precision of boxes at an overlap (IoU) of 0.5, averaged over classes."

    def __init__(self, task: Task[Any, Any], truths: Sequence[Any], resamples: Resamples) -> None:
        facts = task.facts.model_dump()
        self._resamples = resamples
        self._names: tuple[str, ...] = tuple(facts["names"])
        self._oriented = bool(facts["oriented"])
        self._from = float(np.float32(facts["show_from"]))

    def judge(self, results: Sequence[Any], truths: Sequence[Any]) -> Judged:
        found, truth = tables_of(results, truths, self._names, oriented=self._oriented)
        pairs = overlaps(found, truth, floor=0.5)
        matches = match(found, truth, pairs, ious=(0.5,), sizes=(ANY_SIZE,))
        counts = _counts(found, truth, matches, self._from, len(truths))  # (3, N)
        sure = np.array([one.scores.max(initial=0.0) for one in results], np.float32)
        drawn = self._resamples.counts @ counts.T.astype(np.float32)  # (R, 3)
        ranked = _ranked(found, truth, matches, len(self._names))
        headline = Measure(_ap50(ranked, None), self._draws(ranked), len(truths))
        f1 = float(_f1(counts.sum(axis=1)))
        more = {"f1": Measure(f1, _f1(drawn.T.astype(np.float64)), len(truths))}
        shown = matches.counted[0, 0] & (found.scores >= self._from)
        if shown.any():
            believed = reliability(found.scores[shown], matches.right[0, 0][shown]).error
            more["ece"] = Measure(believed, np.full(len(drawn), np.nan))
        marks = np.where(counts.any(axis=0), _f1(counts), 1.0)  # nothing there, nothing said: right
        return Judged(headline, marks.astype(np.float32), sure, more)

    def _draws(self, ranked: _Ranked) -> Array:
        """AP50 of each resample, as far as the answers are few enough; NaN beyond."""
        draws = np.full(len(self._resamples), np.nan)
        most = int(np.clip(_ANSWERS // max(len(ranked.right), 1), 50, 200))
        for row, times in enumerate(self._resamples.counts[:most].astype(np.int64)):
            draws[row] = _ap50(ranked, times)
        return draws

    def support(self, results: Sequence[Any], answered: Sequence[Any]) -> Array:
        """All scores that would be shown, added up: what is lost is what the answer rested on."""
        return np.array([one.scores[one.scores >= self._from / 2].sum() for one in results], np.float32)

    def fallen(self, clean: Judged, changed: Judged) -> Array:
        """Half of the F1 of the picture is gone."""
        found: Array = (clean.marks > 0.5) & (changed.marks <= clean.marks / 2)
        return found

    def words(self, result: Any) -> str:
        count = len(result.above(self._from))
        return f"{count} box" if count == 1 else f"{count} boxes"

    def truth(self, target: Any) -> str:
        count = sum(not (one.crowd or one.difficult) for one in target)
        return f"{count} object" if count == 1 else f"{count} objects"


def _counts(found: Found, truth: Truth, matches: Matches, score_from: float, pictures: int) -> Array:
    """True, false and missed answers of each picture at the threshold, float64 (3, N)."""
    shown = matches.counted[0, 0] & (found.scores >= score_from)
    right = shown & (matches.truth_of[0, 0] >= 0)
    objects = np.bincount(truth.pictures[matches.objects[0]], minlength=pictures)
    true = np.bincount(found.pictures[right], minlength=pictures)
    false = np.bincount(found.pictures[shown & ~right], minlength=pictures)
    return np.stack([true, false, objects - true]).astype(np.float64)


def _f1(counts: Array) -> Array:
    """2 TP / (2 TP + FP + FN) of counts (3, …); NaN where all are 0."""
    true, false, missed = counts
    total = 2 * true + false + missed
    found: Array = np.divide(2 * true, total, out=np.full(np.shape(total), np.nan), where=total > 0)
    return found


def _ranked(found: Found, truth: Truth, matches: Matches, classes: int) -> _Ranked:
    order = np.lexsort((-found.scores, found.labels))
    return _Ranked(
        matches.right[0, 0][order],
        matches.counted[0, 0][order],
        found.pictures[order],
        np.searchsorted(found.labels[order], np.arange(classes + 1)),
        truth.labels[matches.objects[0]],
        truth.pictures[matches.objects[0]],
    )


def _ap50(ranked: _Ranked, times: Array | None) -> float:
    """AP50 where picture i counts `times[i]` times; NaN without objects."""
    starts = ranked.starts
    weights = None if times is None else times[ranked.shown_in]
    totals = np.bincount(ranked.objects, weights=weights, minlength=len(starts) - 1)
    values = []
    for k in np.flatnonzero(totals > 0):
        mine = slice(starts[k], starts[k + 1])
        right, counted = ranked.right[mine], ranked.counted[mine]
        if times is not None:
            often = times[ranked.pictures[mine]]
            right, counted = np.repeat(right, often), np.repeat(counted, often)
        values.append(interpolated(right, counted, int(totals[k])).mean())
    return float(np.mean(values)) if values else float("nan")


def score_classes(
    task: Task[Any, Any], truths: Sequence[Any], resamples: Resamples, _: Task[Any, Any] | None
) -> ClassScorer:
    """Of a classifier."""
    return ClassScorer(task, truths, resamples)


def score_numbers(
    task: Task[Any, Any], truths: Sequence[Any], resamples: Resamples, beside: Task[Any, Any] | None
) -> NumberScorer:
    """Of a regressor; its errors are held against a guess at the middle of what `beside` learnt from."""
    return NumberScorer(task, truths, resamples, beside)


def score_boxes(
    task: Task[Any, Any], truths: Sequence[Any], resamples: Resamples, _: Task[Any, Any] | None
) -> BoxScorer:
    """Of a detector."""
    return BoxScorer(task, truths, resamples)
