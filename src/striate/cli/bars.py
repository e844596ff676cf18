"""How far long work is: a bar with the time left on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from striate.cli.output import Output, shown
from striate.cli.progress import duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Count", "Watch", "counting", "watched"]

Watch: TypeAlias = Callable[[str, int, int | None], None]
"""Hears what is being done, how much of it is done, and of how much (None where that is not known)."""

Count: TypeAlias = Callable[[int, int | None], None]
"""The same where one thing is done."""

_LOG_S = 15.0


@contextmanager
def watched(
    output: Output, *, unit: str = "", clock: Callable[[], float] = time.monotonic
) -> Iterator[Watch]:
    """What shows how far each stage is, on stderr, counted in `unit`; nothing with `--json`."""
    if output.json:
        yield lambda stage, done, of: None
    elif output.watched:
        with _bar(output) as bar:
            yield _Bars(bar, unit)
    else:
        yield _Log(output, unit, clock)


@contextmanager
def counting(
    output: Output, stage: str, *, unit: str = "", clock: Callable[[], float] = time.monotonic
) -> Iterator[Count]:
    """`watched`, of one stage."""
    with watched(output, unit=unit, clock=clock) as hear:
        yield lambda done, of: hear(stage, done, of)


def _bar(output: Output) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("  {task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[count]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=output.console(talk=True),
        transient=True,
    )


class _Bars:
    """One bar at a time: that of the stage heard of last."""

    def __init__(self, bar: Progress, unit: str) -> None:
        self._bar, self._unit = bar, unit
        self._stage: str | None = None
        self._task: TaskID | None = None

    def __call__(self, stage: str, done: int, of: int | None) -> None:
        count = _counted(done, of, self._unit)
        if self._task is None or stage != self._stage:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._stage = stage
            self._task = self._bar.add_task(shown(stage), total=of, completed=done, count=count)
        self._bar.update(self._task, completed=done, total=of, count=count)


class _Log:
    """Each stage once, and how far it is every quarter of a minute."""

    def __init__(self, output: Output, unit: str, clock: Callable[[], float]) -> None:
        self._output, self._unit, self._clock = output, unit, clock
        self._stage, self._began, self._said, self._done = "", 0.0, 0.0, 0

    def __call__(self, stage: str, done: int, of: int | None) -> None:
        now = self._clock()
        if done < self._done:  # another round of the same stage
            self._began = self._said = now
        self._done = done
        if stage != self._stage:
            self._stage, self._began, self._said = stage, now, now
            self._output.say(stage)
        elif now - self._said >= _LOG_S and done and done != of:
            self._said = now
            left = f", {duration((now - self._began) / done * (of - done))} left" if of else ""
            self._output.say(f"  {_counted(done, of, self._unit)}{left}")


def _counted(done: int, of: int | None, unit: str) -> str:
    known = [str(done)] if done or of else []
    return " ".join([*known, *([f"of {of}"] if of else []), *([unit] if known and unit else [])])
