from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.data.scenes import SceneSettings, write_scenes
from striate.features.parts import PartsModel
from striate.pictures import read, write

Striate = Callable[..., Any]

TINY = ("--parts", 2, "--cells", 20, "--rounds", 1)


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COCO folder as `striate data scenes` writes it."""
    settings = SceneSettings(size_hw=(96, 128), classes=("car",), objects=(1, 2))
    return write_scenes(tmp_path_factory.mktemp("marked") / "streets", n=10, seed=3, settings=settings)


@pytest.fixture(scope="module")
def model(streets: Path) -> Path:
    from striate.features.parts import PartsSettings
    from striate.verbs.features.parts import train_parts_model

    settings = PartsSettings(parts=2, cells=20, rounds=1)
    return train_parts_model(streets, "car", streets.parent / "car.npz", settings=settings).path


def test_training_on_a_coco_folder(striate: Striate, streets: Path, tmp_path: Path) -> None:
    out = tmp_path / "car.npz"
    done = striate("features", "train-parts", streets, "--label", "car", "--out", out, *TINY, "--json")
    assert done.code == 0
    (line,) = done.lines
    assert line["pictures"] == {"train": 8, "held_out": 2}
    truth = json.loads((streets / "annotations.json").read_text())["annotations"]
    assert sum(line["objects"].values()) == sum(row["category_id"] == 1 for row in truth)
    assert 0 <= line["average_precision"] <= 1
    assert len(line["parts"][0]) == 2
    assert PartsModel.load(out).label == "car"
    assert done.err == ""


def test_drawn_streets_by_name(striate: Striate, tmp_path: Path) -> None:
    out = tmp_path / "house.npz"
    words = ("features", "train-parts", "scenes", "--label", "car", "--out", out)
    done = striate(*words, "--pictures", 9, "--parts", 0, "--cells", 16)
    assert done.code == 0
    assert "A detector for car" in done.out
    assert "without parts" not in done.out
    assert "find-parts" in done.err
    again = striate(*words)
    assert again.code == 2
    assert "--overwrite" in again.err


def test_finding_and_drawing(striate: Striate, model: Path, streets: Path, tmp_path: Path) -> None:
    picture, out = streets / "pictures" / "00000.png", tmp_path / "found.png"
    done = striate(
        "features", "find-parts", model, picture, "--out", out, "--names", "hood,boot", "--json"
    )
    assert done.code == 0
    (line,) = done.lines
    assert line["objects"]
    assert {part["name"] for one in line["objects"] for part in one["parts"]} == {"hood", "boot"}
    assert line["drawn"] == str(out)
    drawn = read(out)
    assert drawn.shape[1] > 720  # the picture and the words beside it


def test_a_folder_of_pictures(striate: Striate, model: Path, streets: Path, tmp_path: Path) -> None:
    some = [streets / "pictures" / f"0000{number}.png" for number in range(3)]
    done = striate("features", "find-parts", model, *some, "--out", tmp_path / "drawn")
    assert done.code == 0
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 3
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert len(rows) >= 3
    assert all(row[1].startswith("car ") or row[1] == "nothing found" for row in rows)


def test_a_picture_that_cannot_be_read(striate: Striate, model: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"torn")
    blank = write(np.full((60, 80, 3), 9, np.uint8), tmp_path / "blank.png")
    done = striate("features", "find-parts", model, tmp_path / "torn.png", blank)
    assert done.code == 3
    assert "torn.png" in done.err
    assert done.out == f"{blank}\tnothing found\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("train-parts", "scenes", "--label", "cat", "--out", "x.npz"), 2, "unknown object class"),
        (("train-parts", "nowhere", "--label", "car", "--out", "x.npz"), 3, "annotations.json"),
        (("train-parts", "scenes", "--label", "car", "--out", "x.bin"), 2, ".npz"),
        (("train-parts", "scenes", "--label", "car", "--out", "x.npz", "--parts", "99"), 2, "parts"),
        (
            ("train-parts", "scenes", "--label", "car", "--out", "x.npz", "--pictures", "0"),
            2,
            "pictures",
        ),
        (("find-parts", "nothing.npz", "a.png"), 3, "cannot read"),
        (("find-parts", "nothing.npz"), 2, "no pictures"),
    ],
)
def test_what_cannot_be(
    striate: Striate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = striate("features", *words)
    assert done.code == code
    assert told in done.err
    assert not list(tmp_path.glob("x.*"))


def test_several_pictures_do_not_fit_in_one_file(
    striate: Striate, model: Path, streets: Path, tmp_path: Path
) -> None:
    done = striate("features", "find-parts", model, streets / "pictures", "--out", tmp_path / "one.png")
    assert done.code == 2
    assert "a folder" in done.err
    done = striate("features", "find-parts", model, streets / "pictures", "--names", "a")
    assert done.code == 2
    assert "1 names" in done.err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "not a COCO"),
        ("{torn", "not a COCO"),
        ('{"images": [], "categories": [], "annotations": []}', "unknown object class"),
        (
            '{"images": [{"id": 1, "file_name": "../../etc/passwd"}], "annotations": [], '
            '"categories": [{"id": 1, "name": "car"}]}',
            "not there",
        ),
    ],
)
def test_files_that_are_no_marks(striate: Striate, tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "annotations.json").write_text(content)
    done = striate("features", "train-parts", tmp_path, "--label", "car", "--out", tmp_path / "x.npz")
    assert done.code in (2, 3)
    assert told in done.err
