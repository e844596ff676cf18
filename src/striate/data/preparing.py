"""Many pictures read and prepared, straight into an array.

Files are shared out to forked processes where that pays: decoding small pictures is mostly Python,
which threads do not speed up. The children touch nothing but Pillow and NumPy. Arrays and few files
are done by threads.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from striate.cores import usable_cores
from striate.data.dataset import Record
from striate.data.origins import FileOrigin
from striate.errors import MachineError, PictureError
from striate.types import Array, Picture, PictureArray, Prepared, SizeHW

__all__ = ["GEOMETRY_COLUMNS", "Prepare", "prepare_rows"]

Prepare = Callable[[Picture], Prepared]
GEOMETRY_COLUMNS = 6
"""Original height and width, scale y and x, offset y and x."""
_WORTH_FORKING = 500
_CHUNK = 64
_RAISED = 77
_STALLED_S = 120.0


def prepare_rows(
    wanted: Sequence[int],
    records: Sequence[Record[Any]],
    prepare: Prepare,
    pixels: PictureArray,
    geometry: Array,
    *,
    at_least_hw: SizeHW | None,
    on_progress: Callable[[int], None],
    scratch: Path,
) -> dict[int, tuple[str, str]]:
    """Fill row i of `pixels` (a shared memory map) and `geometry` from record i, for each i `wanted`.

    Returns {row: (reason, remedy)} of those that cannot be read. `scratch`: a folder for what
    children report. Whatever else `prepare` raises is raised here.
    """

    def one(row: int) -> Made:
        try:
            made = prepare(records[row].origin.read(at_least_hw))
        except PictureError as error:
            return [0.0] * GEOMETRY_COLUMNS, [error.reason, error.remedy]
        if made.pixels.shape != pixels.shape[1:]:
            raise ValueError(f"prepare made {made.pixels.shape}, the set holds {pixels.shape[1:]}")
        pixels[row] = made.pixels
        return [*map(float, made.size_hw), *made.scale_yx, *made.offset_yx], []

    if _forks([records[row] for row in wanted]):
        rows = _by_processes(one, wanted, on_progress, scratch)
    else:
        rows = _by_threads(one, wanted, on_progress)
    failures = {}
    for row, (numbers, words) in rows.items():
        geometry[row] = numbers
        if words:
            failures[row] = (words[0], words[1])
    return failures


Made = tuple[list[float], list[str]]
"""Geometry of a row, and why (and what to do) if it could not be read."""

One = Callable[[int], Made]


def _forks(records: Sequence[Record[Any]]) -> bool:
    return (
        sys.platform == "linux"
        and usable_cores() > 1
        and len(records) >= _WORTH_FORKING
        and all(isinstance(record.origin, FileOrigin) for record in records)
    )


def _by_threads(one: One, wanted: Sequence[int], tell: Callable[[int], None]) -> dict[int, Made]:
    found: dict[int, Made] = {}
    with ThreadPoolExecutor(usable_cores(), "striate-prepare") as pool:
        for start in range(0, len(wanted), _CHUNK):
            rows = wanted[start : start + _CHUNK]
            found |= zip(rows, pool.map(one, rows), strict=True)
            tell(len(found))
    return found


def _by_processes(
    one: One, wanted: Sequence[int], tell: Callable[[int], None], scratch: Path
) -> dict[int, Made]:
    """Worker w of n does every nth row and leaves a file with their geometry and errors."""
    workers = min(usable_cores(), 16)
    context = multiprocessing.get_context("fork")
    done = context.RawArray("q", workers)

    def work(worker: int) -> None:
        try:
            rows: dict[int, Made] = {}
            for row in wanted[worker::workers]:
                rows[row] = one(row)
                done[worker] += 1
            (scratch / f"rows-{worker}.json").write_text(json.dumps(rows), "utf-8")
        except BaseException:
            os._exit(_RAISED)
        # no clean-up of what the parent owns: threads, temporary files, progress bars
        os._exit(0)

    processes = [context.Process(target=work, args=(worker,), daemon=True) for worker in range(workers)]
    with warnings.catch_warnings():
        # forking beside threads is warned of since Python 3.12; the children use no lock of theirs
        warnings.simplefilter("ignore", DeprecationWarning)
        for process in processes:
            process.start()
    try:
        _watch(processes, lambda: sum(done), tell)
    finally:
        for process in processes:
            process.kill()
            process.join()
    found: dict[int, Made] = {}
    for worker, process in enumerate(processes):
        found |= _collected(process, scratch / f"rows-{worker}.json", one, wanted[worker::workers])
    return found


def _watch(processes: Sequence[Any], count: Callable[[], int], tell: Callable[[int], None]) -> None:
    """Wait for all; give up on those that have made no progress for long (their rows are done here)."""
    last, since = -1, time.monotonic()
    while any(process.is_alive() for process in processes):
        if (now := count()) != last:
            last, since = now, time.monotonic()
            tell(now)
        elif time.monotonic() - since > _STALLED_S:
            return
        time.sleep(0.05)


def _collected(process: Any, file: Path, one: One, rows: Sequence[int]) -> dict[int, Made]:
    """What a worker reported. Where it raised, or hung, its rows are done again, and raise here."""
    if process.exitcode == 0 and file.exists():
        reported: Mapping[str, Made] = json.loads(file.read_text("utf-8"))
        file.unlink()
        return {int(row): made for row, made in reported.items()}
    if process.exitcode in (_RAISED, -signal.SIGKILL):
        return _by_threads(one, rows, lambda done: None)
    raise MachineError(
        f"a process that prepared pictures ended with {process.exitcode}",
        remedy="look for a picture that crashes its decoder with: striate data check",
    )
