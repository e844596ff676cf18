from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from striate.cli.output import Output
from striate.cli.reporting import check_free, tell_problems, tell_report
from striate.errors import UsageError
from striate.types import Problem


def test_a_file_that_is_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.json").touch()
    check_free(None, ["b.json"], overwrite=False)
    check_free(tmp_path, ["a.html"], overwrite=False)
    check_free(tmp_path, ["a.html", "b.json"], overwrite=True)
    with pytest.raises(UsageError, match=r"b\.json exists"):
        check_free(tmp_path, ["a.html", "b.json"], overwrite=False)


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "deeper" / "still"):
        with pytest.raises(UsageError, match="is a file"):
            check_free(out, ["a.html"], overwrite=True)


def test_a_report_is_sentences_or_json() -> None:
    out, err = io.StringIO(), io.StringIO()
    page = Path("x/report.html")
    tell_report(Output(out=out, err=err), "Title", ["One.", "Two."], {"a": 1}, page)
    assert out.getvalue() == "Title\n  One.\n  Two.\n"
    assert "x/report.html" in err.getvalue()
    out, err = io.StringIO(), io.StringIO()
    tell_report(Output(json=True, out=out, err=err), "Title", ["One."], {"a": 1}, None)
    assert json.loads(out.getvalue()) == {"a": 1, "report": None}
    assert err.getvalue() == ""


def test_the_first_few_problems_are_told() -> None:
    err = io.StringIO()
    many = [Problem("unreadable", "error", f"{number}.png", "it is torn", "") for number in range(7)]
    noted = Problem("small", "note", "n.png", "is small", "")
    tell_problems(Output(out=io.StringIO(), err=err), [noted, *many])
    lines = err.getvalue().splitlines()
    assert lines[0] == "left out: 0.png: it is torn"
    assert lines[5:] == ["… and 2 more; --json lists all"]
