"""What an attack came to: robust score against strength, beside what chance does with as much."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.figures import Curve, Figure, Gallery, GalleryItem, Lines, Section, Table
from striate.metrics.plain import plain, plain_pair
from striate.pictures.lettering import spaced
from striate.runs.atomic import write_text
from striate.runs.page import write_page
from striate.runs.plain import json_ready
from striate.stress.curves import Estimate
from striate.types import Array, Picture, Problem

__all__ = ["ATTACKS", "FILES", "AttackExample", "AttackKind", "AttackLevel", "Attacked"]

FILES = ("attack.html", "attack.json")
_SIDE = 160
"""Pixels of a panel in the page, at least."""


@dataclass(frozen=True, slots=True)
class AttackKind:
    """One kind of attack. `unit` of its strengths, `strengths` by default, mild to harsh."""

    title: str
    unit: str
    strengths: tuple[float, ...]
    words: str
    control: str
    """What is compared with: as much change, by chance."""


ATTACKS: Mapping[str, AttackKind] = {
    "fgsm": AttackKind(
        "One step along the gradient",
        "grey levels",
        (1, 2, 4, 8, 16),
        "Each number of the picture moves by as many grey levels, up or down, whichever the gradient "
        "says harms more (Goodfellow et al. 2015).",
        "each number moved as far, up or down by chance",
    ),
    "pgd": AttackKind(
        "Projected gradient ascent",
        "grey levels",
        (1, 2, 4, 8, 16),
        "Many small steps along the gradient, never further than the strength from the picture "
        "(Madry et al. 2018): the usual test of robustness.",
        "each number moved as far, up or down by chance",
    ),
    "pgd-l2": AttackKind(
        "Projected gradient ascent, bounded in length",
        "grey levels, length of the change",
        (32, 64, 128, 256, 512),
        "The change may be large in few places: its length (root of the summed squares) is bounded. The "
        "default strengths are those for 32 × 32 pixels, and grow with the side of the picture.",
        "a change of the same length in a random direction",
    ),
    "one-pixel": AttackKind(
        "A few pixels, found by evolution",
        "pixels",
        (1, 3, 5),
        "Only so many pixels change, as much as they like; which ones is found by differential "
        "evolution, which needs no gradient (Su et al. 2019).",
        "as many pixels painted over by chance",
    ),
    "patch": AttackKind(
        "A patch that fools everywhere",
        "% of the picture",
        (2, 5, 10, 15),
        "One patch is learnt on half of the pictures and laid somewhere on each of the others (Brown et "
        "al. 2017): it could be printed.",
        "a patch of noise in the same places",
    ),
}
"""By name."""


@dataclass(frozen=True, slots=True)
class AttackLevel:
    """One strength: the score under attack and under as much chance; the share of right answers lost.

    `turned`: share of the answers that became the target's, where there is one.
    """

    strength: float
    score: Estimate
    control: Estimate
    fooled: float
    turned: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        found: dict[str, Any] = {
            "strength": self.strength,
            "score": plain(self.score.value),
            "interval": plain_pair(self.score.interval),
            "control": plain(self.control.value),
            "control_interval": plain_pair(self.control.interval),
            "fooled": plain(self.fooled),
        }
        return found if self.turned is None else found | {"turned": plain(self.turned)}


@dataclass(frozen=True, slots=True, eq=False)
class AttackExample:
    """A picture, what became of it at `strength`, and the answers in words."""

    clean: Picture
    changed: Picture
    strength: float
    truth: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, eq=False)
class Attacked:
    """A run under attack.

    `least` (N,): the least strength tried that fools each picture that was right; NaN where none does
    or it was wrong before. `patches`: those that were learnt, by strength.
    """

    run: str
    source: str
    split: str
    available: int
    pictures: int
    name: str
    steps: int
    target: str | None
    score_name: str
    score_note: str
    more_is_better: bool
    chance: float
    clean: Estimate
    levels: tuple[AttackLevel, ...]
    least: Array
    right: int
    examples: tuple[AttackExample, ...]
    patches: tuple[tuple[float, Picture], ...]
    problems: tuple[Problem, ...]

    @property
    def kind(self) -> AttackKind:
        """Of this attack."""
        return ATTACKS[self.name]

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        found = [self._curve_words(), *self._least_words(), *self._control_words(), *self._doubt()]
        if self.target is not None and self.levels[-1].turned is not None:
            found.append(
                f"At {self._shown(self.levels[-1].strength)}, {100 * self.levels[-1].turned:.0f} % of "
                f"the answers become {self.target}."
            )
        return found

    def _shown(self, strength: float) -> str:
        unit = self.kind.unit.split(",")[0]
        one = unit.removesuffix("s") if strength == 1 and unit.endswith("s") else unit
        return f"{strength:g} {one}" if not unit.startswith("%") else f"{strength:g} {unit}"

    def _curve_words(self) -> str:
        worst, name = self.levels[-1], self.score_name[0].upper() + self.score_name[1:]
        return (
            f"{name} is {_number(self.clean)} on the pictures as they are and {_number(worst.score)} "
            f"under attack at {self._shown(worst.strength)}."
        )

    def _least_words(self) -> list[str]:
        if not self.right:
            return ["Nothing was right to begin with: there is nothing that an attack could break."]
        known = np.sort(np.where(np.isnan(self.least), np.inf, self.least))[: self.right]
        half = float(known[(len(known) - 1) // 2])
        none = int(np.isinf(known).sum())
        if not np.isfinite(half):
            share = 100 * (1 - none / self.right)
            return [
                f"{share:.0f} % of the {spaced(self.right)} answers that were right are turned by the "
                "strengths tried."
            ]
        return [
            f"Half of the {spaced(self.right)} answers that were right are turned by "
            f"{self._shown(half)} or less; {spaced(none)} stand at every strength tried."
        ]

    def _control_words(self) -> list[str]:
        level = next((one for one in self.levels if one.fooled >= 0.5), self.levels[-1])
        told = (
            f"At {self._shown(level.strength)} the attack leaves {_number(level.score)}, as much change "
            f"by chance {_number(level.control)}: "
        )
        if self._apart(level):
            return [told + "what breaks the run is the direction of the change, not its size."]
        return [told + "the size of the change alone explains what is lost."]

    def _apart(self, level: AttackLevel) -> bool:
        if self.more_is_better:
            return level.score.high < level.control.low
        return level.score.low > level.control.high

    def _doubt(self) -> list[str]:
        """Signs that the attack is weak rather than the run strong (Carlini et al. 2019, section 3)."""
        if self.name == "fgsm":
            return ["One step underestimates what is possible: pgd is the test to quote."]
        if self.name in ("pgd", "pgd-l2"):
            worst = self.levels[-1]
            lasting = worst.score.value > self.clean.value / 2
            if self.more_is_better and lasting and self.name == "pgd" and worst.strength >= 16:
                return [
                    f"That so much is left at {self._shown(worst.strength)} is suspect: gradients may "
                    "be masked. Try more --steps, and one-pixel, which needs none."
                ]
            return ["What was found bounds robustness from above: a stronger attack may find more."]
        return []

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate stress --attack --json`."""
        known = self.least[np.isfinite(self.least)]
        return {
            "run": self.run,
            "source": self.source,
            "split": self.split,
            "pictures": self.pictures,
            "available": self.available,
            "attack": self.name,
            "unit": self.kind.unit,
            "steps": self.steps,
            "target": self.target,
            "score": self.score_name,
            "more_is_better": self.more_is_better,
            "chance": plain(self.chance),
            "clean": self.clean.to_dict(),
            "levels": [one.to_dict() for one in self.levels],
            "right": self.right,
            "least_strengths": {
                f"{strength:g}": int((known == strength).sum()) for strength in np.unique(known).tolist()
            },
            "statements": self.statements,
            "problems": [one.to_dict() for one in self.problems],
        }

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write attack.html and attack.json to `folder`; the page's path."""
        page_file, data_file = (Path(folder) / name for name in FILES)
        if not overwrite and data_file.exists():
            raise UsageError(
                f"{data_file} exists already", remedy="choose another folder, or --overwrite"
            )
        page = write_page(
            page_file,
            f"{self.run} under attack",
            f"{self.kind.words} Pictures are attacked as the network sees them, rounded to whole grey "
            "levels, and asked along the path of use.",
            self.sections(),
            kind="striate stress --attack",
            facts=f"{spaced(self.pictures)} of {spaced(self.available)} pictures of {self.source} "
            f"({self.split}), {self.name}" + (f", {self.steps} steps" if self.steps > 1 else ""),
            numbers=[
                ("as they are", _number(self.clean)),
                *((f"at {self._shown(one.strength)}", _number(one.score)) for one in self._few()),
            ],
            overwrite=overwrite,
        )
        write_text(data_file, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        return page

    def _few(self) -> Sequence[AttackLevel]:
        """Three of the levels, the last among them."""
        rows = np.unique(np.linspace(0, len(self.levels) - 1, min(3, len(self.levels))).round())
        return [self.levels[int(row)] for row in rows]

    def sections(self) -> list[Section]:
        """For the page: the curve, the numbers, the pictures."""
        figures: list[Figure] = [self._lines(), self._table()]
        found = [Section("Score against strength", " ".join(self.statements), figures)]
        if self.examples:
            found.append(
                Section(
                    "What it looks like",
                    "Each picture as it was, what the attack made of it, and the change alone, "
                    "stretched so far that its largest number is black or white; grey is no change.",
                    [self._gallery()],
                )
            )
        if self.patches:
            items = [
                GalleryItem(picture, f"{strength:g} {self.kind.unit}")
                for strength, picture in self.patches
            ]
            found.append(Section("The patches", "", [Gallery("Learnt patches", "", items)]))
        return found

    def _lines(self) -> Lines:
        strengths = [0.0, *(one.strength for one in self.levels)]
        under = [self.clean, *(one.score for one in self.levels)]
        chance = [self.clean, *(one.control for one in self.levels)]
        curves = [
            Curve(name, strengths, [one.value for one in many], [one.low for one in many],
                  [one.high for one in many])
            for name, many in (("attacked", under), ("as much by chance", chance))
        ]  # fmt: skip
        return Lines(
            f"{self.score_name} under {self.name}",
            f"{self.score_note} Bands: 95 %, from resampling pictures. By chance: {self.kind.control}.",
            curves,
            f"strength, {self.kind.unit}",
            self.score_name,
            y_range=(0.0, 1.0) if self.more_is_better else None,
        )

    def _table(self) -> Table:
        columns = [self.kind.unit, self.score_name, "95 %", "by chance", "right answers lost"]
        turned = self.target is not None
        rows: list[list[str | float | int]] = []
        for one in self.levels:
            row: list[str | float | int] = [
                f"{one.strength:g}",
                f"{one.score.value:.3f}",
                f"{one.score.low:.3f} to {one.score.high:.3f}",
                f"{one.control.value:.3f}",
                f"{100 * one.fooled:.1f} %",
            ]
            rows.append([*row, f"{100 * (one.turned or 0):.1f} %"] if turned else row)
        return Table(
            "In numbers",
            "Right answers lost: of those that were right on the pictures as they are.",
            [*columns, f"turned to {self.target}"] if turned else columns,
            rows,
        )

    def _gallery(self) -> Gallery:
        items = [
            GalleryItem(
                _triptych(one),
                f"{one.before} → {one.after}",
                f"truth: {one.truth}; at {self._shown(one.strength)}",
                "bad",
            )
            for one in self.examples
        ]
        return Gallery("Turned by the least change", "", items, large=True)


def _triptych(example: AttackExample) -> Picture:
    """Side by side: as it was, attacked, the change; enlarged in whole steps where it is small."""
    panels = [example.clean, example.changed, _change(example)]
    times = max(1, _SIDE // max(example.clean.shape[:2]))
    gap = np.full((len(example.clean) * times, max(2, 2 * times), 3), 255, np.uint8)
    large = [one.repeat(times, axis=0).repeat(times, axis=1) for one in panels]
    return np.concatenate([large[0], gap, large[1], gap, large[2]], axis=1)


def _change(example: AttackExample) -> Picture:
    """The change, so stretched that its largest number reaches the end of the range; grey is none."""
    change = example.changed.astype(np.float32) - example.clean
    most = max(float(np.abs(change).max()), 1.0)
    found: Picture = np.rint(127.5 + 127.5 * change / most).astype(np.uint8)
    return found


def _number(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
