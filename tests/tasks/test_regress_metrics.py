import json
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sk

from striate.figures import Bars, Gallery, Scatter, Section
from striate.task import Evidence
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.tasks.regress.task import Regress


def task_of(**rest: object) -> Regress:
    values = {
        "model": "m",
        "names": ("yaw", "size"),
        "is_angle": (True, False),
        "mean": (0.0, 10.0),
        "scale": (20.0, 5.0),
        "middle": (0.0, 10.0),
        "size_hw": (8, 8),
        "fit": "crop",
        "channels": 3,
        "coverage": 0.9,
        "radius": (8.0, 4.0),
    }
    return Regress(RegressConfig(), RegressFacts.parse({**values, **rest}))


def make_values(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    truth = np.stack([rng.normal(0, 20, n), rng.normal(10, 5, n)], axis=1)
    return truth, truth + rng.normal(0, [5, 2], (n, 2))


def measure(task: Regress, truth: np.ndarray, values: np.ndarray) -> dict[str, object]:
    meter = task.meter()
    targets = [tuple(row) for row in truth.tolist()]
    meter.update(task.decode({"values": values[:40]}, []), targets[:40])
    meter.update([], [])
    meter.update(task.decode({"values": values[40:]}, []), targets[40:])
    return meter.compute()


def test_all_numbers_equal_scikit_learn() -> None:
    truth, values = make_values(200)
    told = measure(task_of(), truth, values)
    json.dumps(told, allow_nan=False)
    each = [sk.mean_absolute_error(truth[:, k], values[:, k]) for k in range(2)]
    assert told["n"] == 200
    assert told["mae"] == pytest.approx(np.mean(each))
    low, high = told["mae_interval"]
    assert low < told["mae"] < high
    assert told["r2"] == pytest.approx(sk.r2_score(truth, values), abs=1e-3)  # circular mean of yaw
    always = [np.abs(truth[:, 0]).mean(), np.abs(truth[:, 1] - 10).mean()]
    assert told["baseline_mae"] == pytest.approx(np.mean(always))
    inside = np.abs(values - truth) <= [8, 4]
    assert told["coverage"] == pytest.approx(inside.mean())
    assert told["mean_width"] == pytest.approx(12.0)
    size = told["per_target"]["size"]
    assert size["mae"] == pytest.approx(each[1])
    assert size["rmse"] == pytest.approx(sk.root_mean_squared_error(truth[:, 1], values[:, 1]))
    assert size["coverage_interval"][0] < size["coverage"] < size["coverage_interval"][1]
    assert told["max_error"] == pytest.approx(np.abs(values - truth).max())
    assert told["per_target"]["yaw"]["unit"] == "degrees"


def test_angles_wrap() -> None:
    truth = np.array([[179.0, 0.0], [-179.0, 0.0]])
    told = measure(task_of(), truth, -truth)
    assert told["per_target"]["yaw"]["mae"] == pytest.approx(2.0)
    assert told["per_target"]["yaw"]["coverage"] == 1.0
    assert told["per_target"]["size"]["r2"] is None  # the truth does not vary


def test_no_pictures_and_no_intervals() -> None:
    told = task_of().meter().compute()
    assert told["n"] == 0
    assert told["mae"] is told["mae_interval"] is told["max_error"] is told["coverage"] is None
    json.dumps(told, allow_nan=False)
    truth, values = make_values(50)
    told = measure(task_of(radius=()), truth, values)
    assert told["coverage"] is told["mean_width"] is None
    assert told["mae"] > 0


Make = Callable[[Regress, np.ndarray, np.ndarray], list[Section]]


@pytest.fixture
def make_sections(make_dataset) -> Make:  # type: ignore[no-untyped-def]
    def make(task: Regress, truth: np.ndarray, values: np.ndarray) -> list[Section]:
        targets = [tuple(row) for row in truth.tolist()]
        data = make_dataset(targets, task.facts.names)
        found = task.decode({"values": values}, [])
        return task.sections(Evidence(data, found, measure(task, truth, values)))

    return make


def test_sections(make_sections: Make) -> None:
    truth, values = make_values(60)
    values[7, 1] += 100
    sections = make_sections(task_of(), truth, values)
    figures = [figure for section in sections for figure in section.figures]
    scatters = [one for one in figures if isinstance(one, Scatter)]
    assert [one.title for one in scatters] == ["yaw: true and predicted", "size: true and predicted"]
    assert all(one.diagonal and len(one.x) == len(one.y) == 60 for one in scatters)
    histograms = [one for one in figures if isinstance(one, Bars) and "−" in one.title]
    assert [sum(one.values) for one in histograms] == [60, 60]
    gallery = next(one for one in figures if isinstance(one, Gallery))
    assert len(gallery.items) == 24
    assert gallery.items[0].note == "set/00007"
    assert gallery.items[0].title.startswith("size is ")
    bars = next(one for one in figures if one.title == "Truths within their interval")
    assert isinstance(bars, Bars)
    assert list(bars.names) == ["yaw", "size"]
    assert "off on average" in sections[0].intro


def test_sections_of_perfect_answers_and_without_intervals(make_sections: Make) -> None:
    truth, _ = make_values(50)
    sections = make_sections(task_of(radius=()), truth, truth)
    assert "There are none" in sections[1].intro
    gallery = sections[2].figures[0]
    assert isinstance(gallery, Gallery)
    assert list(gallery.items) == []


def test_summary() -> None:
    truth, values = make_values(50)
    told = dict(task_of().summary(measure(task_of(), truth, values)))
    assert "within the 90.0 % interval" in told
    assert told["error of yaw"].count("°") == 1
    assert told["pictures"] == "50"
    assert dict(task_of().summary(task_of().meter().compute()))["pictures"] == "0"
