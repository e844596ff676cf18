from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import UsageError
from striate.explain.equivariance import LayerMotion
from striate.explain.inside import Layer
from striate.explain.judging import JUDGES, judge_of, label_of
from striate.explain.steadiness import Moved, levels_for, measure_steadiness
from striate.explain.steadiness_report import (
    axis_section,
    method_section,
    motion_section,
    motion_statements,
    moved_statements,
)
from striate.runs.run import Run
from striate.task import task_names, task_type
from striate.types import Array
from striate.verbs.model import Model, load


class ByColour:
    """A graph that answers by the colour of the pixel in the middle."""

    input_names = ("pictures",)
    output_names = ("logits", "probabilities", "values")

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        pixels = feeds["pictures"].astype(np.float32)
        middle = pixels[:, pixels.shape[1] // 2, pixels.shape[2] // 2]
        raised = np.exp(middle / 25 - middle.max(axis=1, keepdims=True) / 25)
        shares = raised / raised.sum(axis=1, keepdims=True)
        return {"logits": middle / 25, "probabilities": shares, "values": middle[:, :2]}


def coloured_discs(count: int, size_hw: tuple[int, int], radius: float) -> tuple[np.ndarray, list[Any]]:
    """Red and green discs in the middle of blue pictures, and their names."""
    y, x = (np.arange(side) - (side - 1) / 2 for side in size_hw)
    disc = np.hypot(y[:, None], x[None]) <= radius
    found = np.zeros((count, *size_hw, 3), np.uint8)
    found[..., 2] = 255
    names = []
    for row, one in enumerate(found):
        one[disc] = (255, 0, 0) if row % 2 else (0, 255, 0)
        names.append(("red" if row % 2 else "green",))
    return found, names


@pytest.fixture
def model(make_run: Callable[..., Run]) -> Model:
    return load(make_run())


def measured(model: Model, **options: Any) -> Moved:
    pixels, names = coloured_discs(8, (32, 40), 5.0)
    judge = judge_of(model.task)
    return measure_steadiness(model.task, ByColour(), judge, pixels, names, **options)


def test_the_answer_stays_as_long_as_the_disc_covers_the_middle(model: Model) -> None:
    heard: list[tuple[int, int]] = []
    found = measured(model, border="grey", listen=lambda done, of: heard.append((done, of)))
    assert heard[-1][0] == heard[-1][1] == sum(len(one.levels) for one in found.axes)
    assert found.unmoved.quality == (1.0,)
    assert found.unmoved.likeness_intervals == ((1.0, 1.0),)
    # the pixel that answers is half a pixel right and below the middle; of the shifts tried
    assert found.axis("right").ends(found.steady) == (-3.0, 5.0)
    assert found.axis("down").ends(found.steady) == (-4.0, 4.0)
    assert found.axis("rotation").ends(found.steady) == (-135.0, 180.0)
    assert found.axis("scale").ends(found.steady) == (0.4, 2.5)
    assert found.axis("right").at(8.0).likeness == (0.0,)
    shift, upright, turn, scale = moved_statements(found)
    assert shift.startswith("Shifted sideways by −3 to 5 px of 40, it gives the same answer")
    assert "at 8 px for 0.0 %" in shift
    assert "of 32" in upright
    assert "all that was tried" in turn
    assert "×0.4 to ×2.5" in scale


def test_nothing_holds_for_a_reader_of_one_pixel(model: Model) -> None:
    pixels, names = coloured_discs(6, (31, 31), 0.5)
    judge = judge_of(model.task)
    found = measure_steadiness(model.task, ByColour(), judge, pixels, names)
    assert found.axis("right").ends(found.steady) == (0.0, 0.0)
    assert "for less than 90 % of the pictures from 1 px of 31 on" in moved_statements(found)[0]


def test_numbers_are_judged_by_their_own_error(make_run: Callable[..., Run]) -> None:
    model = load(make_run("regress"))
    pixels, _ = coloured_discs(8, (32, 40), 5.0)
    truths = [(250.0 * (row % 2), 250.0 - 250.0 * (row % 2)) for row in range(8)]
    judge = judge_of(model.task)
    found = measure_steadiness(model.task, ByColour(), judge, pixels, truths, border="grey")
    assert judge.names == ("redness", "greenness")
    assert found.unmoved.quality == (2.5, 2.5)  # 255 for 250, in half of the pictures
    assert found.axis("right").ends(found.steady) == (-3.0, 5.0)
    words = moved_statements(found)[0]
    assert "move by no more than they are off unmoved" in words
    assert "redness by" in words
    assert len(axis_section(found, [("as it is", pixels[0])]).figures) == 10
    level = found.axis("right").levels[0].to_dict(judge)
    assert set(level["targets"]) == {"redness", "greenness"}


def test_page_and_words_of_layers(model: Model) -> None:
    found = measured(model)
    shifts = (1, 2, 4, 8, 16)

    def motion(name: str, stride: int | None, along: float, still: float) -> LayerMotion:
        shape = (4, 8, 8) if stride else (4,)
        layer = Layer(name, "conv", name, shape)
        return LayerMotion(layer, stride, shifts, (along,) * 5, (still,) * 5)

    layers = [motion("a", 1, 0.999, 0.1), motion("b", 2, 0.95, 0.5), motion("end", None, np.nan, 0.9)]
    first, second = motion_statements(layers, found)
    assert "all 2 maps move along, 1 of them exactly" in first
    assert "lowest in b" in first
    assert "Invariance grows" in second
    assert "end by 0.90" in second
    worse = [motion("a", 1, 0.5, 0.9), motion("end", None, np.nan, 0.2)]
    assert "does not quite move along" in motion_statements(worse, found)[0]
    assert "Invariance falls" in motion_statements(worse, found)[1]
    assert len(motion_statements(worse[1:], found)) == 1
    assert len(motion_section(layers, found).figures) == 3
    many = [motion(f"l{at}", 1, 0.9, 0.5) for at in range(20)]
    assert len(motion_section(many, found).figures) == 3
    assert axis_section(found, []).figures
    assert method_section(found, 5).figures


def test_levels() -> None:
    assert levels_for("right", (8, 8)) == (-3, -2, -1, 0, 1, 2, 3)
    assert levels_for("down", (1, 9)) == (0,)
    assert levels_for("rotation", (8, 8))[0] == -135
    assert 1.0 in levels_for("scale", (8, 8))


def test_every_task_is_judged_or_refused(model: Model) -> None:
    assert set(JUDGES) <= set(task_names())
    other = object.__new__(task_type("classify"))
    other.name = "other"  # type: ignore[misc]
    with pytest.raises(UsageError, match="cannot be compared"):
        judge_of(other)


def test_labels_in_words(model: Model, tmp_path: Path) -> None:
    red = np.full((6, 8, 3), (250, 0, 0), np.uint8)
    assert label_of(model.predict(red)) == "red"


def test_one_pixel_pictures(model: Model) -> None:
    pixels = np.full((3, 1, 1, 3), (200, 0, 0), np.uint8)
    judge = judge_of(model.task)
    found = measure_steadiness(model.task, ByColour(), judge, pixels, [("red",)] * 3)
    assert found.unmoved.quality == (1.0,)
    assert found.axis("right").levels[0].value == 0.0
    assert moved_statements(found)
    assert axis_section(found, []).figures
