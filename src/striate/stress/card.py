"""The stress card: what breaks a run, as numbers. `card_page` makes a page of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.metrics.plain import plain, plain_pair
from striate.pictures.lettering import spaced
from striate.runs.markup import number
from striate.stress.advice import Advice
from striate.stress.changes import Axis
from striate.stress.corrupted import Corrupted
from striate.stress.curves import Estimate, StressCurve, estimate
from striate.stress.knee import RULE, Verdict
from striate.stress.measuring import Measured
from striate.stress.rivals import Difference, differences, rival_words
from striate.stress.variation import Variation
from striate.types import Picture, Problem, SizeHW

__all__ = [
    "VERDICTS",
    "Against",
    "LeftOut",
    "Shown",
    "StressCard",
    "ends_words",
    "estimate_words",
    "level_words",
    "range_words",
    "seen_words",
    "severity_words",
    "three",
]

VERDICTS: tuple[Verdict, ...] = ("breaks", "bends", "holds", "unclear", "nothing to lose")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An axis that was not measured, and why."""

    axis: str
    title: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """JSON-ready."""
        return {"axis": self.axis, "title": self.title, "reason": self.reason}


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A worst case to be looked at: the picture as it was and changed, and what was said of both."""

    key: str
    axis: str
    title: str
    severity: int
    level: str
    """In words, with the severity."""
    before: Picture
    after: Picture
    truth: str
    said_before: str
    said_after: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the pictures."""
        return {
            "picture": self.key,
            "axis": self.axis,
            "severity": self.severity,
            "truth": self.truth,
            "clean_answer": self.said_before,
            "changed_answer": self.said_after,
        }


@dataclass(frozen=True, slots=True)
class Against:
    """A second run on the same pictures: its name, clean score and curves.

    `beside`: what the first is called beside it, where both have one name.
    """

    run: str
    clean: Estimate
    curves: tuple[StressCurve, ...]
    beside: str = ""

    def curve(self, name: str) -> StressCurve | None:
        """Of an axis, if it was measured."""
        return next((one for one in self.curves if one.axis.name == name), None)


@dataclass(frozen=True, slots=True, eq=False)
class StressCard:
    """Everything that was measured of a run, and what may be done about it.

    `pictures` of the `available` ones in the split were taken; `shortened` says why not all. `kinds`:
    pictures typical of a cluster, by (class, number). `seconds`: wall clock by stage.
    """

    run: str
    task: str
    source: str
    split: str
    available: int
    pictures: int
    shortened: str
    size_hw: SizeHW
    seed: int
    severities: tuple[int, ...]
    measured: Measured
    left_out: tuple[LeftOut, ...]
    corrupted: Corrupted | None
    variation: Variation | None
    variation_missing: str
    kinds: Mapping[tuple[str, int], Sequence[Picture]]
    cases: tuple[Shown, ...]
    advice: tuple[Advice, ...]
    against: Against | None
    seconds: Mapping[str, float]
    problems: tuple[Problem, ...]
    seen_in_training: int | None = None
    """How many of the pictures the run was trained on, by content; None where it does not tell."""
    next_words: str = ""

    @property
    def curves(self) -> tuple[StressCurve, ...]:
        """In the order of the families."""
        return self.measured.curves

    @property
    def clean(self) -> Estimate:
        """The headline on the pictures as they are."""
        return estimate(self.measured.clean.headline)

    def of_verdict(self, verdict: Verdict) -> list[StressCurve]:
        """Those that bear their axis so, what loses most first."""
        found = [one for one in self.curves if one.verdict == verdict]
        return sorted(found, key=lambda one: -one.mean_loss)

    @property
    def is_at_chance(self) -> bool:
        """Whether the clean score is no better than an answer that ignores the picture."""
        return bool(self.curves) and all(one.verdict == "nothing to lose" for one in self.curves)

    @property
    def left_out_by_reason(self) -> dict[str, list[LeftOut]]:
        """Those that were not measured for the same reason, in the order of the card."""
        found: dict[str, list[LeftOut]] = {}
        for one in self.left_out:
            found.setdefault(one.reason, []).append(one)
        return found

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before the numbers."""
        found = [self.shortened] if self.shortened else []
        if self.seen_in_training:
            found.append(seen_words(self.seen_in_training))
        if self.is_at_chance:
            found.append(
                "On the pictures as they are the run is no better than chance, so nothing can be lost: "
                "no verdicts are given. Train it first, or check that these pictures are of its kind."
            )
        if self.pictures < _FEW:
            found.append(
                f"{self.pictures} {'picture is' if self.pictures == 1 else 'pictures are'} few: the "
                "intervals say how little is known."
            )
        return found

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        scorer = self.measured.scorer
        said = [
            f"{scorer.name} {estimate_words(self.clean)} on {spaced(self.pictures)} pictures as they are"
        ]
        if scorer.chance:
            said[0] += f"; an answer that ignores the picture has {number(scorer.chance, 3)}"
        said[0] += "."
        said[0] = said[0][0].upper() + said[0][1:]
        if self.is_at_chance:
            return [*said, "That is no better than chance: there is nothing that stress could take."]
        if self.curves:
            said.append(
                f"Beside each axis: the share of its lead over chance that the run loses, {self._over}."
            )
        for verdict in VERDICTS:
            found = self.of_verdict(verdict)
            if found:
                said.append(f"{verdict.capitalize()} ({len(found)}): {self._listed(found)}.")
        if self.corrupted is not None:
            one = self.corrupted
            name = (
                one.name if one.name.startswith("m") and one.name[1].isupper() else one.name.capitalize()
            )
            said.append(f"{name} {estimate_words(one.overall)}. {one.meaning}")
        if self.against is not None:
            said.append(self._rival_words(self.against))
        if self.variation is not None:
            said.append(_varied(self.variation))
        if self.left_out:
            said.append(f"Not measured: {', '.join(one.axis for one in self.left_out)} (see the card).")
        return said

    @property
    def _over(self) -> str:
        first, *others = self.severities
        if not others:
            return f"at severity {first}"
        whole = len(others) > 1 and others[-1] - first == len(others)
        listed = f"{first} to {others[-1]}" if whole else " and ".join(map(str, self.severities))
        return f"the mean of severities {listed}"

    def _listed(self, curves: Sequence[StressCurve], most: int = 6) -> str:
        parts = []
        for one in curves[:most]:
            few = one.pictures < self.pictures
            resting = f" (on {one.pictures} of {self.pictures} pictures)" if few else ""
            parts.append(f"{one.axis.title}{_lost(one.mean_loss)}{resting}")
        return ", ".join(parts) + (f" and {len(curves) - most} more" if len(curves) > most else "")

    def _rival_words(self, against: Against) -> str:
        told = rival_words(against.beside or self.run, against.run, self._differences(against))
        return f"{against.run} has {estimate_words(against.clean)} on the pictures as they are. {told}"

    def _differences(self, against: Against) -> list[Difference]:
        scorer = self.measured.scorer
        return differences(self.curves, against.curves, more_is_better=scorer.more_is_better)

    def to_dict(self) -> dict[str, Any]:
        """card.json, and the line of `striate stress --json`."""
        scorer, measured = self.measured.scorer, self.measured
        return {
            "run": self.run,
            "task": self.task,
            "source": self.source,
            "split": self.split,
            "pictures": self.pictures,
            "available": self.available,
            "shortened": self.shortened,
            "input_hw": list(self.size_hw),
            "seen_in_training": self.seen_in_training,
            "seed": self.seed,
            "severities": list(self.severities),
            "score": {
                "name": scorer.name,
                "note": scorer.note,
                "more_is_better": scorer.more_is_better,
                "chance": plain(scorer.chance),
            },
            "clean": {
                "score": plain(self.clean.value),
                "interval": plain_pair(self.clean.interval),
                **{name: estimate(one).to_dict() for name, one in measured.clean.more.items()},
            },
            "rule": RULE,
            "statements": self.statements,
            "axes": [one.to_dict() for one in self.curves],
            "left_out": [one.to_dict() for one in self.left_out],
            "corruptions": None if self.corrupted is None else self.corrupted.to_dict(),
            "variation": {"left_out": self.variation_missing}
            if self.variation is None
            else self.variation.to_dict(),
            "worst": [one.to_dict() for one in self.cases],
            "advice": [one.to_dict() for one in self.advice],
            "against": self._against_dict(),
            "passes": measured.passes,
            "seconds": {name: round(one, 2) for name, one in self.seconds.items()},
            "worker_seconds": {
                "change": round(measured.spent.change, 2),
                "graph": round(measured.spent.graph, 2),
                "decode": round(measured.spent.decode, 2),
            },
            "problems": [one.to_dict() for one in self.problems],
        }

    def _against_dict(self) -> dict[str, Any] | None:
        if self.against is None:
            return None
        return {
            "run": self.against.run,
            "clean": self.against.clean.to_dict(),
            "better_by": [one.to_dict() for one in self._differences(self.against)],
            "axes": [one.to_dict() for one in self.against.curves],
        }


_FEW = 100
_BEFORE = ("severity", "exponent", "quality")
"""Units that are said before their number."""


def seen_words(count: int) -> str:
    """That so many of the pictures are no test of the run."""
    return f"{spaced(count)} of these pictures were trained on, which flatters the run."


def level_words(value: float, unit: str) -> str:
    """A level with its unit, as it is said: "10°", "0.3 share hidden", "× 2".

    >>> level_words(10, "degrees"), level_words(2, "× as large"), level_words(0.3, "share hidden")
    ('10°', '2× as large', '30 % hidden')
    """
    if unit == "degrees":
        return f"{value:g}°"
    if value == 1:  # "1 stop less light"
        unit = unit.replace("stops", "stop").replace("pieces", "piece")
    if unit in _BEFORE:
        return f"{unit} {value:g}"
    if unit.startswith("×"):
        return f"{value:g}{unit}"
    if unit.startswith("share "):
        return f"{100 * value:g} % {unit.removeprefix('share ')}"
    return f"{value:g} {unit}"


def range_words(axis: Axis) -> str:
    """The first and the last of an axis's levels, with the unit once."""
    first, last = axis.levels[0], axis.levels[-1]
    if axis.unit in _BEFORE:
        return f"{axis.unit} {first:g} to {last:g}"
    start = f"{100 * first:g}" if axis.unit.startswith("share ") else f"{first:g}"
    return f"{start} to {level_words(last, axis.unit)}"


def severity_words(axis: Axis, severity: int) -> str:
    """A level, and which severity that is: "30° (severity 3)"."""
    level = level_words(axis.levels[severity - 1], axis.unit)
    return level if axis.unit == "severity" else f"{level} (severity {severity})"


def three(value: float) -> str:
    """A share with three decimals, to be read under others; other numbers with three digits.

    >>> three(0.5), three(12.34), three(float("nan"))
    ('0.500', '12.3', 'n/a')
    """
    return f"{value:.3f}" if 0 <= value <= 1 else number(value, 3)


def ends_words(found: Estimate) -> str:
    """The interval: "0.850–0.940"; "" where there is none."""
    if math.isnan(found.low) or math.isnan(found.high):
        return ""
    between = " to " if found.low < 0 else "–"
    return f"{three(found.low)}{between}{three(found.high)}"


def estimate_words(found: Estimate) -> str:
    """A number with its interval in brackets."""
    ends = ends_words(found)
    return f"{three(found.value)} ({ends})" if ends else three(found.value)


def _lost(share: float) -> str:
    if math.isnan(share):
        return ""
    whole = max(0, round(100 * share))
    return f" −{whole} %" if whole else " 0 %"


def _varied(found: Variation) -> str:
    if not found.is_real:
        return "No kind of pictures within a class is worse than luck explains."
    worst = found.worst
    return (
        f"Within classes, {worst.group} is worst for one kind of its pictures: "
        f"{estimate_words(Estimate(worst.score, *worst.interval))} of {worst.pictures}, worse than luck "
        "explains."
    )
