"""Proposals are computed once, kept on disk, and survive damage and interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.tasks.detect import proposed
from striate.tasks.detect.proposed import Proposed
from striate.tasks.detect.proposing import MOST_PROPOSALS, proposals_of
from striate.types import Array


@pytest.fixture
def pixels(rng: np.random.Generator) -> Array:
    """Nineteen pictures of a few coloured blocks, the last like the first."""
    found = np.full((19, 32, 40, 3), 90, np.uint8)
    for one in found:
        y, x = rng.integers(0, 20, 2)
        one[y : y + 9, x : x + 12] = rng.integers(0, 256, 3)
    found[-1] = found[0]
    return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each call of the proposing was given."""
    given: list[int] = []

    def counted(pictures: Array) -> Array:
        given.append(len(pictures))
        return proposals_of(pictures)

    monkeypatch.setattr(proposed, "proposals_of", counted)
    return given


def test_each_picture_is_asked_once_ever(pixels: Array, calls: list[int], tmp_path: Path) -> None:
    first = Proposed()
    assert list(first.fill(pixels, tmp_path)) == [8, 16, 19]
    np.testing.assert_array_equal(first.of(pixels), proposals_of(pixels))
    again = Proposed()
    assert list(again.fill(pixels, tmp_path)) == []
    np.testing.assert_array_equal(again.of(pixels[::-1]), first.of(pixels)[::-1])
    assert sum(calls) == 19


def test_what_was_found_before_a_stop_is_kept(pixels: Array, calls: list[int], tmp_path: Path) -> None:
    work = Proposed().fill(pixels, tmp_path)
    assert next(work) == 8
    work.close()
    assert list(Proposed().fill(pixels, tmp_path)) == [17, 19]  # the last picture is the first again
    assert calls == [8, 8, 2]


@pytest.mark.parametrize("damage", ["empty", "torn", "shape", "nan", "pickle"])
def test_a_damaged_file_is_made_again(
    pixels: Array, calls: list[int], tmp_path: Path, damage: str
) -> None:
    list(Proposed().fill(pixels[:1], tmp_path))
    [file] = tmp_path.rglob("*.npy")
    if damage == "empty":
        file.write_bytes(b"")
    elif damage == "torn":
        file.write_bytes(file.read_bytes()[:-9])
    elif damage == "shape":
        np.save(file, np.zeros((3, 4), np.float32))
    elif damage == "nan":
        np.save(file, np.full((MOST_PROPOSALS, 4), np.nan, np.float32))
    else:
        np.save(file, np.array([{}], object), allow_pickle=True)
    again = Proposed()
    assert list(again.fill(pixels[:1], tmp_path)) == [1]
    np.testing.assert_array_equal(again.of(pixels[:1]), proposals_of(pixels[:1]))
    assert calls == [1, 1]
    assert np.load(file).shape == (MOST_PROPOSALS, 4)


def test_a_folder_that_cannot_be_written_costs_only_time(pixels: Array, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    found = Proposed()
    assert list(found.fill(pixels[:2], blocked)) == [2]
    np.testing.assert_array_equal(found.of(pixels[:2]), proposals_of(pixels[:2]))


def test_no_pictures_have_no_proposals(tmp_path: Path) -> None:
    none = np.zeros((0, 8, 8, 3), np.uint8)
    assert list(Proposed().fill(none, tmp_path)) == []
    assert Proposed().of(none).shape == (0, MOST_PROPOSALS, 4)
