"""What a search of pose space came to: shares, confusions, the strongest and the nearest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from striate.data.meshes.rotation import angle_between_deg
from striate.metrics.intervals import wilson_interval
from striate.metrics.regression import wrap_degrees
from striate.stress.poses import Answers, Poses, PoseSpace, join_answers, join_poses
from striate.stress.poses_answers import ANGLES, MISSED, UNSEEN, Rule
from striate.stress.poses_map import Marginal, PoseMap
from striate.stress.poses_search import Nearest, Search
from striate.types import Array

__all__ = ["Confusion", "Findings", "Ranges", "Strong", "share_of"]

_A_LABEL, _APART_DEG = 3, 20.0
"""Of the strongest poses: so many a wrong answer, turned at least so far from each other."""


Ranges: TypeAlias = tuple[tuple[str, float, float], ...]
"""Angles, each with its ends in degrees."""

_UNSCORED = (MISSED, UNSEEN)
"""What is said in words alone: no answer stands behind it."""


def _confidence(said: str, sure: float) -> float | None:
    return None if said in _UNSCORED else round(sure, 4)


def _told(answer: Answers) -> dict[str, Any]:
    """One answer for JSON: its words, and its confidence or how far off it is."""
    said, sure = answer.said[0], float(answer.sure[0])
    if answer.off.shape[1]:
        return {"said": said, "off_deg": round(sure, 2)}
    return {"said": said, "confidence": _confidence(said, sure)}


def share_of(count: int, total: int) -> tuple[float, tuple[float, float]]:
    """A share and its 95 % Wilson interval."""
    low, high = wilson_interval(count, total)
    return count / total if total else float("nan"), (float(low), float(high))


@dataclass(frozen=True, slots=True)
class Confusion:
    """A wrong answer among the random poses: how often, and how sure on average and at most.

    Where nothing was found that is the loss, and no confidence.
    """

    said: str
    poses: int
    share: float
    interval: tuple[float, float]
    mean_sure: float
    most_sure: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "said": self.said,
            "poses": self.poses,
            "share": round(self.share, 4),
            "interval": [round(one, 4) for one in self.interval],
            "mean_confidence": _confidence(self.said, self.mean_sure),
            "most_confidence": _confidence(self.said, self.most_sure),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Strong:
    """A misread pose; `how` it was found: "random", a method, or "nearest"."""

    pose: Poses
    answer: Answers
    turned_deg: float
    how: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **_told(self.answer),
            "turned_deg": round(self.turned_deg, 1),
            "found_by": self.how,
            **self.pose.to_dict(0),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """All that was measured of one object.

    `truth`: the right answer in a word; `truth_from`: how that is known. `rule`: how poses are judged.
    `numbers`: names of what a run for numbers answers; () for classes. `tolerance`: error above which
    numbers count as misread. `trained`: angles with the ends between which the run mostly saw them; ()
    where that is not known.
    """

    truth: str
    truth_from: str
    rule: Rule
    numbers: tuple[str, ...]
    tolerance: float
    trained: Ranges
    space: PoseSpace
    canonical: Answers
    poses: Poses
    answers: Answers
    maps: tuple[PoseMap, ...]
    marginals: tuple[Marginal, ...]
    searches: tuple[Search, ...]
    nearest: Nearest
    asked: int
    cut: bool

    @property
    def misread(self) -> tuple[float, tuple[float, float]]:
        """The share of random poses that are misread, with its interval."""
        return share_of(int(self.answers.wrong.sum()), len(self.answers))

    @property
    def within(self) -> Answers:
        """Those to random poses whose angles are as in training."""
        angles = self.poses.angles_deg
        rows = np.ones(len(self.poses), bool)
        for name, low, high in self.trained:
            column = angles[:, ANGLES.index(name)]
            rows &= np.abs(wrap_degrees(column - (low + high) / 2)) <= (high - low) / 2
        return self.answers.take(np.flatnonzero(rows))

    @property
    def confusions(self) -> tuple[Confusion, ...]:
        """Wrong answers to the random poses, most frequent first; () for numbers."""
        if self.numbers:
            return ()
        rows = np.flatnonzero(self.answers.wrong).tolist()
        said = [self.answers.said[row] for row in rows]
        found = []
        for word, count in sorted(Counter(said).items(), key=lambda one: (-one[1], one[0])):
            own = [row for row, other in zip(rows, said, strict=True) if other == word]
            sure = self.answers.sure[own]
            share, interval = share_of(count, len(self.answers))
            found.append(Confusion(word, count, share, interval, float(sure.mean()), float(sure.max())))
        return tuple(found)

    def words(self, said: str, sure: float) -> str:
        """An answer with its confidence, where it has one."""
        return said if self.numbers or said in _UNSCORED else f"{said} {sure:.2f}"

    def strongest(self, count: int = 12) -> list[Strong]:
        """Misread poses, surest (or farthest off) first and those not found last, unlike each other."""
        poses, answers, how = self._all_misread()
        turned = angle_between_deg(self.space.canonical.turns, poses.turns)
        kept: list[int] = []
        blank = np.array([word in _UNSCORED for word in answers.said], bool)
        for row in np.lexsort((-answers.sure, blank)).tolist():
            same = [one for one in kept if self.numbers or answers.said[one] == answers.said[row]]
            most = count if self.numbers else _A_LABEL
            if len(same) < most and all(
                float(angle_between_deg(poses.turns[one], poses.turns[row])) > _APART_DEG for one in same
            ):
                kept.append(row)
            if len(kept) == count:
                break
        return [
            Strong(
                poses.take(np.array([row])),
                answers.take(np.array([row])),
                float(turned[row]),
                how[row],
            )
            for row in kept
        ]

    def _all_misread(self) -> tuple[Poses, Answers, list[str]]:
        poses, answers = [self.poses], [self.answers]
        how = ["random"] * len(self.answers)
        for one in self.searches:
            poses.append(one.best)
            answers.append(one.answers)
            how += [one.method] * len(one.answers)
        joined, every = join_poses(poses), join_answers(answers)
        rows: Array = np.flatnonzero(every.wrong)
        return joined.take(rows), every.take(rows), [how[row] for row in rows.tolist()]

    def to_dict(self) -> dict[str, Any]:
        """For poses.json."""
        share, interval = self.misread
        rejected = int((self.answers.wrong & ~self.answers.known).sum())
        return {
            "truth": self.truth,
            "truth_from": self.truth_from,
            "rule": self.rule.misread,
            "searches_raise": self.rule.raised,
            "canonical": {
                **self.space.canonical.to_dict(0),
                "elevation": self.space.elevation_deg,
                **_told(self.canonical),
                "misread": bool(self.canonical.wrong[0]),
            },
            "random": {
                "poses": len(self.answers),
                "rotations": "uniform on SO(3)",
                "misread": round(share, 4),
                "interval": [round(one, 4) for one in interval],
                "misread_but_unknown": rejected,
                "nothing_to_see": self.answers.said.count(UNSEEN),
                **self._errors(),
            },
            "confusions": [one.to_dict() for one in self.confusions],
            "searches": [self._search(one) for one in self.searches],
            "nearest": self._nearest(),
            "strongest": [one.to_dict() for one in self.strongest()],
            "marginals": [one.to_dict() for one in self.marginals],
            "maps": [one.to_dict() for one in self.maps],
            "renderings": self.asked,
            "stopped_by_time": self.cut,
        }

    def surest(self, one: Search) -> float | None:
        """The greatest confidence of a wrong answer that a search ended at; None without any."""
        if self.numbers:
            return None
        said = zip(one.answers.said, one.answers.wrong, one.answers.sure.tolist(), strict=True)
        return max((sure for word, wrong, sure in said if wrong and word not in _UNSCORED), default=None)

    def _errors(self) -> dict[str, Any]:
        if not self.numbers:
            return {}
        means = self.answers.off.mean(axis=0)
        each = zip(self.numbers, means.tolist(), strict=True)
        return {
            "mean_error": round(float(self.answers.sure.mean()), 3),
            "mean_errors": {name: round(value, 3) for name, value in each},
            "tolerance": self.tolerance,
            **self._trained(),
        }

    def _trained(self) -> dict[str, Any]:
        if not self.trained:
            return {}
        share, interval = share_of(int(self.within.wrong.sum()), len(self.within))
        return {
            "angles_as_trained": {
                name: [round(low, 1), round(high, 1)] for name, low, high in self.trained
            },
            "poses_as_trained": len(self.within),
            "misread_as_trained": round(share, 4) if len(self.within) else None,
            "interval_as_trained": [round(one, 4) for one in interval],
        }

    def _search(self, one: Search) -> dict[str, Any]:
        first, surest = one.fooled_after[one.fooled_after >= 0], self.surest(one)
        return {
            "method": one.method,
            "starts": len(one.starts),
            "fooled": one.fooled,
            "median_renderings_to_fool": float(np.median(first)) if len(first) else None,
            "best_confidence": None if surest is None else round(surest, 4),
            "renderings": one.asked,
        }

    def _nearest(self) -> dict[str, Any]:
        one = self.nearest
        found: dict[str, Any] = {"axes": one.axes, "tried_up_to_deg": round(one.upto_deg, 2)}
        if one.pose is None or one.answer is None:
            return {"turned_deg": None, **found}
        return {
            "turned_deg": round(one.turned_deg, 2),
            **_told(one.answer),
            **found,
            **one.pose.to_dict(0),
        }
