"""The sheet shows what training would see: sizes, labels, shares, boxes where they went."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.errors import LayoutError, MissingExtraError, SettingError, UsageError
from striate.pictures.read import read
from striate.pictures.write import write
from striate.verbs.data.augment import augment
from striate.verbs.data.sheet_of_variants import Cell, draw_sheet


def test_a_sheet_has_a_row_a_picture_and_the_original_first() -> None:
    found = augment("digits", pictures=3, variants=4, rotate_deg=20.0)
    assert [len(row) for row in found.rows] == [5, 5, 5]
    assert len({row[0].words for row in found.rows}) == 3  # kinds take turns
    for row in found.rows:
        assert {cell.words for cell in row} == {row[0].words}
        assert any((cell.picture != row[0].picture).any() for cell in row[1:])
    assert "turned by up to 20°" in found.words
    assert found.settings["rotate_deg"] == 20.0
    sheet = found.picture()
    assert sheet.ndim == 3
    assert sheet.dtype == np.uint8
    again = augment("digits", pictures=3, variants=4, rotate_deg=20.0)
    np.testing.assert_array_equal(again.picture(), sheet)


def test_versions_are_those_of_a_training() -> None:
    from striate.nn.augment.augmenter import Augmenter
    from striate.nn.augment.presets import resolve
    from striate.nn.augment.settings import AugmentSettings

    found = augment("digits", pictures=2, variants=2, augment="heavy", mixup=0.0, cutmix=0.0)
    pixels = np.stack([row[0].picture for row in found.rows])
    settings = resolve(
        AugmentSettings.parse({"augment": "heavy", "mixup": 0.0, "cutmix": 0.0}),
        size_hw=pixels.shape[1:3],
        grey=True,
    )
    augmenter = Augmenter(settings, pixels.shape[1:3], seed=0)
    trained = augmenter.apply(pixels, augmenter.plan(1, np.arange(2))).round().byte()
    for row, one in zip(found.rows, trained, strict=True):
        np.testing.assert_array_equal(row[2].picture, one.permute(1, 2, 0))


def test_shares_of_mixed_pictures_are_told() -> None:
    found = augment("digits", pictures=3, variants=6, mixup=1.0)
    mixed = [cell.words for row in found.rows for cell in row[1:] if "+" in cell.words]
    assert mixed
    for words in mixed:
        parts = [float(part.split()[0]) for part in words.split("\n+ ")]
        assert sum(parts) == pytest.approx(1, abs=0.011)
        assert parts[0] >= parts[1]


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A red ellipse on black in each picture, and a table of where: what a moved box stands around."""
    rows = ["path,label,x0,y0,x1,y1"]
    rng = np.random.default_rng(0)
    for number in range(6):
        picture = np.zeros((96, 128, 3), np.uint8)
        x, y = rng.integers(20, 70), rng.integers(15, 50)
        down, across = np.mgrid[-1:1:30j, -1:1:36j]
        picture[y : y + 30, x : x + 36][down**2 + across**2 <= 1] = (250, 10, 10)
        write(picture, tmp_path / f"{number}.png")
        rows.append(f"{number}.png,square,{x},{y},{x + 36},{y + 30}")
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_boxes_are_drawn_where_their_objects_went(squares: Path) -> None:
    """It is where its box is, in every version."""
    found = augment(
        squares, task="detect", pictures=4, variants=5,
        rotate_deg=15.0, perspective=0.3, elastic=0.02, colour=0.0,
    )  # fmt: skip
    checked = 0
    for row in found.rows:
        for cell in row:
            assert cell.boxes_xyxy is not None
            if not len(cell.boxes_xyxy):
                continue
            assert cell.words == "square"
            red = cell.picture[..., 0].astype(int) - cell.picture[..., 1] > 120
            y, x = np.nonzero(red)
            hull = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
            assert np.abs(hull - cell.boxes_xyxy[0]).max() < 2
            checked += 1
    assert checked > 12


def test_numbers_stay_with_their_pictures(squares: Path) -> None:
    found = augment(squares, task="regress", target=["x0"], pictures=2, variants=2)
    for row in found.rows:
        assert len({cell.words for cell in row}) == 1
        assert row[0].words.startswith("x0 ")
    assert not found.notes
    (note,) = augment(
        squares, task="regress", target=["x0"], pictures=2, variants=2, flip="horizontal"
    ).notes
    assert note.startswith("x0 stays as labelled, although pictures are mirrored")


# -- whatever labels are there ----------------------------------------------------------------


def grey(path: Path, value: int, size_hw: tuple[int, int] = (40, 60)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write(np.full((*size_hw, 3), value, np.uint8), path)


@pytest.mark.parametrize(("unit", "labels"), [(1.5, "numbers"), (1, "classes")])
def test_a_table_of_measured_values_has_no_classes(tmp_path: Path, unit: float, labels: str) -> None:
    for number in range(4):
        grey(tmp_path / f"p{number}.png", 40 * number)
    lines = [f"p{number}.png,{number * unit}" for number in range(4)]
    (tmp_path / "truth.csv").write_text("\n".join(["path,yaw", *lines]), "utf-8")
    found = augment(tmp_path, pictures=2, variants=2, flip="horizontal")
    assert found.labels == labels
    assert any("stays as labelled" in note for note in found.notes) == (labels == "numbers")


@pytest.mark.parametrize("task", [None, "classify", "detect", "regress"])
@pytest.mark.parametrize("many", [1, 3])
def test_pictures_need_no_labels(tmp_path: Path, task: str | None, many: int) -> None:
    for number in range(many):
        grey(tmp_path / f"p{number}.png", 40 * number)
    for source in (tmp_path, tmp_path / "p0.png", tmp_path / "p*.png"):
        found = augment(source, task=task, pictures=2, variants=2, rotate_deg=5.0)
        assert len(found.rows) == min(2, 1 if source.name == "p0.png" else many)
        assert found.labels == "none"
        assert "No labels" in found.notes[0]
        assert all(cell.words == row[0].words for row in found.rows for cell in row)
        assert found.rows[0][0].words.startswith("p")
        assert found.task == (task or "classify")


def test_those_without_a_label_stand_among_those_with_one(tmp_path: Path) -> None:
    for number, name in enumerate(("cat/a.png", "cat/b.png", "dog/c.png", "d.png", "e.png")):
        grey(tmp_path / name, 40 * number)
    found = augment(tmp_path, pictures=5, variants=1)
    assert sorted(row[0].words for row in found.rows) == ["cat", "cat", "dog", "no label", "no label"]
    assert found.notes == ("2 of 5 pictures have no label.",)


def test_one_class_is_enough(tmp_path: Path) -> None:
    for number in range(3):
        grey(tmp_path / "cat" / f"{number}.png", 40 * number)
    found = augment(tmp_path, pictures=3, variants=1)
    assert {cell.words for row in found.rows for cell in row} == {"cat"}


def test_boxes_are_found_unasked(squares: Path) -> None:
    found = augment(squares, pictures=2, variants=1)
    assert (found.task, found.labels, found.notes) == ("detect", "boxes", ())
    assert all(len(row[0].boxes_xyxy) == 1 for row in found.rows if row[0].boxes_xyxy is not None)


def test_masks_go_where_their_pictures_go(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in range(3):
        picture = np.zeros((96, 96, 3), np.uint8)
        y, x = rng.integers(25, 45, 2)
        picture[y : y + 26, x : x + 22] = (250, 10, 10)
        write(picture, tmp_path / "images" / f"{number}.png")
        Image.fromarray((picture[..., 0] > 0).astype(np.uint8)).save(
            tmp_path / "masks" / f"{number}.png"
        )
    (tmp_path / "classes.json").write_text('{"ground": 0, "square": 1}')
    found = augment(
        tmp_path, pictures=3, variants=4, rotate_deg=20.0, perspective=0.2, elastic=0.02,
        colour=0.0, erase=0.0,
    )  # fmt: skip
    assert found.labels == "masks"
    assert found.rows[0][0].words == "ground, square"
    for row in found.rows:
        for cell in row:
            assert cell.class_map is not None
            red = cell.picture[..., 0].astype(int) - cell.picture[..., 1] > 120
            own = cell.class_map == 1
            assert (red & own).sum() / (red | own).sum() > 0.95
    assert (found.rows[0][0].class_map != found.rows[0][1].class_map).any()
    with pytest.raises(UsageError, match="augmix"):
        augment(tmp_path, policy="augmix")


def test_a_folder_without_pictures_and_no_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(LayoutError, match="no pictures"):
        augment(tmp_path)
    with pytest.raises(LayoutError, match="digits"):
        augment("digts")


@pytest.mark.parametrize(
    "asked",
    [
        {"policy_ops": 2},
        {"policy": "augmix", "policy_magnitude": 20.0},
        {"task": "detect", "mixup": 0.2},
    ],
)
def test_what_cannot_go_together_is_refused_before_anything_is_read(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as found:
        augment("nowhere", **asked)
    assert not isinstance(found.value, LayoutError)
    assert "nowhere" not in str(found.value)


@pytest.mark.parametrize("name", ["sheet.png", "sheet.html"])
def test_it_is_written_by_suffix(tmp_path: Path, name: str) -> None:
    found = augment("digits", pictures=2, variants=2, augment="none")
    path = found.save(tmp_path / name)
    if name.endswith("png"):
        np.testing.assert_array_equal(read(path), found.picture())
    else:
        page = path.read_text()
        assert page.count("<img") == 6
        assert "nothing is on" in page
        assert "<script" not in page
        assert 'scroll" tabindex="0" role="region" aria-label="' in page
    with pytest.raises(UsageError, match="exists already"):
        found.save(tmp_path / name)
    found.save(tmp_path / name, overwrite=True)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 64), (70, 3), (300, 20), (24, 500)])
def test_any_shape_is_drawn(size_hw: tuple[int, int]) -> None:
    cell = Cell(np.full((*size_hw, 3), 90, np.uint8), "a name that is much too long for so little room")
    sheet = draw_sheet("a", ["b"], [[cell, cell], [cell, cell]])
    assert min(sheet.shape[:2]) > 60


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"pictures": 0}, UsageError),
        ({"variants": 0}, UsageError),
        ({"seed": -1, "source": "nowhere"}, SettingError),
        ({"blur": -1}, SettingError),
        ({"policy_ops": 3}, SettingError),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        augment(**({"source": "digits", "pictures": 1, "variants": 1} | asked))


@pytest.mark.parametrize("asked", [{"policy": "augmix"}, {"mixup": 0.2}])
def test_what_boxes_cannot_follow_is_refused(squares: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(asked.values())) if "policy" in asked else "mixup"):
        augment(squares, task="detect", pictures=1, variants=1, **asked)


def test_without_torch_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.startswith("striate.verbs.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "striate.nn.recipe", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="train"):
        augment("digits", pictures=1, variants=1)
