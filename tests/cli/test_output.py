from __future__ import annotations

import io
import json
from typing import Any

import pytest

from striate.cli.output import Output, shown
from striate.errors import DataError, PictureError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def output(**options: Any) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out=out, err=err, **options), out, err


def test_json_is_always_valid() -> None:
    subject, out, _ = output(json=True)
    subject.line({"a": float("nan"), "b": [1.5, float("inf")], "c": {"d": (None, "ü\udcff")}})
    assert json.loads(out.getvalue()) == {"a": None, "b": [1.5, None], "c": {"d": [None, "ü\\xff"]}}
    assert out.getvalue().count("\n") == 1
    out.getvalue().encode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain ü 😀", "plain ü 😀"), ("a\x1b[31mb", "a\\x1b[31mb"), ("a\nb", "a\\nb"),
     ("caf\udce9", "caf\\xe9"), ("\ud800", "\\ud800"), ("\u202egnp.exe", "\\u202egnp.exe")],
)  # fmt: skip
def test_what_a_terminal_may_see(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_commands_stay_whole_on_a_line_of_their_own() -> None:
    subject, out, _ = output()
    command = "striate train photos --task classify " + "--setting 0.5 " * 12 + "--out run"
    subject.listing("Try", [("one " * 40, ""), ("two", "")], style="", commands=[command, ""])
    lines = out.getvalue().splitlines()
    assert f"    {command}" in lines
    assert lines[-1] == "  two"
    assert max(len(one) for one in lines if "one" in one) <= 100


def test_errors_in_sentences() -> None:
    subject, out, err = output()
    subject.fail(PictureError("x\x1b.jpg", "it is empty", remedy="copy it again"))
    assert out.getvalue() == ""
    assert err.getvalue() == "error: cannot read picture x\\x1b.jpg: it is empty\nhint: copy it again\n"


def test_errors_for_machines() -> None:
    subject, out, err = output(json=True)
    subject.fail(DataError("what", expected="this", remedy="do"))
    assert err.getvalue() == ""
    assert json.loads(out.getvalue()) == {
        "error": {"kind": "DataError", "what": "what", "expected": "this", "remedy": "do"}
    }


def test_errors_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    Output(out=io.StringIO(), err=err).fail(
        DataError("a [bold]word[/] " * 4, expected="this", remedy="do")
    )
    text = err.getvalue()
    assert "[bold]word[/]" in text  # words are never markup
    assert "\x1b[" in text


def test_facts_line_up_and_wrap() -> None:
    subject, out, _ = output()
    subject.facts("Title", [("a", "1"), ("long name", "word " * 40)])
    lines = out.getvalue().splitlines()
    assert lines[0] == "Title"
    assert lines[1] == "  a          1"
    assert lines[2].startswith("  long name  word")
    assert lines[3].startswith(" " * 13 + "word")
    assert max(map(len, lines)) <= 100
    subject.facts("Next", [("b", "2")])
    assert out.getvalue().splitlines()[len(lines)] == ""


def test_talk_is_silent_for_machines() -> None:
    subject, out, err = output(json=True)
    subject.say("hello")
    assert out.getvalue() == err.getvalue() == ""


def test_rows_escape() -> None:
    subject, out, _ = output()
    subject.row(["a\tb", "c"])
    assert out.getvalue() == "a\\tb\tc\n"
