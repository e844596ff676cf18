"""`striate explain RUN PICTURE…` as it is typed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.cli.commands import COMMANDS, Command
from striate.cli.explain_run import explain
from striate.cli.explain_words import _FLAGS, Words
from striate.pictures import read, write
from striate.runs.run import Run
from striate.verbs.explain import live as explain_live
from striate.verbs.explain.live import LiveSummary

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


def test_where_the_default_fails_another_method_is_named(
    striate: Call, run: Path, coloured: Path, tmp_path: Path
) -> None:
    flat = coloured / "red" / "0.png"
    write(np.full((20, 20, 3), (200, 30, 30), np.uint8), flat, overwrite=True)
    words = ("explain", run, flat, "--out", tmp_path / "out", "--overwrite")
    assert "one colour" in striate(*words).out
    assert "--method rise: slower" in striate(*words).err
    assert "--method occlusion" not in striate(*words).err  # that was taken
    assert "slower" not in striate(*words, "--method", "occlusion").err  # what was asked for is not
    assert "slower" not in striate(*words, "--no-check").err


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
    assert "none could be read" in found.err
    assert not (tmp_path / "out").exists()


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
        (("PICTURE", "PICTURE", "--class-map"), "one for --class-map"),
        (("PICTURE", "--class-map"), "a class map needs a network"),
        (("PICTURE", "--class-map", "--maps"), "cannot go together"),
        (("PICTURE", "--class-map", "--masks", "3"), "--masks says nothing with --class-map"),
        (("PICTURE", "--out", "OUT", "--windows", "2"), "--windows with --class-map"),
        (("PICTURE", "--out", "OUT", "--at-most", "-1"), "--at-most -1"),
        (("--neurons", "all", "--at-most", "-1"), "--at-most -1"),
        (("--neurons", "all", "--class", "red", "--class", "blue"), "2 classes were given"),
        (("--neurons", "all", "--layer", "stem"), "--layer says nothing with --neurons"),
        (("--dissect", "scenes", "--method", "rise"), "--method says nothing with --dissect"),
        (("--dissect", "scenes", "--method", "rise"), "expected: --method with pictures alone"),
        (("PICTURE", "--out", "OUT", "--data", "x"), "--data with --neurons, or with --tsne"),
        (("PICTURE", "--maps", "--no-check"), "--no-check says nothing with --maps"),
        (("--live", "0", "--at-most", "3"), "--at-most says nothing with --live and no --out"),
        (("--live", "0", "--out", "OUT", "--port", "8000"), "--port with --live and no --out"),
        (("--tsne", "stem", "--data", "x", "--every", "2"), "--every with --live"),
    ],
)
def test_what_cannot_be(
    striate: Call, run: Path, coloured: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    given = {"PICTURE": coloured / "red" / "0.png", "OUT": tmp_path / "out"}
    found = striate("explain", run, *(given.get(word, word) for word in words))
    assert found.code == 2
    assert said in found.err
    assert not (tmp_path / "out").exists()


def test_the_defaults_of_the_table_are_those_of_the_flags() -> None:
    typed = inspect.signature(explain).parameters
    names = {"methods": "method", "layers": "layer", "channels": "channel", "check": "no_check"}
    for flag in _FLAGS:
        default = typed[names.get(flag.field, flag.field)].default
        if flag.default == ():
            assert default is None, flag.shown
        else:
            assert flag.default == (not default if flag.field == "check" else default), flag.shown


def test_every_flag_belongs_to_a_way_or_to_all() -> None:
    told = {flag.field for flag in _FLAGS}
    ways = {"neurons", "dissect", "live", "tsne"}
    every = {"run", "pictures", "out", "threads", "overwrite"}
    assert {one.name for one in fields(Words)} == told | ways | every


def test_an_empty_folder(striate: Call, run: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = striate("explain", run, tmp_path / "empty", "--out", tmp_path / "out")
    assert found.code == 3
    assert "there are no pictures in" in found.err
    assert not (tmp_path / "out").exists()


def test_pictures_are_never_replaced(striate: Call, run: Path, coloured: Path) -> None:
    photos = coloured / "red"
    before = {one: one.read_bytes() for one in photos.iterdir()}
    for given in (photos, photos / "1.png", photos / "*.png"):
        found = striate("explain", run, given, "--out", photos, "--overwrite")
        assert found.code == 2
        assert "cannot lie in one folder" in found.err
    assert striate("explain", run, photos, "--out", photos).code == 2
    assert {one: one.read_bytes() for one in photos.iterdir()} == before


def test_a_live_view_tells_its_address_as_json(
    striate: Call, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def live(*_: Any, announce: Callable[[str], None], **__: Any) -> LiveSummary:
        announce("http://127.0.0.1:8000/")
        return LiveSummary("run", "camera 0", 3, 1.0)

    monkeypatch.setattr(explain_live, "live", live)
    found = striate("explain", run, "--live", "0", "--json")
    assert [list(one) for one in found.lines] == [["address"], ["run", "source", "frames", "seconds"]]
    assert found.lines[0]["address"] == "http://127.0.0.1:8000/"
    assert "look: http" in striate("explain", run, "--live", "0").err


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
