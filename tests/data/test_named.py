"""What the name of an embedded set means where something else is called the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from striate.data.boxes.read import is_boxes, read_boxes
from striate.data.dataset import Dataset
from striate.data.guess import read_labels, read_values
from striate.data.masks.read import is_masks
from striate.data.named import SAME_NAME, embedded_name
from striate.errors import LayoutError, UnknownNameError

Save = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notes(dataset: Dataset[object]) -> list[str]:
    assert all(one.severity == "note" for one in dataset.problems)
    return [f"{one.reason}; {one.repair}" for one in dataset.problems if one.kind == SAME_NAME]


def test_a_name_alone_is_the_embedded_set(here: Path) -> None:
    assert embedded_name("digits") == "digits"
    assert notes(read_labels("digits")) == []
    assert embedded_name("digit") is None
    assert embedded_name("./digits") is None
    assert embedded_name(here / "digits") is None


def test_a_folder_with_pictures_wins(here: Path, save: Save) -> None:
    save("digits/a/1.png")
    save("digits/b/1.png")
    found = read_labels("digits")
    assert len(found) == 2
    assert notes(found) == [
        "the folder digits was read, not the embedded set of that name; for the other write "
        "embedded:digits"
    ]
    assert len(read_labels("embedded:digits")) == 1797
    assert len(read_labels("./digits")) == 2
    assert read_labels(here / "digits").problems == ()
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        read_labels("embedded:digit")


def test_an_empty_folder_does_not(here: Path) -> None:
    (here / "digits" / "inside").mkdir(parents=True)
    (here / "digits" / "README.md").write_text("nothing yet")
    found = read_labels("digits")
    assert len(found) == 1797
    assert notes(found) == [
        "the embedded set digits was read: what is called digits here is no data set; for what is "
        "here write ./digits"
    ]
    with pytest.raises(LayoutError):
        read_labels("./digits")


def test_neither_does_a_file_or_a_broken_link(here: Path) -> None:
    (here / "digits").write_text("0 1 2")
    (here / "scenes").symlink_to(here / "nowhere")
    assert len(read_labels("digits")) == 1797
    assert embedded_name("scenes") == "scenes"


@pytest.mark.parametrize("mark", ["run.toml", "unfinished.json"])
def test_neither_does_a_run_even_with_pictures_beside_it(here: Path, save: Save, mark: str) -> None:
    save("digits/why.png")
    (here / "digits" / mark).write_text("")
    (here / "digits" / "metrics.jsonl").write_text('{"number": 1, "loss": 2.0}\n')
    assert embedded_name("digits") == "digits"


def test_a_table_wins_only_if_it_names_pictures(here: Path, save: Save) -> None:
    save("elsewhere/1.png")
    save("elsewhere/2.png")
    (here / "digits").mkdir()
    table = here / "digits" / "all.csv"
    table.write_text("epoch,loss\n1,0.5\n2,0.4\n")
    assert len(read_labels("digits")) == 1797
    table.write_text("file,label,x\n../elsewhere/1.png,a,1\n../elsewhere/2.png,b,2\n")
    assert read_labels("digits", target_columns=["label"]).targets == [("a",), ("b",)]
    assert read_values("digits", target_columns=["x"]).targets == [(1.0,), (2.0,)]


def test_idx_files_win(here: Path) -> None:
    (here / "digits").mkdir()
    assert embedded_name("digits") == "digits"
    (here / "digits" / "train-images-idx3-ubyte").touch()
    assert embedded_name("digits") is None


def test_boxes_and_masks_follow_the_same_rule(here: Path, save: Save) -> None:
    (here / "scenes").mkdir()
    assert is_masks("scenes")
    assert not is_boxes("scenes")  # it has labels too
    (here / "scenes-boxes").mkdir()
    assert is_boxes("scenes-boxes")
    save("scenes-boxes/1.png")
    (here / "scenes-boxes" / "boxes.csv").write_text("1.png,1,1,5,5,ant\n")
    found = read_boxes("scenes-boxes")
    assert len(found) == 1
    assert len(notes(found)) == 1
    (here / "scenes-boxes" / "run.toml").write_text("")  # a run: but asked for by its layout it is read
    asked = read_boxes("scenes-boxes", layout="csv")
    assert len(asked) == 1
    assert "the folder scenes-boxes was read" in notes(asked)[0]
