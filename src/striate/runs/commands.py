"""The commands that a report and a card show: what to do next, and how to make the run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from striate.runs.header import RunHeader
from striate.runs.plain import legible

__all__ = ["next_commands", "python_example", "reproduce_command"]

_FROM_PLAN = ("epochs", "batch_size", "threads", "precision", "memory_format", "device", "seed")
"""What was measured or defaulted at the time, and is pinned when the run is made again."""


def next_commands(run: str) -> list[tuple[str, str]]:
    """(what for, command) for the finished run in the folder `run`."""
    folder = shlex.quote(legible(run))
    return [
        ("Ask it about pictures", f"striate predict {folder} PICTURES"),
        ("Measure it on other pictures", f"striate evaluate {folder} DATA"),
        ("Take it elsewhere as one file", f"striate export {folder} --out model.onnx"),
    ]


def python_example(run: str) -> str:
    """The same in Python."""
    return f'import striate\n\nmodel = striate.load({legible(run)!r})\nprint(model.predict("picture.jpg"))'


def reproduce_command(header: RunHeader, run: str) -> str:
    """The command that makes the run again, with everything that was chosen by measurement pinned."""
    words = ["striate train", shlex.quote(header.data.name), f"--task {header.task}"]
    words.append(f"--out {shlex.quote(legible(run))}")
    train = dict(header.train)
    for name in _FROM_PLAN:
        if name in header.plan:
            train[name] = header.plan[name]
    train.pop("time_budget", None)  # its outcome, the number of epochs, is pinned instead
    for values in (header.config, train, header.augment):
        words += _flags(values)
    return " ".join(words)


def _flags(values: Mapping[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in values.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            if value:
                flags.append(f"--{flag}")
        elif isinstance(value, list):
            flags += [f"--{flag} {shlex.quote(str(one))}" for one in value]
        elif not isinstance(value, dict):
            flags.append(f"--{flag} {shlex.quote(str(value))}")
    return flags
