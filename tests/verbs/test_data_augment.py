"""The sheet shows what training would see: sizes, labels, shares, boxes where they went."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import MissingExtraError, SettingError, UsageError
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
    """A red rectangle on black in each picture, and a table of where."""
    rows = ["path,label,x0,y0,x1,y1"]
    rng = np.random.default_rng(0)
    for number in range(6):
        picture = np.zeros((96, 128, 3), np.uint8)
        x, y = rng.integers(20, 70), rng.integers(15, 50)
        picture[y : y + 30, x : x + 36] = (250, 10, 10)
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
