from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from striate.cli.output import Output
from striate.cli.people import Lines, bar, cut, cut_front
from striate.runs.run import Run
from striate.verbs.model import load


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


MakeRun = Callable[..., Run]


@pytest.fixture(params=[80, 44])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    monkeypatch.setenv("TERM", "xterm")
    found: int = request.param
    return found


def screen(run: Run, *paths: Path, top: int | None = None) -> tuple[list[str], str]:
    """What stands on stdout and on stderr, without colours."""
    out, err = Terminal(), Terminal()
    model = load(run)
    lines = Lines(Output(out=out, err=err), model.names, top)
    for answer in model.predict_files(paths):
        lines.add(answer)
    lines.close()
    plain = [re.sub(r"\x1b\[[0-9;?]*m", "", text.getvalue()) for text in (out, err)]
    return plain[0].splitlines(), plain[1]


def test_many(make_run: MakeRun, coloured: Path, columns: int) -> None:
    lines, talk = screen(make_run(), coloured)
    assert [line.split()[0] for line in lines] == ["blue"] * 2 + ["green"] * 2 + ["unreadable"] + [
        "red"
    ] * 2
    assert max(cell_len(line) for line in lines) <= columns
    assert all(line.rstrip().endswith(".png") for line in lines if "unreadable" not in line)
    assert ("█" in lines[0]) == (columns == 80)
    assert talk == "7 pictures, 1 unreadable\n"


def test_unknown(make_run: MakeRun, coloured: Path, columns: int) -> None:
    run = make_run(reject_threshold=1.5)
    lines, talk = screen(run, coloured / "red")
    assert [line.split()[0] for line in lines] == ["unknown", "unknown"]
    assert "2 unknown" in talk
    lines, _ = screen(run, coloured / "red/0.png")
    assert "unknown" in lines[1]


def test_one_in_detail(make_run: MakeRun, coloured: Path, columns: int) -> None:
    lines, talk = screen(make_run(), coloured / "red/0.png")
    assert [line.split()[0] for line in lines[1:]] == ["red", "green", "blue"]
    assert max(cell_len(line) for line in lines) <= columns
    assert talk == ""


def test_the_best_of_each(make_run: MakeRun, coloured: Path, columns: int) -> None:
    lines, _ = screen(make_run(), coloured / "red", top=2)
    assert [line.split()[0] for line in lines if line.startswith("  ")] == ["red", "green"] * 2


def test_numbers(make_run: MakeRun, coloured: Path, columns: int) -> None:
    lines, talk = screen(make_run("regress"), coloured / "blue", coloured / "green/broken.jpg")
    assert max(cell_len(line) for line in lines) <= columns
    if columns == 80:
        assert lines[0].split() == ["redness", "greenness"]
        assert lines[1].startswith("5 (-5 to 15)            25 (5 to 45)")
    else:
        assert "redness" in lines[1]
    assert talk == "3 pictures, 1 unreadable\n"
    lines, _ = screen(make_run("regress", name="two"), coloured / "blue/0.png")
    assert lines[1].split() == ["redness", "5", "(-5", "to", "15)"]


def test_names_cannot_paint_the_terminal(make_run: MakeRun, coloured: Path, columns: int) -> None:
    name = os.fsdecode(b"a\x1b[2J\xff[red].png")
    (coloured / "red/0.png").rename(coloured / "red" / name)
    lines, _ = screen(make_run(), coloured / "red")
    assert any("\\x1b[2J\\xff[red].png" in line for line in lines)


def test_a_single_bad_file(make_run: MakeRun, coloured: Path, columns: int) -> None:
    lines, talk = screen(make_run(), coloured / "green/broken.jpg")
    assert lines == []
    assert "error:" in talk
    assert "hint:" in talk


def test_widths() -> None:
    assert cut("abc", 5) == "abc  "
    assert cut("abcdef", 4) == "abc…"
    assert cell_len(cut("日本語日本語", 7)) == 7
    assert cut_front("a/b/c.jpg", 6) == "…c.jpg"
    assert cut_front("c.jpg", 6) == "c.jpg"
    assert [len(bar(share, 10)) for share in (0.0, 0.001, 0.5, 1.0, 1.0001)] == [10] * 5
    assert bar(0.0, 3).strip() == ""
