from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from striate.explain.orientation import Experiment, hierarchy_layers, tune_layers
from striate.explain.orientation_report import (
    hierarchy_section,
    hierarchy_statement,
    unit_section,
    unit_statement,
)
from striate.explain.recording import Extent, Recorder, extents
from striate.explain.units import tune_unit

STEP = 15.0


def apart(one: float | None, other: float) -> float:
    assert one is not None
    return abs((one - other + 90) % 180 - 90)


@pytest.mark.parametrize("angle", [0.0, 22.5, 45.0, 100.0, 165.0])
def test_the_peak_is_the_filters_angle(angle: float, inside_of: Callable[..., Any], made: Any) -> None:
    inside = inside_of([made.conv([made.gabor(angle)], name="/m/conv/Conv")], (31, 27))
    found = tune_unit(inside, inside.unit("t0:0"), Experiment(step_deg=STEP))
    assert apart(found.bar.peak_deg, angle) < STEP / 2
    assert apart(found.grating.peak_deg, angle) < STEP / 2
    assert found.bar.selectivity is not None
    assert found.bar.selectivity > 0.5
    assert found.bar.half_width_deg is not None
    assert 5 < found.bar.half_width_deg < 45
    assert found.light
    assert found.period_px == 7.5  # of 15, 7.5, 3.75 and 3 px the nearest to the filter's 6
    assert found.modulation is not None
    assert found.modulation > 1  # a linear unit wants its stripes in place


def test_an_isotropic_unit_has_no_angle(inside_of: Callable[..., Any], made: Any) -> None:
    inside = inside_of([made.conv([made.disc()])], (25, 25))
    found = tune_unit(inside, inside.unit("t0:0"), Experiment(step_deg=STEP))
    assert found.bar.selectivity is not None
    assert found.bar.selectivity < 0.02
    assert found.grating.selectivity is not None
    assert found.grating.selectivity < 0.02
    assert found.bar.half_width_deg is None
    assert "hardly minds the angle" in unit_statement(found)
    middle = found.map_responses
    peak = np.unravel_index(middle.argmax(), middle.shape)
    assert abs(found.map_y[peak[0]] - 12.5) <= 1
    assert abs(found.map_x[peak[1]] - 12.5) <= 1


def test_a_dark_bar_on_a_negative_filter(inside_of: Callable[..., Any], made: Any) -> None:
    inside = inside_of([made.conv([-made.gabor(60.0, period=14.0)])], (21, 21))
    found = tune_unit(inside, inside.unit("t0:0"), Experiment(step_deg=STEP))
    assert not found.light
    assert apart(found.bar.peak_deg, 60.0) < STEP


def test_pooling_makes_a_unit_tolerate_places(inside_of: Callable[..., Any], made: Any) -> None:
    steps = [
        made.conv([made.gabor(90.0), made.gabor(0.0)], name="/m/conv/Conv"),
        ("Relu", {"name": "/m/one/Relu"}),
        ("MaxPool", {"kernel_shape": [9, 9], "strides": [3, 3], "name": "/m/pool/MaxPool"}),
        ("Relu", {"name": "/m/two/Relu"}),
        ("GlobalMaxPool", {"name": "/m/all/GlobalMaxPool"}),
        ("Relu", {"name": "/m/three/Relu"}),
        ("Flatten", {"name": "/m/Flatten"}),
    ]
    inside = inside_of(steps, (33, 33))
    layers = hierarchy_layers(inside)
    assert [one.name for one in layers] == ["one", "two", "three"]
    heard: list[tuple[int, int]] = []
    listen = lambda done, of: heard.append((done, of))  # noqa: E731
    found = tune_layers(inside, layers, Experiment(step_deg=30.0), listen=listen)
    assert heard[-1][0] == heard[-1][1] == len(heard)
    for one in found:
        np.testing.assert_allclose([apart(peak, 90.0) for peak in one.peaks_deg], [0, 90], atol=6)
    tolerances = [one.median_tolerance_px for one in found]
    assert tolerances[0] is not None
    assert tolerances[1] is not None
    assert tolerances[2] is not None
    assert tolerances[0] < tolerances[1] < tolerances[2]
    assert found[0].extent.size_hw == (15, 15)
    assert all(21 <= side <= 23 for side in found[1].extent.size_hw)  # faint tails go unnoticed
    assert all(27 <= side <= 33 for side in found[2].extent.size_hw)
    words = hierarchy_statement(found)
    assert "what a unit sees grows from 15 × 15 to" in words
    assert "keeps half its answer grows from" in words
    section = hierarchy_section(found, Experiment())
    assert len(section.figures) == 5
    assert found[0].to_dict()["answering"] == 2


def test_a_silent_unit_is_said_to_be_silent(inside_of: Callable[..., Any], made: Any) -> None:
    colour = np.zeros((1, 3, 3, 3), np.float32)
    colour[0, 0], colour[0, 1] = 1, -1  # red against green: grey says nothing
    inside = inside_of([("Conv", {"weights": [np.concatenate([colour, colour * 0])]})], (9, 9))
    found = tune_unit(inside, inside.unit("t0:0"), Experiment(step_deg=45.0))
    assert found.silent
    assert found.bar.peak_deg is None
    assert found.tolerance_px == 0
    assert "does not answer" in unit_statement(found)
    assert unit_section(found).figures == []
    (layer,) = tune_layers(inside, inside.layers, Experiment(step_deg=45.0))
    assert layer.answering == 0
    assert layer.sharpest is None
    assert layer.median_selectivity is None
    assert hierarchy_statement([layer, layer]) == ""
    assert hierarchy_section([layer, layer], Experiment()).figures


def test_black_ground_leaves_light_bars_only() -> None:
    assert Experiment(ground=0).lights == (True,)
    assert Experiment(ground=255).lights == (False,)
    assert Experiment().lights == (True, False)


def test_what_units_see_is_measured(inside_of: Callable[..., Any], made: Any) -> None:
    ones = np.ones((3, 3))
    steps = [
        made.conv([ones], pads=[1] * 4, name="/m/a/Conv"),
        made.conv([ones], pads=[1] * 4, strides=[2, 2], name="/m/b/Conv"),
        ("Flatten", {}),
        ("Gemm", {"weights": [np.ones((10 * 20, 2), np.float32)], "out": "logits"}),
    ]
    steps[1][1]["weights"] = [np.ones((1, 1, 3, 3), np.float32)]
    inside = inside_of(steps, (20, 40))
    found = extents(Recorder(inside, inside.layers))
    assert found["a"] == Extent(9, 19, 12, 22)
    assert found["b"] == Extent(8, 18, 13, 23)  # place 5, 10: centred on pixel 10, 20
    assert found["logits"] == Extent(0, 0, 20, 40)
    corner = extents(Recorder(inside, [inside.layer("a")], {"a": (0, 39)}))["a"]
    assert corner == Extent(0, 38, 2, 40)


def test_one_pixel(inside_of: Callable[..., Any], made: Any) -> None:
    inside = inside_of([made.conv([np.ones((1, 1))])], (1, 1))
    found = tune_unit(inside, inside.unit("t0:0"), Experiment(step_deg=45.0))
    assert found.bar.selectivity == pytest.approx(0.0, abs=1e-6)
