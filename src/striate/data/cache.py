"""Pictures prepared once, at training resolution, and kept under STRIATE_HOME/prepared/<key>/.

The key is made of the records' content hashes and the name of the preparation: the same pictures are
prepared once, wherever they lie, and a changed file or setting is another key. Pictures that another
set of the same preparation holds are copied from there: after removing ten files, or with another
split, next to nothing is decoded again. A folder appears by rename, so readers need no lock and two
processes at once do the work twice at worst.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from striate.cores import usable_cores
from striate.data.dataset import Dataset, Record
from striate.data.prepared import (
    ABOUT,
    ROW,
    PreparedSet,
    Stored,
    create_pixels,
    keep_rows,
    open_set,
    rows_agree,
    write_about,
)
from striate.data.preparing import Prepare, prepare_rows
from striate.errors import DataError, DiskError, PictureError
from striate.types import Array, PictureArray, Problem, SizeHW

__all__ = ["DEFAULT_BYTES", "PreparedSet", "cache_home", "evict", "prepare_all"]

DEFAULT_BYTES = 20 * 2**30
"""Prepared sets beyond this are removed, the longest unused first."""

ABANDONED_S = 24 * 3600
"""A folder that was being built and has not changed for so long was left by a killed process."""

MARGIN = 1.02, 2**20
"""Space for rows and names beside the pixels: a share and some bytes."""

PARTIAL = ".building-"
HASH_CHUNK = 64


def cache_home() -> Path:
    """`STRIATE_HOME`, or `~/.cache/striate`: everything that can be made again lies here."""
    named = os.environ.get("STRIATE_HOME", "")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "striate"


def prepare_all(
    dataset: Dataset[Any],
    prepare: Prepare,
    *,
    at_least_hw: SizeHW | None,
    key: str,
    size_hw: SizeHW,
    on_progress: Callable[[int], None] | None = None,
    home: Path | None = None,
    unreadable: Literal["skip", "fail"] = "skip",
) -> PreparedSet:
    """Every readable picture of `dataset`, read at `at_least_hw` and put through `prepare`.

    `key` must name everything that `prepare` depends on; `size_hw` is the size of what it makes.
    `on_progress` is told how many records are done. `unreadable`: leave out what cannot be read and
    list it in `problems`, or "fail" with a `DataError` that tells how many and the first. A
    `DiskError` says what is needed and what is free before anything is written.
    """
    hashes, failures = _hashed(dataset.records)
    job = _Job(
        [dataset.records[i] for i in hashes],
        list(hashes.values()),
        _preparation(key, size_hw, at_least_hw),
        size_hw,
        (home or cache_home()) / "prepared",
    )
    stored = open_set(job.folder)
    if stored is None:
        tell = on_progress or (lambda done: None)
        stored = _build(job, prepare, at_least_hw, lambda done: tell(done + len(failures)))
        evict(DEFAULT_BYTES, home=home, keep=job.folder.name)
    else:
        os.utime(job.folder / ABOUT)  # when it was last of use
    if on_progress is not None:
        on_progress(len(dataset))
    numbers = np.fromiter(hashes, np.int64, len(hashes))
    failures |= {int(numbers[record]): words for record, words in stored.unreadable.items()}
    problems = [_problem(dataset.records[i], *words) for i, words in sorted(failures.items())]
    if problems and unreadable == "fail":
        raise DataError(
            f"{len(problems)} of {len(dataset)} pictures cannot be read; "
            f"the first is {problems[0].key}: {problems[0].reason}",
            expected="pictures that are whole",
            remedy=problems[0].repair,
        )
    kept = numbers[stored.rows["record"]]
    return PreparedSet(stored.pixels, stored.rows["geometry"], kept, tuple(problems))


def _problem(record: Record[Any], reason: str, remedy: str) -> Problem:
    return Problem("unreadable", "error", record.key, reason, remedy)


@dataclass(frozen=True, slots=True)
class _Job:
    """Records with their content hashes, how they are prepared, and where the sets are kept."""

    records: Sequence[Record[Any]]
    hashes: Sequence[str]
    preparation: str
    size_hw: SizeHW
    root: Path

    @property
    def folder(self) -> Path:
        digest = hashlib.sha256(self.preparation.encode())
        for one in self.hashes:
            digest.update(one.encode())
        return self.root / digest.hexdigest()[:32]


def _preparation(key: str, size_hw: SizeHW, at_least_hw: SizeHW | None) -> str:
    return hashlib.sha256(f"{key}\n{size_hw}\n{at_least_hw}".encode()).hexdigest()


def _hashed(records: Sequence[Record[Any]]) -> tuple[dict[int, str], dict[int, tuple[str, str]]]:
    """Content hashes by number of record, and what is wrong with the records that have none."""

    def chunk(start: int) -> list[str | PictureError]:
        return [_content(record) for record in records[start : start + HASH_CHUNK]]

    hashes: dict[int, str] = {}
    failures: dict[int, tuple[str, str]] = {}
    with ThreadPoolExecutor(usable_cores(), "striate-hash") as pool:
        found = (one for part in pool.map(chunk, range(0, len(records), HASH_CHUNK)) for one in part)
        for number, one in enumerate(found):
            if isinstance(one, PictureError):
                failures[number] = one.reason, one.remedy
            else:
                hashes[number] = one
    return hashes, failures


def _content(record: Record[Any]) -> str | PictureError:
    try:
        return record.origin.content_hash()
    except PictureError as error:
        return error


def _build(
    job: _Job, prepare: Prepare, at_least_hw: SizeHW | None, tell: Callable[[int], None]
) -> Stored:
    """Prepare everything in a folder of its own, then give it its name."""
    try:
        job.root.mkdir(parents=True, exist_ok=True)
        _require_space(job)
        partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=job.root))
        try:
            _fill(partial, job, prepare, at_least_hw, tell)
            stored = open_set(partial)
            assert stored is not None, "a prepared set that was just written must open"
            _give_name(partial, job.folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise DiskError(
            f"prepared pictures cannot be kept in {job.root}: {error.strerror or error}",
            remedy="free some space, or set STRIATE_HOME to a folder on another disk",
        ) from error
    return open_set(job.folder) or stored  # the latter is mapped, and lives even if its files do not


def _give_name(partial: Path, folder: Path) -> None:
    """Rename; where another process was first with the same content, theirs stays."""
    for _ in range(2):
        try:
            partial.rename(folder)
            return
        except OSError:
            if open_set(folder) is not None:
                return
            aside = partial.with_name(f"{partial.name}-damaged")
            with suppress(FileNotFoundError):
                folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)


def _require_space(job: _Job) -> None:
    """Make room by removing sets that were not used for long; a `DiskError` if that is not enough."""
    share, more = MARGIN
    needed = len(job.records) * job.size_hw[0] * job.size_hw[1] * 3
    short = needed * share + more - shutil.disk_usage(job.root).free
    if short > 0:
        taken = sum(size for _, size, _ in _sets(job.root))
        evict(max(0, int(taken - short)), home=job.root.parent)
        free = shutil.disk_usage(job.root).free
        if free < needed * share + more:
            raise DiskError(
                f"prepared pictures need {needed / 2**20:.0f} MB in {job.root}",
                expected=f"no more than the {free / 2**20:.0f} MB that are free",
                remedy="free some space, choose a smaller --size, or set STRIATE_HOME to another disk",
            )


def _fill(
    partial: Path, job: _Job, prepare: Prepare, at_least_hw: SizeHW | None, tell: Callable[[int], None]
) -> None:
    pixels = create_pixels(partial, len(job.records), job.size_hw)
    rows = np.zeros(len(job.records), ROW)
    rows["record"] = np.arange(len(rows))
    if len(rows):
        hashes = np.frombuffer(bytes.fromhex("".join(job.hashes)), np.uint8)
        rows["content"] = hashes.reshape(-1, 32)
    copied = _copy_known(job, pixels, rows)
    wanted = np.flatnonzero(~copied).tolist()
    before = len(rows) - len(wanted)
    failures = prepare_rows(
        wanted,
        job.records,
        prepare,
        pixels,
        rows["geometry"],
        at_least_hw=at_least_hw,
        on_progress=lambda done: tell(before + done),
        scratch=partial,
    )
    good = np.array([row for row in range(len(rows)) if row not in failures], np.int64)
    for row in good.tolist():
        if not copied[row]:
            rows["crc32"][row] = zlib.crc32(pixels[row])
    keep_rows(partial, pixels, good)
    write_about(partial, rows[good], job.size_hw, failures, job.preparation)


def _copy_known(job: _Job, pixels: PictureArray, rows: Array) -> Array:
    """Fill the rows that another set of the same preparation holds; which they are, bool (N,)."""
    done = np.zeros(len(rows), bool)
    place = {content: row for row, content in enumerate(job.hashes)}
    for _, _, folder in sorted(_sets(job.root), reverse=True) if len(rows) else ():
        other = open_set(folder)
        if other is None or other.preparation != job.preparation or done.all():
            continue
        for source, content in enumerate(other.rows["content"]):
            row = place.get(content.tobytes().hex(), -1)
            if row >= 0 and not done[row] and rows_agree(other, [source]):
                pixels[row] = other.pixels[source]
                rows["geometry"][row] = other.rows["geometry"][source]
                rows["crc32"][row] = other.rows["crc32"][source]
                done[row] = True
    return done


def evict(most_bytes: int, *, home: Path | None = None, keep: str = "") -> list[str]:
    """Remove prepared sets, the longest unused first, until they take at most `most_bytes`.

    `keep` names one that stays. Returns the names of those removed. A set that another process has
    mapped stays readable to it. What killed processes left half built is removed after a day.
    """
    root = (home or cache_home()) / "prepared"
    _remove_abandoned(root)
    sets = sorted(_sets(root))
    total, removed = sum(size for _, size, _ in sets), []
    for _, size, folder in sets:
        if total <= most_bytes:
            break
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
            total -= size
    return removed


def _sets(root: Path) -> Iterator[tuple[float, int, Path]]:
    """When last used, bytes and folder of every finished set."""
    for folder in root.iterdir() if root.is_dir() else ():
        try:
            size = sum(file.stat().st_size for file in folder.iterdir())
            yield (folder / ABOUT).stat().st_mtime, size, folder
        except OSError:
            continue  # being built, or gone


def _remove_abandoned(root: Path) -> None:
    for folder in root.glob(f"{PARTIAL}*"):
        try:
            latest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
        except OSError:
            continue
        if time.time() - latest > ABANDONED_S:
            shutil.rmtree(folder, ignore_errors=True)
