from __future__ import annotations

import shlex
from collections.abc import Callable

from striate.runs.commands import next_commands, python_example, reproduce_command
from striate.runs.header import RunHeader

Make = Callable[..., RunHeader]


def words(header: RunHeader, run: str = "runs/pets") -> list[str]:
    return shlex.split(reproduce_command(header, run).replace("\\\n", " "))


def value(found: list[str], flag: str) -> str:
    return found[found.index(flag) + 1]


def test_choices_are_pinned_and_defaults_left_out(make_header: Make) -> None:
    header = make_header(
        {
            "config": {
                "model": "auto",
                "multi_label": True,
                "label_smoothing": 0.1,
                "target": ["a", "b"],
            },
            "train": {"precision": "auto", "time_budget": 60.0, "threads": 0, "checkpoint_every": 30.0},
            "plan": {
                "precision": "bfloat16",
                "threads": 2,
                "compile": False,
                "steps_per_epoch": 10,
                "total_steps": 95,
                "pictures_per_s": 9.0,
            },
            "augment": {"augment": "auto", "flip": "none"},
        }
    )
    found = words(header)
    assert found[:3] == ["striate", "train", "pets"]
    assert value(found, "--out") == "runs/pets"
    assert value(found, "--precision") == "bfloat16"
    assert value(found, "--threads") == "2"
    assert value(found, "--compile") == "off"
    assert value(found, "--epochs") == "10"
    assert value(found, "--flip") == "none"
    assert "--multi-label" in found
    assert [found[i + 1] for i, word in enumerate(found) if word == "--target"] == ["a", "b"]
    for flag in ("--time-budget", "--model", "--augment", "--pictures-per-s", "--checkpoint-every"):
        assert flag not in found


def test_odd_names_stay_one_word(make_header: Make) -> None:
    name = "my 'best'; rm -rf $HOME"
    header = make_header({"data": make_header().data.model_copy(update={"name": name})})
    assert words(header)[2] == name
    for _, command in next_commands(name):
        assert name in shlex.split(command)


def test_the_python_example_is_python() -> None:
    compile(python_example('it\'s \\ a "run"'), "example", "exec")
