"""The command up to the call: what it parses, refuses, passes on and says. No torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from striate.cli.train import task_named_in
from striate.engine.events import Epoch, Finished, Stage
from striate.engine.settings import TrainSettings
from striate.errors import Interrupted, SettingError
from striate.nn.augment.settings import AugmentSettings
from striate.runs.run import Run
from striate.task import task_names, task_type
from striate.verbs.model import load

Call = Callable[..., Any]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch, make_run: Callable[..., Run]) -> list[dict[str, Any]]:
    """The calls of `striate.train`, which is another function here."""
    calls: list[dict[str, Any]] = []
    run = make_run()

    def train(source: str, **values: Any) -> Any:
        on_event = values.pop("on_event", lambda event: None)
        calls.append({"source": source, **values})
        on_event(Stage("train", "training", total=2))
        on_event(Epoch(1, 1, 0.5, {"accuracy": 0.75}, 1.0, 0.0, best=True))
        if source == "interrupted":
            raise Interrupted("stopped at step 1", remedy="continue with --resume")
        TrainSettings.parse({k: v for k, v in values.items() if k in TrainSettings.model_fields})
        on_event(Finished(str(run.folder), {"validation": {"accuracy": 0.9}}, 1.5))
        return load(run)

    module = ModuleType("striate.verbs.train")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "striate.verbs.train", module)
    return calls


def test_the_lines_that_must_work(striate: Call, heard: list[dict[str, Any]], tmp_path: Path) -> None:
    assert striate("train", "digits", "--out", tmp_path / "d").code == 0
    base = {"out": tmp_path / "d", "task": "classify", "resume": False, "overwrite": False}
    assert heard.pop() == {"source": "digits", **base}
    assert (
        striate("train", "DIR", "--out", tmp_path / "d", "--time-budget", "60s", "--seed", 0).code == 0
    )
    assert heard.pop() == {"source": "DIR", **base, "time_budget": "60s", "seed": "0"}
    words = (
        "train",
        "F.csv",
        "--task",
        "regress",
        "--target",
        "age",
        "--path-column",
        "p",
        "--out",
        "r",
    )
    assert striate(*words).code == 0
    found = heard.pop()
    assert (found["task"], found["target"], found["path_column"]) == ("regress", ["age"], "p")
    assert striate("train", "DIR", "--out", tmp_path / "d", "--resume").code == 0
    assert heard.pop() == {"source": "DIR", **base, "resume": True}


@pytest.mark.parametrize("task", task_names())
def test_every_setting_is_a_flag(striate: Call, heard: list[dict[str, Any]], task: str) -> None:
    owners = [task_type(task).config_type, TrainSettings, AugmentSettings]
    names = [name for owner in owners for name in owner.model_fields]
    assert len(names) == len(set(names)), "two schemas share a flag"
    assert not set(names) & {"source", "out", "task", "resume", "overwrite", "json", "on_event"}
    page = striate("train", "--task", task, "--help").out
    for owner in owners:
        for name, field in owner.model_fields.items():
            assert f"  --{name.replace('_', '-')}" in page
            assert field.description, f"{name} has no help"


def test_switches_lists_and_choices(striate: Call, heard: list[dict[str, Any]]) -> None:
    words = ("train", "x", "--out", "y", "--target", "a, b", "--target", "c")
    assert striate(*words, "--multi-label", "--optimizer", "sgd", "--lr", "1e-3").code == 0
    found = heard.pop()
    assert found["target"] == ["a", "b", "c"]
    assert (found["multi_label"], found["optimizer"], found["lr"]) == (True, "sgd", "1e-3")
    assert striate("train", "x", "--out", "y", "--no-multi-label").code == 0
    assert heard.pop()["multi_label"] is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x",), "--out"),
        (("x", "--out", "y", "--optimiser", "sgd"), "--optimizer"),
        (("x", "--out", "y", "--optimizer", "sdg"), "sgd"),
        (("x", "--out", "y", "--task", "clasify"), "did you mean 'classify'"),
        (("x", "--out", "y", "--angles", "a"), "--angles"),  # a flag of another task
        (("x", "--out", "y", "--lr", "fast"), "lr"),
        (("x", "--out", "y", "--time-budget", "soon"), "90s"),
        (("x", "z", "--out", "y"), "z"),
    ],
)
def test_what_is_refused(
    striate: Call, heard: list[dict[str, Any]], words: tuple[str, ...], said: str
) -> None:
    found = striate("train", *words)
    assert found.code == SettingError.exit_code
    assert said in found.err
    found = striate("train", *words, "--json")
    assert found.code == SettingError.exit_code
    assert said in str(found.lines[-1]["error"])


def test_what_is_said(striate: Call, heard: list[dict[str, Any]]) -> None:
    found = striate("train", "x", "--out", "runs/y")
    assert "epoch 1/1" in found.err
    assert "On validation pictures" in found.out
    assert "accuracy" in found.out
    assert "striate predict runs/y PICTURES" in found.err


def test_machines_get_events(striate: Call, heard: list[dict[str, Any]]) -> None:
    found = striate("train", "x", "--out", "y", "--json")
    assert [line["event"] for line in found.lines] == ["stage", "epoch", "finished"]
    assert found.err == ""


def test_one_process_speaks_for_all(
    striate: Call, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    found = striate("train", "x", "--out", "y")
    assert (found.code, found.out, found.err, len(heard)) == (0, "", "", 1)


def test_an_interruption_can_be_resumed(striate: Call, heard: list[dict[str, Any]]) -> None:
    found = striate("train", "interrupted", "--out", "y")
    assert found.code == 5
    assert "--resume" in found.err


def test_torch_is_missing(tmp_path: Path) -> None:
    # in a process of its own: here other tests have loaded the train half already
    code = (
        "import sys; sys.modules['torch'] = None; from striate.cli.main import main; "
        "sys.exit(main(['train', 'digits', '--out', 'y']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.returncode == 4, found.stderr
    assert "striate[train]" in found.stderr
    assert not (tmp_path / "y").exists()


def test_the_task_is_found_before_parsing() -> None:
    assert task_named_in(["a", "--task", "regress", "--out", "b"]) == "regress"
    assert task_named_in(["--task=regress"]) == "regress"
    assert task_named_in(["a", "--task"]) == "classify"
    assert task_named_in(["--", "--task", "regress"]) == "classify"
