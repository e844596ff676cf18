"""What every task must do. A new task joins with one file, `<name>_examples.py`, beside this one.

That file has VARIANTS (settings by name), WRONG_COLUMN (settings that ask for a column which its
files lack; empty where no setting names one), PICTURE_HW, and names(variant), targets(variant, n),
paint(picture, target), outputs(task, targets), is_perfect(metrics), write_files(variant, folder): see
`classify_examples.py`. What it says for training is told in `test_recipe_conformance.py`.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from striate.errors import StriateError, UnknownNameError
from striate.figures import Bars, Curve, Gallery, Lines, Matrix, Scatter, Section, Table
from striate.settings import Settings
from striate.task import Evidence, Task, task_names, task_type
from striate.types import check_picture


def examples_of(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}_examples.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None, f"task {name!r} needs {path.name}"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLES = {name: examples_of(name) for name in task_names()}
CASES = [(name, variant) for name, module in EXAMPLES.items() for variant in module.VARIANTS]


class Case:
    """One task with one choice of settings, and data for it."""

    def __init__(self, name: str, variant: str, make_dataset: Any) -> None:
        self.name, self.variant, self.examples = name, variant, EXAMPLES[name]
        self.type = task_type(name)
        self.config = self.type.config_type.parse(self.examples.VARIANTS[variant])
        self.make_dataset = make_dataset
        self.data = self.dataset(24)
        self.task: Task[Any, Any] = self.type(self.config).learn(self.data)
        self.data = self.task.align(self.data)
        self.prepared = [self.task.prepare(record.origin.read()) for record in self.data]

    def dataset(self, n: int) -> Any:
        return self.make_dataset(
            self.examples.targets(self.variant, n),
            self.examples.names(self.variant),
            size_hw=self.examples.PICTURE_HW,
            paint=self.examples.paint,
        )

    def outputs(self, n: int = 24) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = self.examples.outputs(self.task, self.data.targets[:n])
        return found

    def answers(self, task: Task[Any, Any], n: int = 24) -> list[Any]:
        """What `task` answers to the first `n` pictures, from outputs that are right."""
        return task.decode(self.outputs(n), self.prepared[:n])

    def calibrated(self, n: int = 24) -> Task[Any, Any]:
        """The task after it saw the first `n` pictures."""
        return self.task.calibrate(self.outputs(n), self.data.targets[:n], self.prepared[:n])

    def evidence(self, task: Task[Any, Any]) -> Evidence[Any, Any]:
        predictions = self.answers(task)
        meter = task.meter()
        meter.update(predictions, self.data.targets)
        return Evidence(self.data, predictions, meter.compute())


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest, make_dataset: Any) -> Case:
    return Case(*request.param, make_dataset)


def strict(value: object) -> Any:
    """`value` through strict JSON: fails for NaN and for NumPy numbers."""
    return json.loads(json.dumps(value, allow_nan=False))


# -- settings and facts ---------------------------------------------------------------------------


def test_the_task_names_itself(case: Case) -> None:
    assert case.type.name == case.name
    assert issubclass(case.type.config_type, Settings)
    assert issubclass(case.type.facts_type, Settings)
    assert case.type.headline_mode in ("min", "max")


def test_settings_and_facts_survive_the_run_file(case: Case) -> None:
    learnt = case.calibrated()
    for settings in (case.config, case.task.facts, learnt.facts):
        told = settings.to_toml_dict()
        assert None not in told.values()
        assert type(settings).parse(strict(told)) == settings


def test_every_setting_explains_itself(case: Case) -> None:
    for part in (case.type.config_type, case.type.facts_type):
        for name, field in part.model_json_schema()["properties"].items():
            assert field.get("description"), f"{part.__name__}.{name} has no help text"


def test_a_run_can_be_used_from_its_settings_and_facts_alone(case: Case) -> None:
    learnt = case.calibrated()
    config = case.type.config_type.parse(strict(learnt.config.to_toml_dict()))
    facts = case.type.facts_type.parse(strict(learnt.facts.to_toml_dict()))
    again = case.type(config, facts)
    assert again.input_hw == learnt.input_hw
    both = [case.answers(task, 5) for task in (learnt, again)]
    assert [one.to_dict() for one in both[0]] == [one.to_dict() for one in both[1]]


def test_a_task_that_learnt_nothing_says_so(case: Case) -> None:
    with pytest.raises(AssertionError, match=r"before learn\(\)"):
        _ = case.type(case.config).facts


def test_learning_is_repeatable_and_gives_a_new_task(case: Case) -> None:
    fresh = case.type(case.config)
    one, two = fresh.learn(case.data), fresh.learn(case.data)
    assert one is not fresh
    assert one.facts == two.facts
    assert one.align(case.data).targets == case.data.targets


def test_an_unknown_setting_lists_the_choices(case: Case) -> None:
    with pytest.raises(UnknownNameError, match="expected one of"):
        case.type.config_type.parse({"no_such_setting": 1})


# -- reading --------------------------------------------------------------------------------------


def test_files_are_read_learnt_and_aligned(case: Case, tmp_path: Path) -> None:
    case.examples.write_files(case.variant, tmp_path)
    found = case.type(case.config).read(tmp_path)
    assert len(found) == 12
    assert len({record.key for record in found}) == 12
    assert not [problem for problem in found.problems if problem.severity == "error"]
    aligned = case.task.align(found)
    by_file = sorted(aligned, key=lambda record: int(Path(record.key).stem))
    assert [record.target for record in by_file] == case.data.targets[:12]
    assert case.type(case.config).learn(found).align(found).targets == aligned.targets


@pytest.mark.parametrize(
    "case", [pair for pair in CASES if EXAMPLES[pair[0]].WRONG_COLUMN], ids="-".join, indirect=True
)
def test_an_unknown_column_is_named(case: Case, tmp_path: Path) -> None:
    case.examples.write_files(case.variant, tmp_path)
    (wrong,) = (value for value in case.examples.WRONG_COLUMN.values())
    config = case.type.config_type.parse(
        case.examples.VARIANTS[case.variant] | case.examples.WRONG_COLUMN
    )
    with pytest.raises(StriateError, match=wrong):
        case.type(config).read(tmp_path)


def test_a_source_that_is_not_there_is_named(case: Case, tmp_path: Path) -> None:
    with pytest.raises(StriateError, match="nowhere"):
        case.type(case.config).read(tmp_path / "nowhere")


# -- using ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 31), (40, 13), (200, 300)])
def test_any_picture_becomes_an_input(size_hw: tuple[int, int], case: Case) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    before = picture.copy()
    found = case.task.prepare(picture)
    assert found.pixels.shape == (*case.task.input_hw, 3)
    assert found.pixels.dtype == np.uint8
    assert found.size_hw == size_hw
    assert (picture == before).all()
    for axis in range(2):  # the middle of the picture is the middle of the input
        middle = size_hw[axis] / 2 * found.scale_yx[axis] + found.offset_yx[axis]
        assert middle == pytest.approx(case.task.input_hw[axis] / 2, abs=1.0)


class StubGraph:
    """Answers rightly, batch after batch, and remembers what it was asked."""

    def __init__(self, outputs: Mapping[str, np.ndarray]) -> None:
        self._outputs, self.asked = outputs, []  # type: ignore[var-annotated]
        self.input_names, self.output_names = ("pictures",), tuple(outputs)

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.asked.append(feeds["pictures"])
        return {name: value[: len(feeds["pictures"])] for name, value in self._outputs.items()}


def test_predicting_is_preparing_running_and_decoding(case: Case) -> None:
    graph = StubGraph(case.outputs())
    pictures = [np.full((5 + k, 9, 3), k, np.uint8) for k in range(4)]
    found = case.task.predict({"main": graph}, pictures)
    assert graph.asked[0].shape == (4, *case.task.input_hw, 3)
    assert graph.asked[0].dtype == np.uint8
    expected = case.task.decode(case.outputs(4), [case.task.prepare(one) for one in pictures])
    assert [one.to_dict() for one in found] == [one.to_dict() for one in expected]


def test_no_pictures_no_answers(case: Case) -> None:
    graph = StubGraph(case.outputs())
    assert case.task.predict({"main": graph}, []) == []
    assert graph.asked == []
    assert case.task.decode(case.outputs(0), []) == []


def test_answers_are_json_and_repeatable(case: Case) -> None:
    one, two = ([found.to_dict() for found in case.answers(case.task)] for _ in range(2))
    assert strict(one) == one == two
    assert len({json.dumps(answer) for answer in one}) > 1  # they depend on the outputs


@pytest.mark.parametrize("n", [0, 1, 3, 24])
def test_calibrating_on_few_pictures_leaves_a_usable_task(n: int, case: Case) -> None:
    before = case.task.facts
    learnt = case.calibrated(n)
    assert case.task.facts is before
    assert learnt.facts == case.calibrated(n).facts
    for found in case.answers(learnt):
        strict(found.to_dict())


# -- measuring and showing ------------------------------------------------------------------------


def test_perfect_answers_are_perfect(case: Case) -> None:
    metrics = strict(case.evidence(case.task).metrics)
    assert metrics["n"] == 24
    assert case.examples.is_perfect(metrics)
    assert isinstance(metrics[case.type.headline], float)


def test_wrong_answers_are_worse(case: Case) -> None:
    truths = case.data.targets[1:] + case.data.targets[:1]
    meter = case.task.meter()
    meter.update(case.answers(case.task), truths)
    wrong, right = (
        metrics[case.type.headline] for metrics in (meter.compute(), case.evidence(case.task).metrics)
    )
    assert wrong < right if case.type.headline_mode == "max" else wrong > right


def test_parts_measure_as_the_whole(case: Case) -> None:
    learnt = case.calibrated()
    found, meter = case.answers(learnt), learnt.meter()
    for start in range(0, 24, 7):
        meter.update(found[start : start + 7], case.data.targets[start : start + 7])
    assert strict(meter.compute()) == strict(case.evidence(learnt).metrics)
    assert meter.compute() == meter.compute()


def test_nothing_measured_is_no_crash(case: Case) -> None:
    meter = case.task.meter()
    meter.update([], [])
    metrics = strict(meter.compute())
    assert metrics["n"] == 0
    assert case.type.headline in metrics
    case.task.summary(metrics)


def test_the_summary_is_short_text(case: Case) -> None:
    lines = case.task.summary(strict(case.evidence(case.task).metrics))
    assert 2 <= len(lines) <= 12
    assert all(isinstance(name, str) and isinstance(value, str) and value for name, value in lines)
    assert len({name for name, _ in lines}) == len(lines)


@pytest.mark.parametrize("size_hw", [(1, 1), (12, 9), (240, 400)])
def test_a_rendering_is_a_picture(size_hw: tuple[int, int], case: Case) -> None:
    picture = np.full((*size_hw, 3), 90, np.uint8)
    found = case.task.decode(case.outputs(2), [case.task.prepare(picture)] * 2)
    drawn = check_picture(case.task.render(picture, found[0]))
    assert (picture == 90).all()
    assert max(drawn.shape) <= 1600
    assert min(drawn.shape[:2]) >= min(size_hw)
    assert not np.array_equal(drawn, case.task.render(picture, found[1]))  # it shows the answer
    assert np.array_equal(drawn, case.task.render(picture, found[0]))


def check_figure(figure: object) -> None:
    match figure:
        case Bars(names=names, values=values, low=low, high=high):
            assert len(names) == len(values)
            assert low is None or high is None or len(low) == len(high) == len(values)
        case Lines(curves=curves):
            for curve in curves:
                assert isinstance(curve, Curve)
                assert len(curve.x) == len(curve.y)
                assert np.isfinite([*curve.x, *curve.y]).all()
        case Matrix(values=values, row_names=rows, column_names=columns):
            assert values.shape == (len(rows), len(columns))
        case Scatter(x=x, y=y):
            assert len(x) == len(y)
        case Gallery(items=items):
            assert all(check_picture(item.picture) is item.picture for item in items)
        case Table(columns=columns, rows=rows):
            assert all(len(row) == len(columns) for row in rows)
            assert all(isinstance(cell, str | int | float) for row in rows for cell in row)
        case _:
            raise AssertionError(f"{figure!r} is no figure")


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_report_has_something_to_show(calibrated: bool, case: Case) -> None:
    task = case.task
    if calibrated:
        task = case.calibrated()
    sections = task.sections(case.evidence(task))
    assert sections
    for section in sections:
        assert isinstance(section, Section)
        assert section.title
        for figure in section.figures:
            assert figure.title
            assert figure.caption
            check_figure(figure)


def test_a_report_of_nothing_is_no_crash(case: Case) -> None:
    empty = Evidence(case.data.take([]), [], case.task.meter().compute())
    assert case.task.sections(empty)


# -- the use half ---------------------------------------------------------------------------------


def test_using_a_task_loads_neither_torch_nor_scipy_nor_a_font() -> None:
    modules = ", ".join(f"striate.tasks.{name}.task" for name in task_names())
    heavy = "{'torch', 'scipy', 'sklearn', 'skimage', 'onnxruntime', 'PIL'}"
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_unknown_task_lists_the_tasks() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'classify'"):
        task_type("classifi")
