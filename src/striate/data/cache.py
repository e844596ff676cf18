"""Pictures prepared once, at training resolution, kept in a memory map.

    STRIATE_HOME/prepared/<key>/pixels.npy      uint8 (N, h, w, 3), read through the page cache: data
                                                larger than memory works
                                geometry.npy    how to undo the preparation, a row a picture
                                kept.npy        which records they are
                                about.json      written last: what is there is complete

The key is made of the records' content hashes and the name of the preparation: the same pictures are
prepared once, wherever they lie, and a changed file or setting is another key. A folder appears by
rename, so two processes at once do the work twice at worst.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.data.preparing import GEOMETRY_COLUMNS, Prepare, prepare_rows
from striate.errors import DiskError, PictureError
from striate.types import Array, PictureArray, Prepared, Problem, SizeHW

__all__ = ["DEFAULT_BYTES", "PreparedSet", "cache_home", "evict", "prepare_all"]

DEFAULT_BYTES = 20 * 2**30
"""Prepared sets beyond this are removed, the longest unused first."""
_ABOUT = "about.json"


def cache_home() -> Path:
    """`STRIATE_HOME`, or `~/.cache/striate`: everything that can be made again lies here."""
    return Path(os.environ.get("STRIATE_HOME") or Path.home() / ".cache" / "striate")


@dataclass(frozen=True, slots=True)
class PreparedSet:
    """The readable records of a data set, prepared.

    `pixels`: uint8 (N, h, w, 3), read-only, from a memory map. `geometry`: float64 (N, 6). `kept`:
    for each row, the index of its record in the data set. `problems`: the records left out, and why.
    """

    pixels: PictureArray
    geometry: Array
    kept: Array
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.kept)

    def prepared(self, row: int) -> Prepared:
        """Row `row` as `Task.prepare` made it."""
        height, width, *rest = self.geometry[row].tolist()
        scale_y, scale_x, offset_y, offset_x = rest
        return Prepared(
            np.asarray(self.pixels[row]),
            (int(height), int(width)),
            (scale_y, scale_x),
            (offset_y, offset_x),
        )


def prepare_all(
    dataset: Dataset[Any],
    prepare: Prepare,
    *,
    at_least_hw: SizeHW | None,
    key: str,
    size_hw: SizeHW,
    on_progress: Callable[[int], None] | None = None,
    home: Path | None = None,
) -> PreparedSet:
    """Every readable picture of `dataset`, read at `at_least_hw` and put through `prepare`.

    `key` must name everything that `prepare` depends on; `size_hw` is the size of what it makes.
    `on_progress` is told how many records are done. A `DiskError` says what is needed and what is
    free before anything is written.
    """
    records, hashes, problems = _hashed(dataset.records)
    folder = (home or cache_home()) / "prepared" / _key(hashes, key, size_hw)
    found = _open(folder, len(records), size_hw)
    if found is None:
        _build(folder, [dataset.records[i] for i in records], prepare, at_least_hw, size_hw, on_progress)
        found = _open(folder, len(records), size_hw)
        assert found is not None, "a cache that was just written must open"
        evict(DEFAULT_BYTES, home=home, keep=folder.name)
    if on_progress is not None:
        on_progress(len(dataset))
    rows = np.asarray(records, np.int64)
    return PreparedSet(found.pixels, found.geometry, rows[found.kept], (*problems, *found.problems))


def _hashed(records: Sequence[Record[Any]]) -> tuple[list[int], list[str], list[Problem]]:
    """Indices of the records that can be hashed, their hashes, and what is wrong with the rest."""
    indices: list[int] = []
    hashes: list[str] = []
    problems: list[Problem] = []
    for index, record in enumerate(records):
        try:
            hashes.append(record.origin.content_hash())
            indices.append(index)
        except PictureError as error:
            problems.append(_unreadable(record.key, error.reason))
    return indices, hashes, problems


def _unreadable(key: str, reason: str) -> Problem:
    return Problem(
        "unreadable",
        "error",
        key,
        reason,
        "restore the file or remove it; it was left out",
    )


def _key(hashes: Sequence[str], key: str, size_hw: SizeHW) -> str:
    digest = hashlib.sha256(f"1 {key} {size_hw[0]}x{size_hw[1]}\n".encode())
    for one in hashes:
        digest.update(one.encode())
    return digest.hexdigest()[:32]


def _open(folder: Path, records: int, size_hw: SizeHW) -> PreparedSet | None:
    """What lies in `folder`, or None if it is missing, incomplete or damaged."""
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
        kept = np.load(folder / "kept.npy", allow_pickle=False)
        geometry = np.load(folder / "geometry.npy", allow_pickle=False)
        pixels: PictureArray
        if len(kept):
            pixels = np.load(folder / "pixels.npy", mmap_mode="r", allow_pickle=False)
        else:
            pixels = np.zeros((0, *size_hw, 3), np.uint8)
        problems = tuple(_unreadable(key, reason) for key, reason in about["unreadable"])
        os.utime(folder / _ABOUT)  # when it was last of use
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    whole = (
        pixels.shape == (len(kept), *size_hw, 3)
        and pixels.dtype == np.uint8
        and geometry.shape == (len(kept), GEOMETRY_COLUMNS)
        and kept.ndim == 1
        and len(kept) + len(problems) == records
    )
    return PreparedSet(pixels, geometry, kept, problems) if whole else None


def _build(
    folder: Path,
    records: Sequence[Record[Any]],
    prepare: Prepare,
    at_least_hw: SizeHW | None,
    size_hw: SizeHW,
    on_progress: Callable[[int], None] | None,
) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _require_space(folder.parent, len(records) * size_hw[0] * size_hw[1] * 3)
        partial = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            _fill(partial, records, prepare, at_least_hw, size_hw, on_progress)
            shutil.rmtree(folder, ignore_errors=True)  # what could not be opened
            try:
                partial.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was first, with the same content
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise DiskError(
            f"prepared pictures cannot be kept in {folder.parent}: {error.strerror or error}",
            remedy="free some space, or set STRIATE_HOME to a folder on another disk",
        ) from error


def _fill(
    partial: Path,
    records: Sequence[Record[Any]],
    prepare: Prepare,
    at_least_hw: SizeHW | None,
    size_hw: SizeHW,
    on_progress: Callable[[int], None] | None,
) -> None:
    shape = (len(records), *size_hw, 3)
    if records:
        pixels: PictureArray = np.lib.format.open_memmap(
            partial / "pixels.npy", mode="w+", dtype=np.uint8, shape=shape
        )
    else:
        pixels = np.zeros(shape, np.uint8)
    geometry = np.zeros((len(records), GEOMETRY_COLUMNS))
    failures = prepare_rows(
        records,
        prepare,
        pixels,
        geometry,
        at_least_hw=at_least_hw,
        on_progress=on_progress,
        scratch=partial,
    )
    good = np.array([row for row in range(len(records)) if row not in failures], np.int64)
    if failures:
        pixels = _compact(partial, pixels, good)
    if isinstance(pixels, np.memmap):
        pixels.flush()
    np.save(partial / "geometry.npy", geometry[good], allow_pickle=False)
    np.save(partial / "kept.npy", good, allow_pickle=False)
    about = {"unreadable": [[records[row].key, failures[row]] for row in sorted(failures)]}
    (partial / _ABOUT).write_text(json.dumps(about), "utf-8")


def _compact(partial: Path, pixels: PictureArray, good: Array) -> PictureArray:
    """The file without the rows that could not be read."""
    target = partial / "pixels.npy"
    if not len(good):
        target.unlink(missing_ok=True)
        return pixels[:0]
    shorter = partial / "shorter.npy"
    out: PictureArray = np.lib.format.open_memmap(
        shorter, mode="w+", dtype=np.uint8, shape=(len(good), *pixels.shape[1:])
    )
    for row, source in enumerate(good):
        out[row] = pixels[source]
    shorter.replace(target)
    return out


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed * 1.02 + 2**20:
        raise DiskError(
            f"prepared pictures need {needed / 2**20:.0f} MB in {folder}",
            expected=f"no more than the {free / 2**20:.0f} MB that are free",
            remedy="free some space, choose a smaller --size, or set STRIATE_HOME to another disk",
        )


def evict(most_bytes: int, *, home: Path | None = None, keep: str = "") -> list[str]:
    """Remove prepared sets, the longest unused first, until they take at most `most_bytes`.

    `keep` names one that stays. Returns the names of those removed. A set that another process has
    mapped stays readable to it.
    """
    root = (home or cache_home()) / "prepared"
    sets: list[tuple[float, int, Path]] = []
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            size = sum(file.stat().st_size for file in folder.iterdir())
            sets.append(((folder / _ABOUT).stat().st_mtime, size, folder))
        except OSError:
            continue  # being built, or gone
    total, removed = sum(size for _, size, _ in sets), []
    for _, size, folder in sorted(sets):
        if total <= most_bytes:
            break
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
            total -= size
    return removed
