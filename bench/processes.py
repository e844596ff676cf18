"""Commands as a user starts them: timed cold, in turns, with their memory; scripts that answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STOPWATCH = Path(__file__).with_name("stopwatch.py")


class BenchmarkFailed(Exception):
    """A command or script under measurement did not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One cold process. MB are 10⁶ bytes; `output` is what it printed."""

    wall_s: float
    processor_s: float
    peak_mb: float
    output: str


def cold(command: Sequence[str], *, env: Mapping[str, str] | None = None, accept: int = 0) -> Timing:
    """Start `command` in a new process and wait. `accept` is the exit code that it must end with."""
    with tempfile.NamedTemporaryFile("r", suffix=".txt", encoding="utf-8", errors="replace") as output:
        words = [sys.executable, "-I", "-S", str(_STOPWATCH), output.name, *command]
        watch = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
        text = output.read()
    if watch.returncode:
        raise BenchmarkFailed(f"the stopwatch failed: {watch.stderr[-2000:]}")
    found = json.loads(watch.stdout)
    if found["exit"] != accept:
        raise BenchmarkFailed(f"exit {found['exit']}: {' '.join(command)}\n{text[-4000:]}")
    return Timing(found["wall_s"], found["processor_s"], found["peak_mb"], text)


def in_turns(
    commands: Mapping[str, Sequence[str]],
    *,
    times: int,
    env: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, list[Timing]]:
    """Every command once to warm the disk cache, then A B C A B C …: drift hits all of them alike."""
    environments = env or {}
    found: dict[str, list[Timing]] = {name: [] for name in commands}
    for turn in range(times + 1):
        for name, command in commands.items():
            timing = cold(command, env=environments.get(name))
            if turn:
                found[name].append(timing)
    return found


def ask(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, folder: Path | None = None
) -> dict[str, Any]:
    """The JSON object in the last line that `command` prints; its other output is shown if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        shown = done.stdout[-2000:] + done.stderr[-4000:]
        raise BenchmarkFailed(f"exit {done.returncode}: {' '.join(command)}\n{shown}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
