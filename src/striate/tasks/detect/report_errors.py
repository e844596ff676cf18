"""What goes wrong, what it costs, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from striate.figures import Bars, Figure, Matrix, Section, Table
from striate.tasks.detect.metrics import BACKGROUND

__all__ = ["error_section"]

_MATRIX = 30


class _Words(NamedTuple):
    name: str
    meaning: str
    remedy: str


_KINDS = {
    "class": _Words(
        "wrong class",
        "the place is right, the name is not",
        "see what is taken for what: show more of these classes, or correct their labels",
    ),
    "location": _Words(
        "loose box",
        "the name is right, but the box shares less than half with the object's",
        "draw all boxes tight and in one manner; train longer, or with a larger input",
    ),
    "both": _Words(
        "wrong class, loose box",
        "near an object, with neither its name nor its box",
        "these go when the two above do",
    ),
    "duplicate": _Words(
        "found twice",
        "a better answer has the object already",
        "lower iou_threshold, so that answers that overlap are merged sooner",
    ),
    "background": _Words(
        "nothing there",
        "no object is near",
        "see whether a label is missing; else add pictures of such things without boxes",
    ),
    "missed": _Words(
        "missed",
        "no answer is near the object",
        "show more such objects; if they are small, use a larger input or tiles",
    ),
}


def error_section(metrics: Mapping[str, Any]) -> Section:
    """Causes of errors with their price, and what is taken for what."""
    errors = metrics["errors"]
    title = "What goes wrong"
    if not metrics["objects"]:
        return Section(title, "", [_confusion(metrics)])
    worst = max(_KINDS, key=lambda kind: float(errors[kind]["dAP50"]))
    wrong, unfound = (errors[key]["dAP50"] for key in ("false_positive", "false_negative"))
    intro = (
        f"Without wrong answers AP50 would be {_points(wrong)} higher, with nothing missing "
        f"{_points(unfound)}. "
    )
    if errors[worst]["dAP50"] > 0:
        words = _KINDS[worst]
        intro += f"What costs most is “{words.name}”: {words.meaning}. What helps: {words.remedy}."
    return Section(title, intro, [_prices(errors), _confusion(metrics), _causes(errors)])


def _prices(errors: Mapping[str, Any]) -> Bars:
    order = sorted(_KINDS, key=lambda kind: -float(errors[kind]["dAP50"]))
    return Bars(
        title="What each kind of error costs",
        caption="By how much AP50 would rise if only these errors were put right (TIDE: Bolya et al. "
        "2020). The prices do not add up: one error hides another.",
        names=[_KINDS[kind].name for kind in order],
        values=[errors[kind]["dAP50"] for kind in order],
        x_label="AP50 lost",
    )


def _causes(errors: Mapping[str, Any]) -> Table:
    return Table(
        title="What the errors are, and what helps",
        caption="Counted over all answers, also those with scores too low to be shown: many can cost "
        "little.",
        columns=("error", "how many", "what it is, and what helps"),
        rows=[
            (words.name, errors[kind]["count"], f"{_sentence(words.meaning)} {_sentence(words.remedy)}")
            for kind, words in _KINDS.items()
        ],
    )


def _confusion(metrics: Mapping[str, Any]) -> Figure:
    names, counts = metrics["confusion"]["names"], metrics["confusion"]["counts"]
    shown = f"Answers from a score of {metrics['score_from']:.2f} on."
    if counts is None or len(names) > _MATRIX:
        rows = [
            (_named(one["truth"]), _named(one["answer"]), one["count"])
            for one in metrics["most_confused"]
        ]
        columns = ("is", "taken for", "objects")
        return Table("Most often confused", f"The commonest mistakes. {shown}", columns, rows)
    return Matrix(
        title="What is taken for what",
        caption="Row: what is there; column: what was found. In the last column are objects that were "
        f"missed, in the last row answers where there is nothing. {shown}",
        values=np.asarray(counts),
        row_names=[_named(name) for name in names],
        column_names=[_named(name) for name in names],
        row_label="is",
        column_label="taken for",
    )


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _points(share: float) -> str:
    """A difference of shares in percentage points."""
    return "0 points" if not share else "<0.1 points" if share < 0.0005 else f"{100 * share:.1f} points"


def _named(name: str) -> str:
    return "nothing" if name == BACKGROUND else name
