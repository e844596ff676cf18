"""Many pictures read and prepared, straight into an array.

Files are shared out to forked processes where that pays: decoding small pictures is mostly Python,
which threads do not speed up. The children touch nothing but Pillow and NumPy. Arrays and few files
are done by threads.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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


def prepare_rows(
    records: Sequence[Record[Any]],
    prepare: Prepare,
    pixels: PictureArray,
    geometry: Array,
    *,
    at_least_hw: SizeHW | None,
    on_progress: Callable[[int], None] | None,
    scratch: Path,
) -> dict[int, str]:
    """Fill row i of `pixels` (a shared memory map) and `geometry` from record i.

    Returns {row: reason} of those that cannot be read. `scratch`: a folder for what children report.
    """

    def one(row: int) -> tuple[Array | list[float], str]:
        try:
            made = prepare(records[row].origin.read(at_least_hw))
        except PictureError as error:
            return [0.0] * GEOMETRY_COLUMNS, error.reason
        pixels[row] = made.pixels
        return [*map(float, made.size_hw), *made.scale_yx, *made.offset_yx], ""

    tell = on_progress or (lambda done: None)
    if _forks(records):
        rows = _by_processes(one, len(records), tell, scratch)
    else:
        rows = _by_threads(one, len(records), tell)
    failures = {}
    for row, (numbers, reason) in rows.items():
        geometry[row] = numbers
        if reason:
            failures[row] = reason
    return failures


One = Callable[[int], tuple[Any, str]]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _forks(records: Sequence[Record[Any]]) -> bool:
    return (
        sys.platform == "linux"
        and _cores() > 1
        and len(records) >= _WORTH_FORKING
        and all(isinstance(record.origin, FileOrigin) for record in records)
    )


def _by_threads(one: One, count: int, tell: Callable[[int], None]) -> dict[int, tuple[Any, str]]:
    found: dict[int, tuple[Any, str]] = {}
    with ThreadPoolExecutor(_cores()) as pool:
        for start in range(0, count, _CHUNK):
            rows = range(start, min(start + _CHUNK, count))
            found |= zip(rows, pool.map(one, rows), strict=True)
            tell(rows.stop)
    return found


def _by_processes(
    one: One, count: int, tell: Callable[[int], None], scratch: Path
) -> dict[int, tuple[Any, str]]:
    """Worker w of n does rows w, w + n, … and leaves a file with their geometry and errors."""
    workers = min(_cores(), 16)
    context = multiprocessing.get_context("fork")
    done = context.RawArray("q", workers)

    def work(worker: int) -> None:
        rows: dict[int, tuple[Any, str]] = {}
        for row in range(worker, count, workers):
            rows[row] = one(row)
            done[worker] += 1
        (scratch / f"rows-{worker}.json").write_text(json.dumps(rows), "utf-8")
        # no clean-up of what the parent owns: threads, temporary files, progress bars
        os._exit(0)

    processes = [context.Process(target=work, args=(worker,), daemon=True) for worker in range(workers)]
    with warnings.catch_warnings():
        # forking beside threads is warned of since Python 3.12; the children use no lock of theirs
        warnings.simplefilter("ignore", DeprecationWarning)
        for process in processes:
            process.start()
    try:
        while any(process.is_alive() for process in processes):
            tell(sum(done))
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()
            process.join()
    return _collected(processes, scratch)


def _collected(processes: Sequence[Any], scratch: Path) -> dict[int, tuple[Any, str]]:
    found: dict[int, tuple[Any, str]] = {}
    for worker, process in enumerate(processes):
        file = scratch / f"rows-{worker}.json"
        if process.exitcode != 0 or not file.exists():
            raise MachineError(
                f"a process that prepared pictures ended with {process.exitcode}",
                remedy="look for a picture that crashes its decoder with: striate data check",
            )
        rows: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
        found |= {int(row): (numbers, reason) for row, (numbers, reason) in rows.items()}
        file.unlink()
    return found
