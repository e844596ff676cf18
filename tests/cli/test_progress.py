from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest

from striate.cli.output import Output
from striate.cli.progress import JsonEvents, LiveEvents, PlainEvents, listener
from striate.engine.events import Epoch, Event, Finished, Note, Planned, Stage, Step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def story() -> Iterator[Event]:
    yield Stage("read", "reading digits")
    yield Note("1437 train, [red]360[/] validation")
    yield Stage("train", "training small-cnn", total=4)
    yield Planned({"device": "cpu", "threads": 2, "lr": 0.00123, "batch_size": 64, "ema": 0.99})
    for step in range(1, 5):
        yield Step(step, 1.0 / step)
        metrics = {"n": 10, "headline_score": 0.5, "accuracy": 0.2 * step, "interval": [0.1, 0.2]}
        yield Epoch(step, 4, 1.0 / step, metrics, step, 75.0, best=step == 4)
    yield Note("slower than planned", "warning")
    yield Finished("runs/d", {"validation": {"accuracy": 0.8}}, 3.21)


def test_lines_for_a_log() -> None:
    err = io.StringIO()
    tell = PlainEvents(Output(out=io.StringIO(), err=err), Clock(step=2.0))
    for event in story():
        tell(event)
    lines = err.getvalue().splitlines()
    assert lines[0] == "reading digits"
    assert lines[1] == "  1437 train, [red]360[/] validation"
    assert lines[3] == "  cpu, 2 threads, lr 0.00123, batch 64"
    assert "  epoch 1/4  loss 1.0000  accuracy 0.2000  1 min 15 s left" in lines
    assert "  epoch 4/4  loss 0.2500  accuracy 0.8000  best" in lines
    assert lines[-2:] == ["  warning: slower than planned", "finished in 3.2 s"]


def test_fast_epochs_do_not_flood_a_log() -> None:
    err = io.StringIO()
    tell = PlainEvents(Output(out=io.StringIO(), err=err), Clock(step=1e-4))
    for number in range(1, 501):
        tell(Epoch(number, 500, 1.0, {}, 0.0, 0.0, best=False))
    assert [line.split()[1] for line in err.getvalue().splitlines()] == ["1/500", "500/500"]


def test_a_long_stage_gives_signs_of_life() -> None:
    err = io.StringIO()
    tell = PlainEvents(Output(out=io.StringIO(), err=err), Clock(step=4.0))
    tell(Stage("cache", "preparing", total=100))
    for done in range(10):
        tell(Step(done))
    assert 1 <= err.getvalue().count(" of 100") <= 4


def test_events_for_machines() -> None:
    out = io.StringIO()
    tell = JsonEvents(Output(json=True, out=out), Clock(step=0.01))
    for event in story():
        tell(event)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert sum(line["event"] == "step" for line in lines) == 1  # at most two a second
    assert sum(line["event"] == "epoch" for line in lines) == 4
    assert lines[-1]["event"] == "finished"
    assert (lines[-1]["run"], lines[-1]["seconds"]) == ("runs/d", 3.21)
    assert lines[-1]["metrics"] == {"validation": {"accuracy": 0.8}}


def test_training_goes_on_when_nobody_reads() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    tell = JsonEvents(Output(json=True, out=Closed()), Clock(step=1.0))
    for event in story():
        tell(event)


@pytest.mark.parametrize("columns", ["80", "44"])
def test_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    live = LiveEvents(Output(out=io.StringIO(), err=err), Clock(step=2.0))
    for event in story():
        live(event)
    live.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err.getvalue())
    for words in (
        "reading digits",
        "[red]360[/]",
        "epoch 4/4",
        "slower than planned",
        "finished in 3.2 s",
    ):
        assert words in text
    assert "4/4" in text


def test_the_form_follows_the_stream() -> None:
    for subject, kind in (
        (Output(json=True, out=io.StringIO(), err=io.StringIO()), JsonEvents),
        (Output(out=io.StringIO(), err=io.StringIO()), PlainEvents),
        (Output(out=io.StringIO(), err=Terminal()), LiveEvents),
    ):
        with listener(subject) as tell:
            assert isinstance(tell, kind)


def test_the_bar_goes_away_when_training_fails() -> None:
    err = Terminal()

    def fail() -> None:
        with listener(Output(out=io.StringIO(), err=err)) as tell:
            tell(Stage("train", "training", total=3))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "\x1b[?25h" in err.getvalue()  # the cursor is back
