"""`striate explain RUN PICTURE…` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from striate.cli.commands import COMMANDS, Command
from striate.pictures import read
from striate.runs.run import Run

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    if "explain" not in COMMANDS:
        monkeypatch.setitem(COMMANDS, "explain", Command("why", "striate.cli.explain_run:explain"))  # type: ignore[arg-type]


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Path:
    return make_run().folder


def test_one_picture(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    found = striate("explain", run, coloured / "red" / "0.png", "--out", tmp_path / "out")
    assert found.code == 0, found.err
    assert "why red" in found.out
    assert "occlusion:" in found.out
    assert (tmp_path / "out" / "explain.html").exists()
    assert read(tmp_path / "out" / "0.png").shape[1] > 600


def test_a_folder_as_json_lines(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    words = ("--method", "rise", "--masks", "20", "--method", "occlusion", "--class", "blue", "--json")
    found = striate("explain", run, coloured, "--out", tmp_path / "out", *words)
    assert found.code == 0, found.err
    assert len(found.lines) == 7
    good = [line for line in found.lines if "error" not in line]
    assert len(good) == 6
    assert [one["method"] for one in good[0]["explanations"]] == ["rise", "occlusion"]
    assert {one["explains"] for one in good[0]["explanations"]} == {"blue"}
    stored = json.loads((tmp_path / "out" / "explain.json").read_text("utf-8"))
    assert [one["path"] for one in stored["pictures"]] == [one["path"] for one in found.lines]


def test_only_bad_pictures(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    found = striate("explain", run, coloured / "green" / "broken.jpg", "--out", tmp_path / "out")
    assert found.code == 3
    assert "left out" in found.err


def test_some_of_many(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    found = striate("explain", run, coloured, "--out", tmp_path / "out", "--at-most", "2", "--json")
    assert len(found.lines) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no picture to explain"),
        (("PICTURE",), "add --out FOLDER"),
        (("PICTURE", "--out", "OUT", "--method", "gradcamm"), "did you mean 'gradcam'"),
        (("PICTURE", "--out", "OUT", "--class", "purple"), "unknown class 'purple'"),
        (("PICTURE", "--out", "OUT", "--layer", "a", "--layer", "b"), "one --layer"),
        (("--neurons", "all", "--live", "0"), "cannot go together"),
        (("PICTURE", "--neurons", "all"), "give pictures with --data"),
        (("--tsne", "features"), "add --data DIR"),
        (("PICTURE", "PICTURE", "--maps"), "one for --maps"),
    ],
)
def test_what_cannot_be(
    striate: Call, run: Path, coloured: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    given = {"PICTURE": coloured / "red" / "0.png", "OUT": tmp_path / "out"}
    found = striate("explain", run, *(given.get(word, word) for word in words))
    assert found.code == 2
    assert said in found.err


def test_nothing_is_overwritten(striate: Call, run: Path, coloured: Path, tmp_path: Path) -> None:
    words = ("explain", run, coloured / "red" / "0.png", "--out", tmp_path / "out", "--no-check")
    assert striate(*words).code == 0
    assert striate(*words).code == 2
    assert striate(*words, "--overwrite").code == 0


def test_help_names_the_methods(striate: Call) -> None:
    found = striate("explain", "--help")
    assert all(
        word in found.out for word in ("gradcam", "occlusion", "--neurons", "--dissect", "--live")
    )
