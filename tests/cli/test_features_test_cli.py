from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.pictures import write

Striate = Callable[..., Any]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    return write(picture, tmp_path / "photo.png")


QUICK = ("--kinds", "harris,dog", "--changes", "gain,scale", "--limit", "60")


def test_the_table_and_the_page(striate: Striate, photo: Path, tmp_path: Path) -> None:
    done = striate("features", "test", photo, "--out", tmp_path / "report", *QUICK)
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0][:2] == ["repeatability", "chance"]
    assert {row[0] for row in rows[1:]} == {"harris", "dog"}
    assert all(re.fullmatch(r"[01]\.\d\d", row[1]) for row in rows[1:])
    assert float(rows[1][3]) >= float(rows[2][3])  # the best first
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Good features in photo.png" in page
    assert 'id="light-gain"' in page
    assert "<script" not in page
    assert "report.html" in done.err


def test_json_is_the_file_that_is_written(striate: Striate, photo: Path, tmp_path: Path) -> None:
    done = striate("features", "test", photo, "--out", tmp_path / "report", *QUICK, "--json")
    (line,) = done.lines
    assert done.err == ""
    assert line == json.loads((tmp_path / "report" / "report.json").read_text())
    assert line["names"] == [str(photo)]
    assert {row["detector"] for row in line["detectors"]} == {"harris", "dog"}
    assert len(line["scores"]) == 2 * (4 + 5)
    assert line["settings"]["limit"] == 60


def test_a_folder_with_a_broken_file(striate: Striate, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8 torn")
    done = striate("features", "test", tmp_path, "--out", tmp_path / "report", *QUICK)
    assert done.code == 0
    assert "left out" in done.err
    assert "torn.jpg" in done.err


def test_only_so_many_pictures(striate: Striate, photo: Path, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"copy{number}.png").write_bytes(photo.read_bytes())
    done = striate(
        "features", "test", tmp_path, "--out", tmp_path / "r", *QUICK, "--at-most", 2, "--json"
    )
    assert [Path(name).name for name in done.lines[0]["names"]] == ["copy0.png", "copy2.png"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--kinds", "harrys"), 2, "did you mean 'harris'"),
        (("--changes", "size"), 2, "unknown change"),
        (("--overlap", "0.9"), 2, "overlap"),
        (("--at-most", "0"), 2, "at most 0"),
        (("--limit", "0"), 2, "limit"),
    ],
)
def test_what_cannot_be(
    striate: Striate, photo: Path, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    done = striate("features", "test", photo, "--out", tmp_path / "report", *words)
    assert done.code == code
    assert told in done.err
    assert not (tmp_path / "report").exists()


def test_an_earlier_report_is_not_written_over(striate: Striate, photo: Path, tmp_path: Path) -> None:
    words = ("features", "test", photo, "--out", tmp_path / "report", *QUICK)
    assert striate(*words).code == 0
    done = striate(*words)
    assert done.code == 2
    assert "--overwrite" in done.err
    assert striate(*words, "--overwrite").code == 0


def test_nothing_to_test(striate: Striate, tmp_path: Path) -> None:
    assert striate("features", "test", "--out", tmp_path / "r").code == 2
    done = striate("features", "test", tmp_path / "none.png", "--out", tmp_path / "r")
    assert done.code == 3
    assert "could be read" in done.err
    (tmp_path / "empty").mkdir()
    assert striate("features", "test", tmp_path / "empty", "--out", tmp_path / "r").code == 3
