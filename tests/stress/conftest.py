"""Cards of curves made by hand, and a reader of the page."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from striate.stress.card import LeftOut, StressCard
from striate.stress.changes import Axis, Changed
from striate.stress.curves import StressCurve, curve_of
from striate.stress.judged import Judged, Measure
from striate.stress.measuring import Measured
from striate.stress.resamples import resamples_for
from striate.stress.runner import Spent

N = 400
RESAMPLES = resamples_for(N, seed=0)


class Scorer:
    """As the accuracy of ten classes."""

    name, more_is_better, chance, note = "accuracy", True, 0.1, "Share of right ones."


def _judged(right: float, seed: int = 0) -> Judged:
    marks = (np.arange(N) < right * N).astype(np.float32)
    measure = Measure(float(marks.mean()), RESAMPLES.means(marks))
    return Judged(measure, marks, np.full(N, 0.8, np.float32), {"ece": Measure(0.1, measure.draws * 0)})


def _axis(name: str, family: Any = "light", unit: str = "stops") -> Axis:
    return Axis(name, name.capitalize(), family, unit, (1, 2, 3, 4, 5), lambda p, level, m: Changed(p))


def _curve(name: str, *rights: float, family: Any = "light") -> StressCurve:
    passes = [(at + 1, _judged(one)) for at, one in enumerate(rights)]
    return curve_of(
        _axis(name, family), _judged(0.9), passes, 0.1, more_is_better=True, fallen=[3] * len(rights)
    )


def _card(*curves: StressCurve, **more: Any) -> StressCard:
    measured = Measured(
        None,  # type: ignore[arg-type]  # a card needs no pictures but those it shows
        Scorer(),  # type: ignore[arg-type]  # a card reads only what a scorer says of itself
        _judged(0.9),
        [],
        tuple(curves),
        {},
        (),
        Spent(1, 2, 3),
        1000,
    )
    usual: dict[str, Any] = {
        "run": "my <run>", "task": "classify", "source": "photos", "split": "test", "available": 900,
        "pictures": N, "shortened": "", "size_hw": (32, 32), "seed": 0, "severities": (1, 2, 3, 4, 5),
        "measured": measured, "left_out": (LeftOut("clutter", "Clutter", "no masks"),),
        "corrupted": None, "variation": None, "variation_missing": "no onnx", "kinds": {},
        "cases": (), "advice": (), "against": None, "seconds": {"all": 3.0}, "problems": (),
        "next_words": "striate …",
    }  # fmt: skip
    return StressCard(**{**usual, **more})


class Reader(HTMLParser):
    """That tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "br", "img", "path", "circle", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(page: str) -> str:
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader.text


@pytest.fixture
def judged() -> Callable[..., Any]:
    """As many right answers of 400."""
    return _judged


@pytest.fixture
def axis() -> Callable[..., Any]:
    """An axis of five levels that changes nothing."""
    return _axis


@pytest.fixture
def curve() -> Callable[..., Any]:
    """The curve of so many right answers by severity."""
    return _curve


@pytest.fixture
def card() -> Callable[..., Any]:
    """A card of such curves; its other parts by name."""
    return _card


@pytest.fixture
def read() -> Callable[..., Any]:
    """The text of a page whose tags are closed in order."""
    return _read
