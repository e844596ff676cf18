from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from striate.arithmetic.steps import Walk
from striate.cli.output import Output
from striate.cli.steps_terminal import StepsTerminal
from striate.errors import UsageError
from striate.pictures import grey_levels, read, write
from striate.verbs.layers.step import KINDS, StepKind, StepRequest, walk_of
from striate.verbs.layers.steps_page import render_steps_page

Call = Callable[..., Any]
every = pytest.mark.parametrize("kind", get_args(StepKind))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    values = np.random.default_rng(2).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    return write(values, tmp_path / "photo.png")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Page(HTMLParser):
    """The tags and their attributes; a tag left open is an error."""

    VOID = frozenset({"meta", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data


# -- what is printed --------------------------------------------------------------------------


def test_the_deck_s_sum(striate: Call) -> None:
    found = striate("layers", "step", "conv")
    assert found.code == 0
    assert "2×1 + 0×0 + 1×(−1) + 0×0 + 2×1 + 1×0 + 1×(−1) + 3×0 + 0×1 + 1 = 3" in found.out
    assert "(N−F+2P)/S+1     (5−3)/1+1 = 3" in found.out
    assert "[2][0][1] 1  0      [1] [0][−1]    [1]     [3] ·  ·" in found.out
    assert found.out.count("Row") == 1 + 9


@every
def test_every_kind_prints_json_and_a_page(kind: str, striate: Call, tmp_path: Path) -> None:
    assert kind in KINDS
    assert "number by number" in striate("layers", "step", kind).out
    page = tmp_path / "walk.html"
    found = striate("layers", "step", kind, "--json", "--html", page).lines
    assert len(found) == 1
    assert found[0]["kind"] == kind
    assert found[0]["steps"]
    assert found[0]["page"] == str(page)
    parsed = Page(page.read_text("utf-8"))
    assert len(json.loads(parsed.scripts[0])) == len(found[0]["steps"])
    assert striate("layers", "step", kind, "--html", page).code == 2  # nothing is overwritten unasked
    again = striate("layers", "step", kind, "--html", page, "--overwrite")
    assert (again.code, again.out) == (0, "")
    assert "open it in a browser" in again.err


def test_one_step(striate: Call) -> None:
    found = striate("layers", "step", "maxpool", "--at", 2).out
    assert found.startswith("Step 2 of 4: Row 0, column 1\n")
    assert " 1  3 [2][1]     4 [6]" in found
    assert striate("layers", "step", "maxpool", "--at", 5).code == 2
    assert striate("layers", "step", "maxpool", "--at", 0).code == 2


def test_own_numbers(striate: Call) -> None:
    words = ("--numbers", "1 2 3; 4 5 6; 7 8 9", "--kernel", "1 0; 0 0", "--json")
    laid = striate("layers", "step", "conv", *words).lines[0]
    assert laid["boards"]["y0"]["values"] == [[1, 2], [4, 5]]
    turned = striate("layers", "step", "conv", *words, "--flip").lines[0]
    assert turned["boards"]["y0"]["values"] == [[5, 6], [8, 9]]
    spaced = striate("layers", "step", "conv", *words, "--dilation", 2, "--bias", -1).lines[0]
    assert spaced["boards"]["y0"]["values"] == [[0]]
    minus = striate(
        "layers", "step", "conv", "--kernel", "-1 0; 0 −1", "--numbers", "-1 2; 3 4", "--json"
    )
    assert minus.lines[0]["boards"]["y0"]["values"] == [[-3]]
    two = ("--numbers", "1 2; 3 4 | 5 6; 7 8", "--kernel", "1 1; 1 1 | 1 0; 0 0", "--json")
    assert striate("layers", "step", "conv", *two).lines[0]["boards"]["y0"]["values"] == [[15]]
    found = striate("layers", "step", "avgpool", "--numbers", "1,2,3;4,5,6", "--window", "2,1", "--json")
    assert found.lines[0]["boards"]["y0"]["values"] == [[2.5, 3.5, 4.5]]
    found = striate("layers", "step", "softmax", "--numbers", "5 5", "--json").lines[0]
    assert found["boards"]["y"]["values"] == [[0.5, 0.5]]
    found = striate(
        "layers", "step", "perceptron", "--numbers", "1 1", "--weights", "1 1", "--bias", -1.5,
        "--activation", "step", "--json",
    )  # fmt: skip
    assert found.lines[0]["boards"]["y"]["values"] == [[1]]
    found = striate("layers", "step", "backprop", "--label", 1, "--rate", 0.1, "--activation", "tanh")
    assert "gradient check passes" in found.out.replace("\n", " ")
    found = striate("layers", "step", "transposed", "--stride", 1, "--padding", 1, "--json").lines[0]
    assert np.shape(found["boards"]["y0"]["values"]) == (2, 2)


def test_a_picture(striate: Call, picture: Path) -> None:
    whole = striate("layers", "step", "conv", "--picture", picture, "--padding", "same", "--json")
    assert np.shape(whole.lines[0]["boards"]["x0"]["values"]) == (14, 10)  # 12 × 8 with its padding
    region = ("--region", 3, 4, 5, 6)
    part = striate("layers", "step", "conv", "--picture", picture, *region, "--json").lines[0]
    assert part["boards"]["x0"]["values"] == grey_levels(read(picture))[3:8, 4:10].tolist()
    colour = ("--channels", "rgb", "--size", 6, "--kernel", "sharpen", "--json")
    found = striate("layers", "step", "conv", "--picture", picture, *colour).lines[0]
    assert found["boards"]["x2"]["title"] == "input blue"
    assert found["boards"]["w0.1"]["values"][1] == [-1, 5, -1]
    assert striate("layers", "step", "maxpool", "--picture", picture, "--size", 8, "--floor").code == 0


# -- what cannot be ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("conv --numbers '1 2; 3 4'", "kernel 3 is larger than the height of 2"),
        ("conv --kernel '1 2; 3 4' --padding same", "no middle"),
        (
            "conv --stride 3 --numbers '1 2 3 4 5; 1 2 3 4 5; 1 2 3 4 5'",
            r"does not fit.*\(5−3\)/3\+1 = 1.67",
        ),
        ("conv --numbers '1 2 x; 3 4 5; 6 7 8'", "'x', which is no number"),
        ("conv --numbers '1 2 3; 3 4'", "rows of 3, 2 numbers"),
        ("conv --numbers '1 inf 3'", "inf"),
        ("conv --numbers ';;'", "without numbers"),
        ("conv --kernel '1 a; 2 3'", "no kernel.*'a'"),
        ("conv --kernel sharpn", "unknown kernel 'sharpn'.*sharpen"),
        ("conv --kernel '1 1 | 1 1'", "2 kernel.* of 1 channels"),
        ("conv --kernel '1 1 | 1'", "one size for all"),
        ("conv --stride half", "whole number, or two"),
        ("conv --stride 0", "whole number from 1"),
        ("conv --padding -1", "whole number from 0"),
        ("conv --bias nan", "bias has nan"),
        ("conv --region 0 0 2 2", "without --picture"),
        ("conv --window 2", "conv has no --window.*--kernel"),
        ("conv --picture {picture} --numbers '1 2'", "both given"),
        ("conv --picture {picture} --region 0 0 2 2 --size 4", "both given"),
        ("conv --picture {picture} --region 55 0 9 9", "does not lie in"),
        ("conv --picture {picture} --size 0", "1 to 64"),
        ("conv --picture {picture} --size 64", "too many to walk.*--region"),
        ("maxpool --kernel box-blur", "maxpool has no --kernel"),
        ("maxpool --window 3", "does not fit"),
        ("maxpool --window 5", "larger than"),
        ("transposed --padding same", "a number"),
        ("transposed --padding 9", "less padding"),
        ("perceptron --numbers '1 2'", "2 inputs and 3 weights"),
        ("perceptron --activation softmax", "no softmax"),
        ("perceptron --activation rellu", "did you mean 'relu'"),
        ("backprop --numbers '1 2 3'", "3 inputs.*2, as the net takes"),
        ("backprop --label 2", "a class from 0 to 1"),
        ("backprop --rate 0", "above 0"),
        ("activation --activation softmax", "several numbers at once"),
        ("convolve", "conv"),
        ("conv --walk", "needs a terminal"),
    ],
)
def test_what_cannot_be_is_said(words: str, told: str, striate: Call, picture: Path) -> None:
    import shlex

    found = striate("layers", "step", *shlex.split(words.format(picture=picture)))
    assert (found.code, found.out.count("Step ")) == (2, 0)
    assert re.search(told, " ".join(found.err.split()))


def test_a_picture_that_is_not_there(striate: Call, tmp_path: Path) -> None:
    assert striate("layers", "step", "conv", "--picture", tmp_path / "gone.png").code == 3


def test_help(striate: Call) -> None:
    found = striate("layers", "step", "--help")
    assert found.code == 0
    assert "striate layers step KIND" in found.out
    assert "--html" in found.out


# -- on a terminal ----------------------------------------------------------------------------


def played(walk: Walk, answers: str = "") -> str:
    out = Terminal()
    output = Output(out=out, err=io.StringIO())
    terminal = StepsTerminal(output, walk, read=io.StringIO(answers).readline)
    terminal.walk() if answers else terminal.overview()
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())


def test_a_person_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    walk = walk_of("maxpool", StepRequest())
    found = re.findall(r"Step (\d) of 4", played(walk, "\nb\n3\nback\n9\n"))
    assert found == ["1", "2", "1", "3", "2", "4"]
    assert re.findall(r"Step (\d)", played(walk, "q\n")) == ["1"]
    assert re.findall(r"Step (\d)", played(walk, "\n\n\n\nnever\n")) == ["1", "2", "3", "4"]
    assert "gradient check passes" in " ".join(
        played(walk_of("backprop", StepRequest()), "28\n\n").split()
    )


def test_lines_fit_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        for kind in KINDS:
            wide = [
                line for line in played(walk_of(kind, StepRequest())).splitlines() if len(line) > columns
            ]
            assert not wide, (kind, columns, wide)
    monkeypatch.setenv("COLUMNS", "80")
    shown = played(walk_of("conv", StepRequest(padding="1")))
    assert "… and 9 more: --at N shows one" in shown
    assert "+ … + 1 = 5" in shown


# -- the page ---------------------------------------------------------------------------------


@every
def test_the_page_is_one_file_and_strict(kind: str) -> None:
    text = render_steps_page(walk_of(kind, StepRequest()))
    page = Page(text)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"https?://|\bsrc=|@import|url\(|\son\w+=", text)
    assert "prefers-reduced-motion" in text
    assert "prefers-color-scheme: dark" in text


@every
def test_the_page_has_every_cell_and_says_every_step(kind: str) -> None:
    walk = walk_of(kind, StepRequest())
    page = Page(render_steps_page(walk))
    drawn = {key for _, attrs in page.tags for key in (attrs.get("data-cell") or "").split()}
    assert drawn == {f"{c.board}:{c.row}:{c.column}" for board in walk.boards for c in board.cells()}
    steps = json.loads(page.scripts[0])
    used = {key for one in steps for equation in one["e"] for term in equation["t"] for key in term[1:]}
    assert used | {key for one in steps for key in one["w"]} <= drawn
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == [f"#step-{place}" for place in range(1, len(walk.steps) + 1)]
    for tag, attrs in page.tags:
        if tag in ("button", "input", "svg") and attrs.get("aria-hidden") != "true":
            assert attrs.get("aria-label"), (tag, attrs)


def test_a_picture_s_page_shows_its_grey_levels(picture: Path) -> None:
    walk = walk_of("conv", StepRequest(picture=picture, size=5, padding="same"))
    level = int(walk.board("x0").values[1, 1])
    assert f"background:rgb({level},{level},{level})" in render_steps_page(walk)


def test_an_unknown_kind_from_python() -> None:
    with pytest.raises(UsageError, match="did you mean 'conv'"):
        walk_of("con", StepRequest())
