from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box, Boxes
from striate.figures import Bars, Figure, Gallery, Lines, Matrix, Section, Table
from striate.runs.drawing import draw_figures
from striate.task import Evidence
from striate.tasks.detect.config import DetectFacts
from striate.tasks.detect.metrics import DetectMeter
from striate.tasks.detect.report import detect_sections, detect_summary
from striate.tasks.detect.types import Detections

NAMES = ("cat", "dog")
A, B, FAR = (10.0, 10.0, 30.0, 40.0), (60.0, 20.0, 90.0, 50.0), (5.0, 60.0, 25.0, 80.0)
Row = tuple[str, tuple[float, ...], float]
Make = Callable[..., tuple[list[Section], dict[str, Any]]]


def answer(*rows: Row, angle: float | None = None) -> Detections:
    ordered = sorted(rows, key=lambda row: -row[2])
    return Detections(
        NAMES,
        np.array([box for _, box, _ in ordered], np.float32).reshape(-1, 4),
        np.array([score for *_, score in ordered], np.float32),
        np.array([NAMES.index(label) for label, *_ in ordered], np.int64),
        None if angle is None else np.full(len(rows), angle, np.float32),
    )


def facts_of(**rest: object) -> DetectFacts:
    return DetectFacts.parse({"method": "fcos", "model": "m", "names": NAMES, "size_hw": (8, 8), **rest})


@pytest.fixture
def make_sections(make_dataset) -> Make:  # type: ignore[no-untyped-def]
    def make(
        predictions: Sequence[Detections],
        targets: Sequence[Boxes],
        *,
        history: Sequence[dict[str, Any]] = (),
        oriented: bool = False,
    ) -> tuple[list[Section], dict[str, Any]]:
        facts = facts_of(oriented=oriented)
        meter = DetectMeter(NAMES, score_from=0.3, oriented=oriented)
        meter.update(predictions, targets)
        metrics = meter.compute()
        data = make_dataset(targets, NAMES, size_hw=(90, 120))
        return detect_sections(Evidence(data, predictions, metrics, history), facts), metrics

    return make


def figure_of(sections: list[Section], title: str) -> Figure:
    return next(one for section in sections for one in section.figures if one.title == title)


def gallery(sections: list[Section], title: str) -> Gallery:
    found = figure_of(sections, title)
    assert isinstance(found, Gallery)
    return found


TARGETS: list[Boxes] = [(Box("cat", A), Box("dog", B)), (Box("cat", A),), (), (Box("dog", B),)]
PREDICTIONS = [
    answer(("cat", A, 0.95), ("cat", B, 0.9), ("dog", FAR, 0.8), ("dog", FAR, 0.1)),
    answer(("cat", A, 0.9), ("cat", (11.0, 10.0, 30.0, 40.0), 0.7)),
    answer(),
    answer(("dog", (60.0, 20.0, 75.0, 50.0), 0.4)),
]


def test_errors_are_shown_surest_first_with_their_cause(make_sections: Make) -> None:
    sections, _ = make_sections(PREDICTIONS, TARGETS)
    wrong = gallery(sections, "Sure and wrong")
    assert [item.title for item in wrong.items] == [
        "cat, where there is dog",
        "dog, where there is nothing",
        "cat, found twice",
    ]
    assert [item.note for item in wrong.items] == [
        "0.90 · set/00000",
        "0.80 · set/00000",
        "0.70 · set/00001",
    ]
    missed = gallery(sections, "Missed")
    assert [item.title for item in missed.items] == ["dog"]
    assert missed.items[0].note == "30 × 30 · set/00000"
    assert "3 answers are wrong and 1 of 4 objects are not found" in sections[2].intro


def test_a_loose_box_says_how_loose(make_sections: Make) -> None:
    sections, _ = make_sections([answer(("dog", (60, 20, 70, 50), 0.9))], [(Box("dog", B),)])
    item = gallery(sections, "Sure and wrong").items[0]
    assert item.title == "dog, box too loose"
    assert item.note == "0.90 · overlap 0.33 · set/00000"


def test_an_answer_between_two_objects_is_named_after_the_other_class(make_sections: Make) -> None:
    beside = (11.0, 10.0, 31.0, 40.0)
    sections, _ = make_sections(
        [answer(("cat", A, 0.9), ("cat", (10.0, 10.0, 30.5, 40.0), 0.8))],
        [(Box("cat", A), Box("dog", beside))],
    )
    assert [item.title for item in gallery(sections, "Sure and wrong").items] == [
        "cat, where there is dog"
    ]


def test_pictures_from_worst_to_best(make_sections: Make) -> None:
    sections, _ = make_sections(PREDICTIONS, TARGETS)
    worst, best = gallery(sections, "Worst pictures"), gallery(sections, "Best pictures")
    assert [(item.title, item.note) for item in worst.items] == [
        ("1 of 2 found", "2 wrong · 1 missed · set/00000"),
        ("1 of 1 found", "1 wrong · set/00001"),
    ]
    assert [(item.title, item.tone) for item in best.items] == [("1 of 1 found", "good")]


def test_drawing_tells_answers_from_truths(make_sections: Make) -> None:
    sections, _ = make_sections(PREDICTIONS, TARGETS)
    worst = gallery(sections, "Worst pictures").items[0].picture

    def share(colour: tuple[int, int, int]) -> float:
        return float((np.abs(worst.astype(int) - colour).max(axis=-1) < 30).mean())

    empty, _ = make_sections([answer()], [()])
    assert gallery(empty, "Worst pictures").items == []
    blue, vermilion, yellow = (86, 180, 233), (213, 94, 0), (240, 228, 66)
    assert min(share(blue), share(vermilion), share(yellow)) > 0.003


def test_confusion_has_a_place_for_nothing(make_sections: Make) -> None:
    sections, _ = make_sections(PREDICTIONS, TARGETS)
    found = figure_of(sections, "What is taken for what")
    assert isinstance(found, Matrix)
    assert list(found.row_names) == list(found.column_names) == ["cat", "dog", "nothing"]
    assert found.values.tolist() == [[2, 0, 0], [1, 1, 0], [1, 1, 0]]


def test_every_kind_of_error_has_words(make_sections: Make) -> None:
    sections, metrics = make_sections(PREDICTIONS, TARGETS)
    bars = figure_of(sections, "What each kind of error costs")
    assert isinstance(bars, Bars)
    assert list(bars.values) == sorted(bars.values, reverse=True)
    assert len(bars.names) == 6
    words = figure_of(sections, "What the errors are, and what helps")
    assert isinstance(words, Table)
    assert {row[0]: row[1] for row in words.rows}["found twice"] == 1
    assert "points higher" in sections[1].intro
    assert metrics["errors"]["duplicate"]["count"] == 1


def test_curves_sizes_and_epochs(make_sections: Make) -> None:
    history = [{"number": k, "metrics": {"ap50": 0.1 * k, "ap75": 0.05 * k, "ap": None}} for k in (1, 2)]
    sections, metrics = make_sections(PREDICTIONS, TARGETS, history=history)
    curves = figure_of(sections, "Precision and recall")
    assert isinstance(curves, Lines)
    assert [one.name for one in curves.curves] == ["all classes", "cat", "dog"]
    assert all(one.y[-1] == 0 or one.x[-1] == 1 for one in curves.curves)
    sizes = figure_of(sections, "AP by size of the object")
    assert isinstance(sizes, Bars)
    assert list(sizes.values) == [metrics["ap_small"]]
    assert "no medium and no large objects" in sizes.caption
    course = figure_of(sections, "AP over epochs")
    assert isinstance(course, Lines)
    assert [(one.name, list(one.y)) for one in course.curves] == [
        ("AP50", [0.1, 0.2]),
        ("AP75", [0.05, 0.1]),
    ]
    without, _ = make_sections(PREDICTIONS, TARGETS)
    assert "AP over epochs" not in [one.title for one in without[0].figures]


def test_thresholds_agree_with_the_metrics(make_sections: Make) -> None:
    sections, metrics = make_sections(PREDICTIONS, TARGETS)
    found = figure_of(sections, "From which score to show answers")
    assert isinstance(found, Lines)
    curves = {one.name: dict(zip(np.round(one.x, 4), one.y, strict=True)) for one in found.curves}
    assert curves["F1"][0.3] == pytest.approx(metrics["f1"])
    assert curves["right (precision)"][0.3] == pytest.approx(metrics["precision"])
    assert curves["found (recall)"][0.3] == pytest.approx(metrics["recall"])


@pytest.mark.parametrize(
    ("predictions", "targets"),
    [
        ([], []),
        ([answer()], [()]),
        ([answer(("cat", A, 0.9))], [()]),
        ([answer()], [(Box("cat", A),)]),
        ([answer(("cat", A, 0.9))], [(Box("cat", A, crowd=True),)]),
        ([answer(("cat", (-50, -50, 400, 400), 0.9))], [(Box("cat", (7, 7, 7, 30)), Box("dog", A))]),
        ([answer(("cat", (500, 500, 510, 510), 0.9))], [(Box("cat", A),)]),
    ],
)
def test_whatever_happens_there_is_a_report(
    make_sections: Make, predictions: list[Detections], targets: list[Boxes]
) -> None:
    sections, metrics = make_sections(predictions, targets)
    for section in sections:
        draw_figures(section.figures)
        assert "None" not in section.intro
        assert "nan" not in section.intro
    assert next(name for name, _ in detect_summary(metrics)) == "AP50"


def test_turned_boxes_are_drawn_turned(make_sections: Make) -> None:
    targets: list[Boxes] = [(Box("cat", A, angle_deg=30.0), Box("dog", B, angle_deg=-45.0))]
    sections, metrics = make_sections([answer(("cat", A, 0.9), angle=30.0)], targets, oriented=True)
    assert metrics["per_class"]["cat"]["ap"] == 1
    assert gallery(sections, "Missed").items[0].picture.shape[2] == 3


def test_summary_is_short_and_in_words(make_sections: Make) -> None:
    _, metrics = make_sections(PREDICTIONS, TARGETS)
    lines = dict(detect_summary(metrics))
    assert lines["pictures"] == "4"
    assert lines["AP50"].startswith(f"{100 * metrics['ap50']:.1f} % (")
    short = DetectMeter(NAMES, full=False)
    assert dict(detect_summary(short.compute()))["AP50"] == "–"
