"""`striate stress` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from striate.runs.run import Run

Call = Callable[..., Any]


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Path:
    return make_run().folder


def test_a_card(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    out = tmp_path / "card"
    words = ("stress", run, coloured, "--axes", "fog,all-viewpoint", "--severities", "1,4", "--out", out)
    found = striate(*words, "--json")
    assert found.code == 0
    assert found.err == ""
    (line,) = found.lines
    assert line["card"] == str(out / "card.html")
    written = json.loads((out / "card.json").read_text())
    assert written["axes"] == line["axes"]
    assert [one["axis"] for one in written["axes"]][-1] == "fog"
    again = striate(*words)
    assert again.code == 2
    assert "exists already" in again.err
    said = striate(*words, "--overwrite")
    assert said.code == 0
    assert "accuracy" in said.out
    assert "left out: green/broken.jpg" in said.err
    assert str(out / "card.html") in said.err


def test_the_axes_are_listed(striate: Call, run: Path) -> None:
    assert "no run" in striate("stress").err
    said = striate("stress", "--list")
    assert said.code == 0
    assert "gaussian_noise" in said.out
    assert "only by name" in said.out
    lines = striate("stress", run, "--list", "--json").lines
    assert {"axis", "family", "levels"} <= set(lines[0])


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "no pictures were given"),
        (("DATA", "--severities", "1,x"), "severities"),
        (("DATA", "--axes", "fogg"), "did you mean 'fog'"),
        (("DATA", "--time-budget", "soon"), "time budget"),
        (("DATA", "--attack", "pgd", "--strengths", "a"), "strengths"),
        (("DATA", "--attack", "pgd", "--strengths", ","), "strengths"),
        (("DATA", "--attack", "pgdd"), "unknown attack"),
        (("DATA", "--attack", "pgd", "--axes", "fog"), "--axes says nothing with --attack"),
        (("DATA", "--attack", "pgd", "--fix"), "--fix says nothing with --attack"),
        (("DATA", "--poses", "bus"), "DATA says nothing with --poses"),
        (("--poses", "bus", "--attack", "pgd"), "--attack says nothing with --poses"),
        (("DATA", "--strengths", "1"), "--strengths says nothing without --attack"),
        (("DATA", "--background", "x.png"), "--background says nothing without --poses"),
        (("DATA", "--train", "digits"), "--train says nothing without --fix"),
    ],
)
def test_wrong_words(
    striate: Call, run: Path, coloured: Path, words: tuple[str, ...], what: str
) -> None:
    given = [coloured if one == "DATA" else one for one in words]
    found = striate("stress", run, *given)
    assert found.code == 2
    assert what in found.err.replace("\n", " ")


def test_fix_is_refused_before_anything_is_measured(
    striate: Call, run: Path, coloured: Path, tmp_path: Path
) -> None:
    words = ("stress", run, coloured, "--axes", "rotation", "--severities", "1", "--fix")
    found = striate(*words, "--out", tmp_path / "card")
    assert found.code == 2
    assert "does not list the pictures" in found.err.replace("\n", " ")
    assert "changing pictures" not in found.err
    assert not (tmp_path / "card").exists()


def test_a_fix_that_fails_leaves_the_card(
    striate: Call, make_run: Callable[..., Run], coloured: Path, tmp_path: Path
) -> None:
    trained = [path.read_bytes() for path in sorted(coloured.rglob("*.png"))]
    run, out = make_run(name="own", trained_on=trained).folder, tmp_path / "card"
    words = ("stress", run, coloured, "--axes", "rotation", "--severities", "1", "--fix", "--out", out)
    found = striate(*words)
    assert found.code == 2
    assert "nothing to try" in found.err
    assert "accuracy" in found.out.lower()
    assert (out / "card.html").exists()
    assert json.loads((out / "card.json").read_text())["run"] == "own"
    assert "exists already" in striate(*words).err
    (out / "trials").mkdir()  # as an interrupted one leaves it: the same call goes on
    assert "nothing to try" in striate(*words).err
    other = make_run(name="other", trained_on=trained).folder
    assert "exists already" in striate("stress", other, *words[2:]).err


def test_help(striate: Call) -> None:
    said = striate("stress", "--help")
    assert said.code == 0
    for word in ("--axes", "--fix", "--poses", "--attack", "--against", "--time-budget"):
        assert word in said.out
