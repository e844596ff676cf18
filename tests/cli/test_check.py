from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.pictures import write

Call = Callable[..., Any]


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """Class folders with a broken file, and a picture that is there twice under two labels."""
    rng = np.random.default_rng(1)
    root = tmp_path / "messy"
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for number in range(5):
            picture = np.kron(rng.integers(0, 256, (4, 5, 3)), np.ones((9, 9, 1))).astype(np.uint8)
            write(picture, root / name / f"{number}.png")
    shutil.copy(root / "cat/0.png", root / "cat/copy.png")
    shutil.copy(root / "cat/1.png", root / "dog/conflict.png")
    (root / "cat/broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    return root


def test_findings_for_machines(striate: Call, messy: Path) -> None:
    found = striate("data", "check", messy, "--json")
    assert (found.code, found.err, len(found.lines)) == (3, "", 1)
    report = found.lines[0]
    assert {"unreadable", "exact-duplicate", "label-conflict"} <= set(report["kinds"])
    for problem in report["problems"]:
        assert {"kind", "severity", "file", "reason", "repair"} <= set(problem)
    assert report["ok"] is False


def test_findings_for_people(striate: Call, messy: Path) -> None:
    found = striate("data", "check", messy)
    assert found.code == 3
    for words in (
        "cat 7, dog 6",
        "error: unreadable × 1",
        "cat/broken.jpg",
        "→ ",
        "warning: exact-duplicate",
    ):
        assert words in found.out
    assert "also cat/copy.png" in found.out.replace("\n    ", " ")
    assert "looking at 13 pictures" in found.err
    assert max(map(len, found.out.splitlines())) <= 100


def test_a_cleaned_list(striate: Call, messy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in messy.rglob("*") if path.is_file()}
    monkeypatch.chdir(messy.parent)
    found = striate("data", "check", messy, "--fix", "--json")
    assert found.code == 0
    assert found.lines[0]["manifest"]["kept"] == 9
    assert (messy.parent / "messy-clean.csv").is_file()
    assert {path: path.read_bytes() for path in before} == before
    assert striate("data", "check", "messy-clean.csv", "--json").code == 0
    assert striate("data", "check", messy, "--fix").code == 2  # it is there already
    found = striate("data", "check", messy, "--fix", "--overwrite", "--out", "messy-clean.csv")
    assert found.code == 0
    assert "kept      9 pictures" in found.out
    assert "striate train messy-clean.csv" in found.err


def test_nothing_to_mend(striate: Call, messy: Path) -> None:
    for name in ("cat/copy.png", "dog/conflict.png", "cat/broken.jpg"):
        (messy / name).unlink()
    found = striate("data", "check", messy)
    assert found.code == 0
    assert "error:" not in found.out


def test_a_table_of_numbers(striate: Call, messy: Path) -> None:
    table = messy / "ages.csv"
    table.write_text("file,age,size\ncat/0.png,3,1\ncat/1.png,4,2\ncat/2.png,x,3\n", "utf-8")
    found = striate("data", "check", table, "--task", "regress", "--target", "age", "--json")
    report = found.lines[0]
    assert report["names"] == ["age"]
    assert any(problem.get("line") == 4 for problem in report["problems"])


def test_what_is_refused(striate: Call, messy: Path, tmp_path: Path) -> None:
    assert striate("data", "check", messy, "--out", "x.csv").code == 2
    assert striate("data", "check", messy, "--task", "clasify").code == 2
    assert striate("data", "check", tmp_path / "nowhere").code == 3
    assert striate("data", "check", messy, "--fix", "--out", tmp_path / "x.zip").code == 2
