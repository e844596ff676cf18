from __future__ import annotations

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.data import preparing
from striate.data.cache import PreparedSet, cache_home, evict, prepare_all
from striate.data.dataset import Dataset, Record
from striate.data.origins import ArrayOrigin, FileOrigin
from striate.errors import DataError, DiskError, MachineError
from striate.pictures import fit, read, write
from striate.types import Picture, Prepared

SIZE = (8, 10)


def halve(picture: Picture) -> Prepared:
    return fit(picture, SIZE, how="pad")


def photos(folder: Path, count: int) -> Dataset[tuple[str, ...]]:
    rng = np.random.default_rng(1)
    folder.mkdir()
    records = []
    for index in range(count):
        write(rng.integers(0, 256, (20, 31, 3), dtype=np.uint8), folder / f"{index}.png")
        records.append(Record(f"{index}.png", FileOrigin(folder / f"{index}.png"), ("a",)))
    return Dataset(tuple(records), ("a",), str(folder), "test")


def prepared(data: Dataset[Any], **changes: Any) -> PreparedSet:
    options: dict[str, Any] = {"at_least_hw": None, "key": "halve", "size_hw": SIZE} | changes
    return prepare_all(data, halve, **options)


@pytest.mark.parametrize("forked", [False, True])
def test_rows_are_what_prepare_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    monkeypatch.setattr(preparing, "_WORTH_FORKING", 1 if forked else 10**9)
    monkeypatch.setattr(preparing, "usable_cores", lambda: 3)
    data = photos(tmp_path / "in", 10)
    told: list[int] = []
    found = prepared(data, on_progress=told.append)
    assert told[-1] == 10
    assert found.kept.tolist() == list(range(10))
    for row, record in enumerate(data):
        expected = halve(record.origin.read())
        made = found.prepared(row)
        np.testing.assert_array_equal(made.pixels, expected.pixels)
        assert (made.size_hw, made.scale_yx, made.offset_yx) == (
            expected.size_hw,
            expected.scale_yx,
            expected.offset_yx,
        )
    assert isinstance(found.pixels, np.memmap)
    assert not found.pixels.flags.writeable


@pytest.mark.parametrize("forked", [False, True])
def test_what_cannot_be_read_is_listed_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    monkeypatch.setattr(preparing, "_WORTH_FORKING", 1 if forked else 10**9)
    data = photos(tmp_path / "in", 6)
    (tmp_path / "in" / "2.png").write_bytes(b"nonsense")
    (tmp_path / "in" / "4.png").unlink()
    for _ in range(2):  # built, then from the cache
        found = prepared(data)
        assert found.kept.tolist() == [0, 1, 3, 5]
        assert {problem.key for problem in found.problems} == {"2.png", "4.png"}
        assert all(problem.reason and problem.repair for problem in found.problems)
        np.testing.assert_array_equal(found.pixels[2], halve(read(tmp_path / "in" / "3.png")).pixels)
    for name in range(6):
        (tmp_path / "in" / f"{name}.png").write_bytes(b"nonsense")
    assert len(prepared(data)) == 0


def test_the_same_content_is_prepared_once_wherever_it_lies(tmp_path: Path) -> None:
    data = photos(tmp_path / "in", 4)
    prepared(data)
    (tmp_path / "in").rename(tmp_path / "moved")
    moved = Dataset(
        tuple(Record(r.key, FileOrigin(tmp_path / "moved" / r.key), r.target) for r in data),
        ("a",),
        "",
        "",
    )

    def never(picture: Picture) -> Prepared:
        raise AssertionError("prepared again")

    assert len(prepare_all(moved, never, at_least_hw=None, key="halve", size_hw=SIZE)) == 4
    with pytest.raises(AssertionError, match="again"):
        prepare_all(moved, never, at_least_hw=None, key="another", size_hw=SIZE)
    write(np.zeros((9, 9, 3), np.uint8), tmp_path / "moved" / "0.png", overwrite=True)
    assert prepared(moved).pixels[0].max() == 127  # black with grey bars: the new content


@pytest.mark.parametrize("damage", ["about.json", "pixels.bin", "rows.npy"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, damage: str) -> None:
    data = photos(tmp_path / "in", 3)
    before = np.array(prepared(data).pixels)
    folder = next((cache_home() / "prepared").iterdir())
    (folder / damage).write_bytes((folder / damage).read_bytes()[:-20])
    np.testing.assert_array_equal(prepared(data).pixels, before)


def test_rows_of_arrays_and_an_empty_set(rng: np.random.Generator) -> None:
    stored = rng.integers(0, 256, (5, 8, 10), dtype=np.uint8)
    records = tuple(Record(f"x/{i}", ArrayOrigin(stored, i, "x"), (0.0,)) for i in range(5))
    data = Dataset(records, ("v",), "x", "")
    found = prepared(data)
    np.testing.assert_array_equal(found.pixels[..., 1], stored)
    assert len(prepared(data.take([]))) == 0


def test_many_at_once_agree(tmp_path: Path) -> None:
    data = photos(tmp_path / "in", 8)
    found: list[PreparedSet] = []
    threads = [threading.Thread(target=lambda: found.append(prepared(data))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for one in found:
        np.testing.assert_array_equal(one.pixels, found[0].pixels)
    assert len(list((cache_home() / "prepared").iterdir())) == 1


def test_too_little_space_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photos(tmp_path / "in", 2)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("striate.data.cache.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DiskError, match="STRIATE_HOME"):
        prepared(data)
    assert not list((cache_home() / "prepared").iterdir())


def test_an_unwritable_home_is_a_disk_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(DiskError, match="cannot be kept"):
        prepared(photos(tmp_path / "in", 2))


def test_a_full_disk_is_an_error_and_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("striate.data.prepared.os.posix_fallocate", full)
    with pytest.raises(DiskError, match="No space left"):
        prepared(photos(tmp_path / "in", 2))
    assert not list((cache_home() / "prepared").iterdir())


def test_old_sets_make_room_for_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = photos(tmp_path / "in", 4)
    prepared(data, key="old")
    free = {"bytes": 1000}

    def usage(path: Path) -> Any:
        there = len(list((cache_home() / "prepared").iterdir()))
        return type("Usage", (), {"free": free["bytes"] if there else 10**9})

    monkeypatch.setattr("striate.data.cache.shutil.disk_usage", usage)
    assert len(prepared(data, key="new")) == 4
    assert len(list((cache_home() / "prepared").iterdir())) == 1


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    data = photos(tmp_path / "in", 5)
    before = np.array(prepared(data).pixels)
    (folder,) = (cache_home() / "prepared").iterdir()
    for name in ("pixels.bin", "rows.npy"):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 4
        (folder / name).write_bytes(content)
        np.testing.assert_array_equal(prepared(data).pixels, before)
    assert [path.name for path in (cache_home() / "prepared").iterdir()] == [folder.name]


def test_what_another_set_holds_is_not_prepared_again(tmp_path: Path) -> None:
    data = photos(tmp_path / "in", 6)
    prepared(data.take([4, 1, 0]))
    asked: list[Picture] = []

    def count(picture: Picture) -> Prepared:
        asked.append(picture)
        return halve(picture)

    found = prepare_all(data, count, at_least_hw=None, key="halve", size_hw=SIZE)
    assert len(asked) == 3
    for row, record in enumerate(data):
        expected = halve(record.origin.read())
        np.testing.assert_array_equal(found.pixels[row], expected.pixels)
        assert found.prepared(row).scale_yx == expected.scale_yx
    prepare_all(data.take([2]), count, at_least_hw=(4, 4), key="halve", size_hw=SIZE)
    assert len(asked) == 4  # another way to read is another preparation


def test_problems_name_the_files_of_today(tmp_path: Path) -> None:
    data = photos(tmp_path / "in", 3)
    (tmp_path / "in" / "1.png").write_bytes(b"nonsense")
    prepared(data)
    renamed = tuple(Record(f"new-{r.key}", r.origin, r.target) for r in data)
    found = prepared(Dataset(renamed, ("a",), "", ""))
    assert [problem.key for problem in found.problems] == ["new-1.png"]
    with pytest.raises(DataError, match=r"1 of 3 .* new-1\.png"):
        prepared(Dataset(renamed, ("a",), "", ""), unreadable="fail")
    assert len(prepared(data.take([0, 2]), unreadable="fail")) == 2


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path: Path) -> None:
    root = cache_home() / "prepared"
    for name, age in ((".building-old", 2 * 24 * 3600), (".building-new", 60)):
        (root / name).mkdir(parents=True)
        (root / name / "pixels.bin").write_bytes(b"x")
        for path in (root / name / "pixels.bin", root / name):
            os.utime(path, (time.time() - age, time.time() - age))
    assert evict(10**9) == []
    assert [path.name for path in root.iterdir()] == [".building-new"]


@pytest.mark.parametrize("forked", [False, True])
def test_a_fault_in_prepare_is_raised_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    monkeypatch.setattr(preparing, "_WORTH_FORKING", 1 if forked else 10**9)
    monkeypatch.setattr(preparing, "usable_cores", lambda: 2)
    data = photos(tmp_path / "in", 4)

    def wrong(picture: Picture) -> Prepared:
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError, match="ours"):
        prepare_all(data, wrong, at_least_hw=None, key="k", size_hw=SIZE)
    with pytest.raises(ValueError, match=r"prepare made \(8, 10, 3\)"):
        prepare_all(data, halve, at_least_hw=None, key="k", size_hw=(9, 9))
    assert not list((cache_home() / "prepared").iterdir())


def test_children_that_hang_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_WORTH_FORKING", 1)
    monkeypatch.setattr(preparing, "usable_cores", lambda: 2)
    monkeypatch.setattr(preparing, "_STALLED_S", 0.2)
    parent = os.getpid()

    def stuck(picture: Picture) -> Prepared:
        while os.getpid() != parent:
            time.sleep(1)
        return halve(picture)

    data = photos(tmp_path / "in", 3)
    assert len(prepare_all(data, stuck, at_least_hw=None, key="k", size_hw=SIZE)) == 3


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    data = photos(tmp_path / "in", 4)
    folders = []
    for index in range(3):
        prepared(data, key=str(index))
        new = {f.name for f in (cache_home() / "prepared").iterdir()} - set(folders)
        folders.append(new.pop())
        about = cache_home() / "prepared" / folders[-1] / "about.json"
        json.loads(about.read_text())
        os.utime(about, (1000 + index, 1000 + index))
    one = sum(f.stat().st_size for f in (cache_home() / "prepared" / folders[0]).iterdir())
    assert evict(2 * one + 10) == [folders[0]]
    assert evict(0, keep=folders[2]) == [folders[1]]


def test_a_child_that_dies_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_WORTH_FORKING", 1)
    monkeypatch.setattr(preparing, "usable_cores", lambda: 2)

    def crash(picture: Picture) -> Prepared:
        os._exit(11)

    with pytest.raises(MachineError, match="ended with 11"):
        prepare_all(photos(tmp_path / "in", 3), crash, at_least_hw=None, key="k", size_hw=SIZE)
