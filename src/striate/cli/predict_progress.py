"""How far a long answer is: a bar with the time left on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from striate.cli.output import Output, shown
from striate.cli.progress import duration

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Told", "progress"]

Told = Callable[[int, int | None], None]
"""Hears how many are done, of how many (None where that is not known)."""

_LOG_S = 15.0


@contextmanager
def progress(
    output: Output, text: str, unit: str, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Told]:
    """What shows how far `text` is, counted in `unit`; nothing with `--json`."""
    if output.json:
        yield lambda done, total: None
    elif output.watched:
        with _bar(output) as bar:
            task = bar.add_task(shown(text), total=None, unit=unit)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _log(output, text, unit, clock)


def _log(output: Output, text: str, unit: str, clock: Callable[[], float]) -> Told:
    began = last = clock()

    def told(done: int, total: int | None) -> None:
        nonlocal last
        now = clock()
        if now - last < _LOG_S:
            return
        last = now
        of = f" of {total}" if total else ""
        left = (now - began) / done * (total - done) if total and done else 0.0
        rest = f", {duration(left)} left" if left > 0 else ""
        output.say(f"{text}: {done}{of} {unit}{rest}")

    return told


def _bar(output: Output) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed:.0f}/{task.total} {task.fields[unit]}"),
        TimeRemainingColumn(compact=True),
        console=output.console(talk=True),
        transient=True,
    )
