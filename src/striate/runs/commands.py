"""The commands that a report and a card show: what to do next, and how to make the run again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from striate.runs.header import RunHeader
from striate.runs.plain import legible

__all__ = ["next_commands", "python_example", "reproduce_command"]

_PINNED = (
    *("batch_size", "accumulate", "optimizer", "lr", "weight_decay", "warmup", "ema", "clip_norm"),
    *("patience", "depth", "precision", "memory_format", "compile", "threads", "device", "seed"),
)
"""What was measured or defaulted at the time, and is given as chosen when the run is made again."""
_LEFT_OUT = ("time_budget", "checkpoint_every", "grid_gco2_per_kwh")
"""What does not change the result, or only through what is pinned."""


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
    lines = ("import striate", "", f"model = striate.load({legible(run)!r})")
    return "\n".join((*lines, 'print(model.predict("picture.jpg"))'))


def reproduce_command(header: RunHeader, run: str) -> str:
    """The command that makes the run again, with everything that was chosen by measurement pinned."""
    words = ["striate train", shlex.quote(header.data.name), f"--task {header.task}"]
    words.append(f"--out {shlex.quote(legible(run))}")
    for values in (header.config, _pinned(header), header.augment):
        words += _flags(values)
    return _wrapped(words)


def _wrapped(words: Sequence[str], width: int = 92) -> str:
    """Several lines of shell, broken between flags."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"    {word}")
    return " \\\n".join(lines)


def _pinned(header: RunHeader) -> dict[str, Any]:
    """The training settings with the plan's choices in them."""
    plan = header.plan
    train = {name: value for name, value in header.train.items() if name not in _LEFT_OUT}
    train |= {name: plan[name] for name in _PINNED if name in plan}
    if isinstance(train.get("compile"), bool):
        train["compile"] = "on" if train["compile"] else "off"
    if "epochs" in plan:
        train["epochs"] = plan["epochs"]
    elif plan.get("steps_per_epoch") and plan.get("total_steps"):
        train["epochs"] = math.ceil(plan["total_steps"] / plan["steps_per_epoch"])
    return train


def _flags(values: Mapping[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in values.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            if value:
                flags.append(f"--{flag}")
        elif isinstance(value, list):
            flags += [f"--{flag} {shlex.quote(str(one))}" for one in value]
        elif value != "auto" and not isinstance(value, dict):
            flags.append(f"--{flag} {shlex.quote(str(value))}")
    return flags
