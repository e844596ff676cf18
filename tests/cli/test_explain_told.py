"""What `striate explain RUN PICTURE…` says while it works."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from striate.cli.explain_told import Progress
from striate.cli.output import Output

Call = Callable[..., Any]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("watched", [False, True])
def test_a_bar_for_people_only(*, watched: bool, json: bool) -> None:
    err = Terminal() if watched else io.StringIO()
    progress = Progress(Output(json=json, out=io.StringIO(), err=err))

    def work() -> Iterator[Any]:
        for row in range(3):
            progress(row + 1, 3)
            yield row

    assert list(progress.each(work())) == [0, 1, 2]
    assert ("of 3 maps" in err.getvalue()) == (watched and not json)


def test_names_are_files_and_paths_where_they_clash(
    striate: Call, make_run: Callable[..., Any], coloured: Path, tmp_path: Path
) -> None:
    given = [coloured / "red" / "0.png", coloured / "red" / "1.png", coloured / "blue" / "0.png"]
    found = striate("explain", make_run().folder, *given, "--out", tmp_path / "out", "--no-check")
    assert found.code == 0, found.err
    asked = [line.partition(": why")[0] for line in found.out.splitlines() if ": why" in line]
    assert asked == ["0.png", "1.png", str(given[2])]
