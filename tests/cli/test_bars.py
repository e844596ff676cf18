from __future__ import annotations

import io
import re

import pytest

from striate.cli.bars import counting, watched
from striate.cli.output import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_said_with_json() -> None:
    err = Terminal()
    with watched(Output(json=True, out=io.StringIO(), err=err)) as hear:
        hear("reading", 1, 2)
    assert err.getvalue() == ""


def test_a_log_hears_each_stage_once_and_now_and_then_how_far_it_is() -> None:
    err = io.StringIO()
    clock = iter([0.0, 10.0, 20.0, 21.0, 40.0, 50.0, 70.0, 90.0])
    with watched(Output(out=io.StringIO(), err=err), unit="tiles", clock=lambda: next(clock)) as hear:
        for done in (0, 5, 10, 11, 40):  # after 15 s, not again 1 s later, and not when it is over
            hear("reading\x1b", done, 40)
        for done in (0, 2, 3):
            hear("writing", done, None)
    assert err.getvalue().splitlines() == [
        "reading\\x1b",
        "  10 of 40 tiles, 1 min 00 s left",
        "writing",
        "  2 tiles",
        "  3 tiles",
    ]


def test_another_round_has_a_time_of_its_own() -> None:
    err = io.StringIO()
    clock = iter([0.0, 20.0, 1000.0, 1001.0, 1020.0])
    with watched(Output(out=io.StringIO(), err=err), clock=lambda: next(clock)) as hear:
        for done in (0, 20, 40, 10, 20):
            hear("laying out", done, 40)
    assert err.getvalue().splitlines() == [
        "laying out",
        "  20 of 40, 20 s left",
        "  20 of 40, 19 s left",
    ]


def test_a_terminal_shows_one_bar_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    with watched(Output(out=io.StringIO(), err=err), unit="tiles") as hear:
        hear("[b]reading[/]\x1b", 1, 4)
        hear("[b]reading[/]\x1b", 4, 4)
        hear("writing", 2, None)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err.getvalue())
    last = drawn.rstrip().splitlines()[-1]
    assert "[b]reading[/]\\x1b" not in last  # one stage at a time
    assert "writing" in last
    assert "2 tiles" in last


def test_one_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    with counting(Output(out=io.StringIO(), err=err), "asking [all]") as hear:
        hear(3, 7)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err.getvalue())
    assert "asking [all]" in drawn  # words are never markup
    assert "3 of 7" in drawn
