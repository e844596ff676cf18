from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.errors import DataError, LabelError, LayoutError, UnknownNameError, UsageError
from striate.pictures import write
from striate.runs.run import Run

MakeRun = Callable[..., Run]


@pytest.fixture
def clean(coloured: Path) -> Path:
    (coloured / "green/broken.jpg").unlink()
    return coloured


def test_metrics_of_a_folder(make_run: MakeRun, clean: Path) -> None:
    write(np.full((8, 8, 3), (5, 25, 240), np.uint8), clean / "red" / "in-truth-blue.png")
    found = striate.evaluate(make_run().folder, clean)
    assert found["accuracy"] == pytest.approx(6 / 7)  # one of seven lies in the wrong folder
    low, high = found["accuracy_interval"]
    assert low < 6 / 7 < high
    assert {"top5", "ece", "per_class"} <= set(found)
    assert (found.split, found.pictures, found.seen_in_training) == ("all", 7, None)
    assert found.problems == ()
    line = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(line)["accuracy"] == found["accuracy"]
    assert found.summary()
    assert "accuracy" in found._repr_html_()


def test_a_table_of_numbers(make_run: MakeRun, clean: Path) -> None:
    rows = ["file,redness,greenness", "red/0.png,230,20", "blue/1.png,15,25"]
    table = clean / "truth.csv"
    table.write_text("\n".join(rows), "utf-8")
    found = striate.evaluate(make_run("regress").folder, table)
    assert found["mae"] == pytest.approx((10 / 2) / 2, abs=1e-3)  # red is 10 too high in one of two
    assert {"rmse", "r2", "coverage"} <= set(found)


def test_splits(make_run: MakeRun, clean: Path, tmp_path: Path) -> None:
    root = tmp_path / "divided"
    for split, name in (("train", "red"), ("train", "blue"), ("test", "green"), ("test", "red")):
        (root / split).mkdir(parents=True, exist_ok=True)
        (clean / name).rename(root / split / name) if (clean / name).exists() else write(
            np.full((5, 6, 3), (230, 20, 10), np.uint8), _made(root / split / name) / "x.png"
        )
    model = striate.load(make_run().folder)
    assert (model.evaluate(root).split, model.evaluate(root).pictures) == ("test", 3)
    assert model.evaluate(root, split="train").pictures == 4
    assert model.evaluate(root, split="all").pictures == 7
    with pytest.raises(LayoutError, match="validation"):
        model.evaluate(root, split="validation")
    with pytest.raises(UnknownNameError, match="auto"):
        model.evaluate(root, split="tset")  # type: ignore[arg-type]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_pictures_that_were_trained_on_are_counted(make_run: MakeRun, clean: Path) -> None:
    seen = [(clean / "red/0.png").read_bytes(), (clean / "blue/1.png").read_bytes(), b"another"]
    run = make_run(trained_on=seen)
    found = striate.evaluate(run.folder, clean)
    assert (found.pictures, found.seen_in_training) == (6, 2)
    found = striate.evaluate(run.folder, clean, unseen=True)
    assert (found.pictures, found.seen_in_training) == (4, 0)
    everything = [path.read_bytes() for path in clean.rglob("*.png")]
    with pytest.raises(DataError, match="trained on each"):
        striate.evaluate(make_run(name="all", trained_on=everything).folder, clean, unseen=True)
    with pytest.raises(UsageError, match="does not list"):
        striate.evaluate(make_run(name="none").folder, clean, unseen=True)


def test_an_unreadable_picture_is_left_out_and_told(make_run: MakeRun, coloured: Path) -> None:
    found = striate.evaluate(make_run().folder, coloured)
    assert found.pictures == 6
    assert [problem.key for problem in found.problems] == ["green/broken.jpg"]
    assert found.to_dict()["problems"][0]["kind"] == "unreadable"


def test_nothing_that_can_be_read(make_run: MakeRun, clean: Path) -> None:
    for path in clean.rglob("*.png"):
        path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(DataError):
        striate.evaluate(make_run().folder, clean)


def test_a_class_that_the_run_does_not_know(make_run: MakeRun, clean: Path) -> None:
    (clean / "red").rename(clean / "crimson")
    with pytest.raises(LabelError, match="crimson"):
        striate.evaluate(make_run().folder, clean)


def test_the_page(make_run: MakeRun, clean: Path, tmp_path: Path) -> None:
    found = striate.evaluate(make_run().folder, clean)
    page = found.report(tmp_path / "page.html")
    text = page.read_text("utf-8")
    assert "6 pictures of colours" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    with pytest.raises(UsageError, match="exists"):
        found.report(page)
    assert found.report(page, overwrite=True) == page
