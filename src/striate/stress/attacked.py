"""What an attack came to: robust score against strength, beside what chance does with as much."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.metrics.plain import plain, plain_pair
from striate.pictures.lettering import spaced
from striate.runs.atomic import write_text
from striate.runs.plain import json_ready
from striate.stress.attacked_page import render_attacked
from striate.stress.card import seen_words
from striate.stress.curves import Estimate
from striate.types import Array, Picture, Problem

__all__ = ["ATTACKS", "FILES", "AttackExample", "AttackKind", "AttackLevel", "Attacked"]

FILES = ("attack.html", "attack.json")


@dataclass(frozen=True, slots=True)
class AttackKind:
    """One kind of attack. `unit` of its strengths, `strengths` by default, mild to harsh."""

    title: str
    unit: str
    strengths: tuple[float, ...]
    words: str
    control: str
    """What is compared with: as much change, by chance."""

    def shown(self, strength: float) -> str:
        """A strength with its unit: "1 grey level"."""
        unit = self.unit.split(",")[0]
        return f"{strength:g} {unit.removesuffix('s') if strength == 1 else unit}"


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

    `beyond`: what the attack takes more than chance, of the same pictures. `turned`: share of the
    answers that became the target's, where there is one.
    """

    strength: float
    score: Estimate
    control: Estimate
    beyond: Estimate
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
            "beyond_chance": self.beyond.to_dict(),
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
    or it was wrong before. `good`: what such a picture is called. `patches`: those that were learnt, by
    strength. `shortened`: why not all pictures were taken.
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
    good: str
    more_is_better: bool
    chance: float
    clean: Estimate
    levels: tuple[AttackLevel, ...]
    least: Array
    right: int
    examples: tuple[AttackExample, ...]
    patches: tuple[tuple[float, Picture], ...]
    problems: tuple[Problem, ...]
    shortened: str = ""
    seen_in_training: int | None = None

    @property
    def kind(self) -> AttackKind:
        """Of this attack."""
        return ATTACKS[self.name]

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        found = [self._curve_words(), *self._least_words(), *self._control_words(), *self._doubt()]
        worst = self.levels[-1]
        if worst.turned is not None:
            found.append(
                f"At {self.kind.shown(worst.strength)}, {100 * worst.turned:.0f} % of the answers "
                f"become {self.target}."
            )
        return found

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before the numbers."""
        found = [self.shortened] if self.shortened else []
        if self.seen_in_training:
            found.append(seen_words(self.seen_in_training))
        return found

    def _curve_words(self) -> str:
        worst, name = self.levels[-1], self.score_name[0].upper() + self.score_name[1:]
        return (
            f"{name} is {self.clean.words} on the pictures as they are and {worst.score.words} "
            f"under attack at {self.kind.shown(worst.strength)}."
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
                f"{share:.0f} % of the {spaced(self.right)} {self.good} are turned by the strengths "
                "tried."
            ]
        return [
            f"Half of the {spaced(self.right)} {self.good} are turned by {self.kind.shown(half)} or "
            f"less; {spaced(none) if none else 'none'} {'stands' if none < 2 else 'stand'} at every "
            "strength tried."
        ]

    def _control_words(self) -> list[str]:
        level = next((one for one in self.levels if one.fooled >= 0.5), self.levels[-1])
        told = (
            f"At {self.kind.shown(level.strength)} the attack leaves {level.score.words}, as much "
            f"change by chance {level.control.words}: "
        )
        if level.beyond.low > 0:
            return [told + "what breaks the run is the direction of the change, not its size."]
        return [f"{told}no sure difference on {spaced(self.pictures)} pictures."]

    def _doubt(self) -> list[str]:
        """Signs that the attack is weak rather than the run strong (Carlini et al. 2019, section 3)."""
        if self.name == "fgsm":
            return ["One step underestimates what is possible: pgd is the test to quote."]
        if self.name in ("pgd", "pgd-l2"):
            worst = self.levels[-1]
            lasting = worst.score.value > self.clean.value / 2
            if self.more_is_better and lasting and self.name == "pgd" and worst.strength >= 16:
                return [
                    f"That so much is left at {self.kind.shown(worst.strength)} is suspect: gradients "
                    "may be masked. Try more --steps, and one-pixel, which needs none."
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
            "shortened": self.shortened,
            "seen_in_training": self.seen_in_training,
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
        for file in (page_file, data_file):
            if file.exists() and not overwrite:
                raise UsageError(
                    f"{file} exists already", remedy="choose another folder, or --overwrite"
                )
        # both are made before either is written: no new numbers beside an old page
        numbers, text = json.dumps(json_ready(self.to_dict()), allow_nan=False), render_attacked(self)
        write_text(data_file, numbers + "\n")
        write_text(page_file, text)
        return page_file
