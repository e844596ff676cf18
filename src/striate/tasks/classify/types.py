"""What a classifier answers for one picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from striate.types import Array, Picture

__all__ = ["Classification"]


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The classes of one picture and how probable each is.

    `names`: all K classes. `probabilities`: float32 (K,), each in [0, 1]; they sum to 1 unless
    `multi_label`. `labels`: the answer: the most probable class, or with `multi_label` every label
    above its threshold, most probable first, perhaps none. `known`: false if the classifier
    cannot promise its answer and would rather say "unknown".

    >>> found = Classification(("cat", "dog"), np.array([0.25, 0.75], np.float32), ("dog",))
    >>> found.label, found.score, found.top(1)
    ('dog', 0.75, [('dog', 0.75)])
    """

    names: tuple[str, ...]
    probabilities: Array
    labels: tuple[str, ...]
    known: bool = True
    multi_label: bool = False

    def __post_init__(self) -> None:
        found = self.probabilities
        if found.dtype != np.float32 or found.shape != (len(self.names),):
            raise ValueError(
                f"probabilities must be float32 ({len(self.names)},), got {found.dtype} {found.shape}"
            )
        # ufuncs, not methods: of 60 000 answers, each one is checked
        if not np.minimum.reduce(found) >= 0 or not np.maximum.reduce(found) <= 1.001:
            raise ValueError("probabilities must lie in [0, 1]")
        if not self.multi_label and (abs(np.add.reduce(found) - 1) > 1e-3 or len(self.labels) != 1):
            raise ValueError("one class a picture: probabilities must sum to 1, with one label")

    @property
    def label(self) -> str | None:
        """The most probable label of the answer, also if not `known`; None if the answer has none."""
        return self.labels[0] if self.labels else None

    @property
    def score(self) -> float:
        """The probability of `label`; without a label, the highest."""
        if self.multi_label and self.labels:
            return _shown(float(self.probabilities[self.names.index(self.labels[0])]))
        return _shown(float(self.probabilities.max()))

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The `k` most probable classes: (name, probability), best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return [(self.names[i], _shown(float(self.probabilities[i]))) for i in order]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: label, score, scores by class name, known; labels too when `multi_label`."""
        scores = [_shown(value) for value in self.probabilities.tolist()]
        found: dict[str, Any] = {"label": self.label, "score": self.score}
        if self.multi_label:
            found["labels"] = list(self.labels)
        found["scores"] = dict(zip(self.names, scores, strict=True))
        found["known"] = self.known
        return found

    def plot(self, picture: Picture) -> Picture:
        """`picture` with this answer drawn on it."""
        from striate.tasks.classify.render import render_classification

        return render_classification(picture, self)

    def _repr_html_(self) -> str:
        """A small table with bars for notebooks; nothing is fetched."""
        rows = "".join(_html_row(name, share, name in self.labels) for name, share in self.top(5))
        note = "" if self.known else "<div>unknown: too unsure to promise an answer</div>"
        return f'<div>{note}<table style="font-family:sans-serif;font-size:13px">{rows}</table></div>'


def _shown(value: float) -> float:
    """`value` with the seven digits that float32 has."""
    return float(f"{value:.7g}")


def _html_row(name: str, share: float, chosen: bool) -> str:
    weight = "bold" if chosen else "normal"
    bar = f'<div style="background:#4878a8;height:10px;width:{max(1, round(160 * share))}px"></div>'
    return (
        f'<tr><td style="font-weight:{weight};text-align:right">{escape(name)}</td>'
        f'<td style="width:160px">{bar}</td><td>{100 * share:.1f} %</td></tr>'
    )
