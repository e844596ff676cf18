"""Training as it happens: live bars on a terminal, plain lines in a log, JSON lines for machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from striate.cli.output import Output, shown
from striate.engine.events import (
    Epoch,
    Event,
    Finished,
    Note,
    Planned,
    Stage,
    Step,
    event_to_dict,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["JsonEvents", "LiveEvents", "PlainEvents", "duration", "listener", "planned_in_words"]

Clock = Callable[[], float]

_JSON_STEP_S = 0.5
_PLAIN_STEP_S = 15.0
_NARROW = 64
_EPOCH_S = 1.0
"""Epochs of tiny sets last milliseconds; their lines come no faster than this."""


@contextmanager
def listener(output: Output, *, clock: Clock = time.monotonic) -> Iterator[Callable[[Event], None]]:
    """What hears the events of a training and shows them in the form that `output` asks for."""
    if output.json:
        yield JsonEvents(output, clock)
    elif output.watched:
        live = LiveEvents(output)
        try:
            yield live
        finally:
            live.close()
    else:
        yield PlainEvents(output, clock)


def duration(seconds: float) -> str:
    """Seconds in the words of a clock.

    >>> duration(8.24), duration(75), duration(3700)
    ('8.2 s', '1 min 15 s', '1 h 01 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def planned_in_words(event: Planned) -> str:
    """The choices that a person can judge, in a line."""
    found = event.choices
    parts = []
    for name, text in (
        ("device", "{}"),
        ("threads", "{} threads"),
        ("precision", "{}"),
        ("memory_format", "{}"),
        ("optimizer", "{}"),
        ("lr", "lr {:.3g}"),
        ("batch_size", "batch {}"),
        ("total_steps", "{} steps"),
    ):
        if found.get(name) not in (None, 0, ""):
            parts.append(text.format(found[name]))
    return ", ".join(parts)


def epoch_in_words(event: Epoch) -> str:
    """One line: number, loss, score, time left, whether it is the best so far."""
    parts = [f"epoch {event.number:>{len(str(event.of))}}/{event.of}", f"loss {event.loss:.4f}"]
    scores = [
        (name, value)
        for name, value in event.metrics.items()
        if isinstance(value, float) and name != "headline_score"
    ]
    parts += [f"{name} {value:.4f}" for name, value in scores[:1]]  # a meter puts what matters first
    parts += [f"{duration(event.eta_s)} left"] if event.number < event.of else []
    return "  ".join(parts) + ("  best" if event.best else "")


class JsonEvents:
    """Every event as a line on stdout; steps at most twice a second.

    Training goes on when nobody reads any more (`striate train … --json | head`).
    """

    def __init__(self, output: Output, clock: Clock) -> None:
        self._output, self._clock = output, clock
        self._told = float("-inf")
        self._heard = True

    def __call__(self, event: Event) -> None:
        if isinstance(event, Step):
            if self._clock() - self._told < _JSON_STEP_S:
                return
            self._told = self._clock()
        if self._heard:
            try:
                self._output.line(event_to_dict(event))
            except BrokenPipeError:
                self._heard = False


class PlainEvents:
    """Lines on stderr for logs: stages, notes, epochs, and a sign of life in between."""

    def __init__(self, output: Output, clock: Clock) -> None:
        self._output, self._clock = output, clock
        self._told = clock()
        self._epoch_told = float("-inf")
        self._total: int | None = None

    def __call__(self, event: Event) -> None:
        text = self._text(event)
        if text:
            self._output.say(text)
            self._told = self._clock()

    def _text(self, event: Event) -> str:
        """The line for `event`; empty if it is not worth one."""
        match event:
            case Stage():
                self._total = event.total
                text = event.text
            case Step() if self._clock() - self._told >= _PLAIN_STEP_S:
                of = f" of {self._total}" if self._total else ""
                text = f"  {event.done}{of}" + ("" if event.loss is None else f", loss {event.loss:.4f}")
            case Note():
                text = f"  {'warning: ' if event.level == 'warning' else ''}{event.text}"
            case Planned():
                text = f"  {planned_in_words(event)}"
            case Epoch() if event.number >= event.of or self._clock() - self._epoch_told >= _EPOCH_S:
                self._epoch_told = self._clock()
                text = f"  {epoch_in_words(event)}"
            case Finished():
                text = f"finished in {duration(event.seconds)}"
            case _:
                text = ""
        return text


class LiveEvents:
    """What happened as lines, what happens as a bar beneath them, on stderr."""

    def __init__(self, output: Output, clock: Clock = time.monotonic) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._console = output.console(talk=True)
        self._clock = clock
        self._epoch_told = float("-inf")
        columns = [
            TextColumn("  {task.description}"),
            BarColumn(bar_width=None if self._console.width < _NARROW else 30),
            MofNCompleteColumn(),
        ]
        if self._console.width >= _NARROW:
            columns += [TimeRemainingColumn(compact=True), TextColumn("{task.fields[loss]}")]
        self._progress: Progress = Progress(*columns, console=self._console, transient=True)
        self._task: TaskID | None = None
        self._progress.start()

    def __call__(self, event: Event) -> None:
        match event:
            case Stage():
                self._begin(event)
            case Step() if self._task is not None:
                loss = "" if event.loss is None else f"loss {event.loss:.4f}"
                self._progress.update(self._task, completed=event.done, loss=loss)
            case Note():
                self._line(event.text, "yellow" if event.level == "warning" else "dim")
            case Planned():
                self._line(planned_in_words(event), "dim")
            case Epoch() if event.number >= event.of or self._clock() - self._epoch_told >= _EPOCH_S:
                self._epoch_told = self._clock()
                self._line(epoch_in_words(event), "bold" if event.best else "")
            case Finished():
                self._end()
                self._console.print(f"finished in {duration(event.seconds)}", style="green")
            case _:
                pass

    def _begin(self, stage: Stage) -> None:
        self._end()
        self._console.print(shown(stage.text))
        if stage.total:
            self._task = self._progress.add_task(stage.name, total=stage.total, loss="")

    def _end(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def _line(self, text: str, style: str) -> None:
        from rich.padding import Padding
        from rich.text import Text

        self._console.print(Padding(Text(shown(text), style=style), (0, 0, 0, 2), expand=False))

    def close(self) -> None:
        """Take the bar away; the lines stay."""
        self._end()
        self._progress.stop()
