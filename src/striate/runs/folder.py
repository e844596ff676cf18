"""Writing a run: one writer, nothing half written, nothing of the user's ever in the way.

A new run is written in its own folder, which is marked unfinished (`unfinished.json`) until `seal`.
Where a sealed run is to be overwritten, its successor is written beside it in `NAME.partial` and takes
its place at the very end; until then the earlier run stays whole and usable.

Sealing writes `run.toml`, then the manifest with the sha256 of every file. Checkpoints serve only to
resume, so none is kept after it: what was best in them is in the run's own files.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from striate.errors import UsageError
from striate.runs.atomic import (
    TEMPORARY,
    append_line,
    disk_errors,
    read_jsonl,
    recover_folder,
    replace_folder,
    require_space,
    sweep,
    truncate_lines,
    write_bytes,
    write_text,
    write_with,
)
from striate.runs.checkpoints import Checkpoints
from striate.runs.header import RunHeader, iso_time
from striate.runs.lock import LOCK_NAME, RunLock
from striate.runs.manifest import CHECKPOINTS, DESKTOP, MANIFEST, UNFINISHED, Manifest, check_name
from striate.runs.plain import json_ready
from striate.runs.run import HEADER, METRICS, Run, finish_swap, partial_of, state_of

__all__ = ["Run", "RunWriter"]


class RunWriter:
    """A run being written, and the lock on it. `begin` makes it; a context manager.

    `path`: where the run will be found. `folder`: where it is written until it is sealed.
    `already_sealed`: `resume` found a finished run, there is nothing to do.
    `resumes`: `folder` holds a checkpoint of earlier work.
    """

    def __init__(
        self, path: Path, folder: Path, locks: list[RunLock], *, created: bool, already_sealed: bool
    ) -> None:
        self.path = path
        self.folder = folder
        self.already_sealed = already_sealed
        self.checkpoints = Checkpoints(folder / CHECKPOINTS)
        self.resumes = not already_sealed and self.checkpoints.exists("last")
        self._locks = locks
        self._created = created

    @classmethod
    def begin(
        cls,
        path: Path | str,
        *,
        resume: bool = False,
        overwrite: bool = False,
        now: Callable[[], float] = time.time,
    ) -> Self:
        """Lock the run `path` and make its folder ready.

        `resume` continues an unfinished run, and starts one where there is none. `overwrite` starts
        anew. `now`: seconds since 1970. Errors: `UsageError` where something is there and neither was
        asked for, or where the folder holds other files; `LockedError`; `DiskError`.
        """
        if resume and overwrite:
            raise UsageError(
                "--resume and --overwrite exclude each other",
                remedy="--resume continues what is there, --overwrite replaces it",
            )
        final = Path(path).resolve()
        created, lock = _lock_run(final, now)
        try:
            recover_folder(partial_of(final), final)
            if state_of(final) == "sealed":
                return cls._beside(final, lock, resume=resume, overwrite=overwrite, now=now)
            fresh = overwrite or _disposable(final)
            if not (fresh or resume):
                raise _already(final, "an unfinished run")
            return cls._within(final, final, [lock], fresh=fresh, created=created, now=now)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _within(
        cls,
        final: Path,
        folder: Path,
        locks: list[RunLock],
        *,
        fresh: bool,
        created: bool,
        now: Callable[[], float],
    ) -> Self:
        """Work in `folder`, emptied first if `fresh`."""
        with disk_errors(folder):
            sweep(folder)
            if fresh:
                mark = {"striate": "a run whose training has not finished", "begun": iso_time(now)}
                write_text(folder / UNFINISHED, json.dumps(mark) + "\n")
                _empty(folder)
        return cls(final, folder, locks, created=created, already_sealed=False)

    @classmethod
    def _beside(
        cls, final: Path, lock: RunLock, *, resume: bool, overwrite: bool, now: Callable[[], float]
    ) -> Self:
        """Where a sealed run is there already."""
        partial = partial_of(final)
        if not (resume or overwrite):
            raise _already(final, "a finished run")
        if resume and state_of(partial) not in ("unfinished", "sealed"):
            Run.open(final)
            _tidy(final)
            return cls(final, final, [lock], created=False, already_sealed=True)
        if os.path.ismount(final):
            raise UsageError(
                f"{final} is a mounted volume and cannot be replaced", remedy="name a folder within it"
            )
        _refuse_foreign(partial)
        with disk_errors(partial):
            partial.mkdir(exist_ok=True)
        second = RunLock.acquire(partial, now=now)
        try:
            sealed = state_of(partial) == "sealed"
            if sealed and resume:  # killed between sealing and taking the place
                second = _take_place(partial, final, lock, second)
                return cls(final, final, [second], created=False, already_sealed=True)
            fresh = overwrite or _disposable(partial)
            return cls._within(final, partial, [lock, second], fresh=fresh, created=True, now=now)
        except BaseException:
            second.release()
            raise

    # -- writing ------------------------------------------------------------------------------

    def path_of(self, name: str) -> Path:
        """The path of the run's file `name` (relative, POSIX), its folder made."""
        target = self.folder / check_name(name)
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def save(self, name: str, data: bytes) -> Path:
        """Write `data` as the run's file `name`: all of it, or a `DiskError` and what was there."""
        assert not self.already_sealed, "the run is finished"
        target = self.path_of(name)
        write_bytes(target, data)
        return target

    def save_with(self, name: str, write: Callable[[Path], None], *, needed: int | None = None) -> Path:
        """Like `save`, with a callback that writes the file to the temporary path it is given.

        `needed`: bytes it will take, for the message if the disk is full.
        """
        assert not self.already_sealed, "the run is finished"
        target = self.path_of(name)
        write_with(target, write, needed=needed)
        return target

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Add a line to `metrics.jsonl`; numbers that are not finite become null."""
        assert not self.already_sealed, "the run is finished"
        append_line(self.folder / METRICS, json.dumps(json_ready(row)))

    def metrics_rows(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl` so far."""
        return read_jsonl(self.folder / METRICS)

    def rewind_metrics(self, rows: int) -> None:
        """Keep the first `rows` lines of `metrics.jsonl`: those from before the resumed checkpoint."""
        truncate_lines(self.folder / METRICS, rows)

    def require_space(self, needed: int, *, what: str = "the run") -> None:
        """A `DiskError` before the work begins if fewer than `needed` bytes are free."""
        require_space(self.folder, needed, what=what)

    # -- ending -------------------------------------------------------------------------------

    def seal(self, header: RunHeader) -> Run:
        """Finish: write `run.toml` and the manifest, drop the checkpoints, take the run's place."""
        assert not self.already_sealed, "sealed before"
        self.save(HEADER, header.to_toml().encode("utf-8"))
        sweep(self.folder)
        manifest = Manifest.of(self.folder)
        for file in header.graphs.values():
            assert file in manifest, f"graph {file} was not saved"
        manifest.write(self.folder)
        self.already_sealed = True
        _tidy(self.folder)
        if self.folder != self.path:
            first, second = self._locks
            self._locks = [_take_place(self.folder, self.path, first, second)]
            self.folder = self.path
        return Run.open(self.path)

    def close(self) -> None:
        """Let go of the run. A folder that `begin` made and nothing was written to is removed."""
        if not self.already_sealed and _untouched(self.folder):
            (self.folder / UNFINISHED).unlink(missing_ok=True)
            if self._created:
                shutil.rmtree(self.folder, ignore_errors=True)
        for lock in self._locks:
            lock.release()
        self._locks = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _lock_run(final: Path, now: Callable[[], float]) -> tuple[bool, RunLock]:
    """Whether the folder was made, and the lock on it. Nothing is written where others' files are."""
    for _ in range(20):
        try:
            finish_swap(final)
            _refuse_foreign(final)
            created = not final.exists()
            with disk_errors(final):
                final.mkdir(parents=True, exist_ok=True)
            return created, RunLock.acquire(final, now=now)
        except FileNotFoundError:  # removed or swapped since; look again
            continue
        except (FileExistsError, NotADirectoryError) as error:
            raise UsageError(f"{final} cannot be a folder: {error.strerror}", remedy=_OTHER) from error
    raise UsageError(f"{final} keeps vanishing while it is being locked", remedy=_OTHER)


_OTHER = "choose another --out"


def _refuse_foreign(folder: Path) -> None:
    if state_of(folder) == "foreign":
        what = "holds files that striate did not write" if folder.is_dir() else "is a file"
        raise UsageError(
            f"{folder} {what}; nothing was changed",
            expected="a new, empty or striate's own folder",
            remedy=_OTHER,
        )


def _already(final: Path, what: str) -> UsageError:
    return UsageError(
        f"{final} holds {what}",
        remedy="continue it with --resume, replace it with --overwrite, or choose another --out",
    )


def _names(folder: Path) -> set[str]:
    names = {path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY)}
    return names - DESKTOP


def _disposable(folder: Path) -> bool:
    """Nothing there yet, or a run that ended before its first checkpoint."""
    own = {LOCK_NAME, UNFINISHED, METRICS, CHECKPOINTS}
    return _names(folder) <= own and not Checkpoints(folder / CHECKPOINTS).exists("last")


def _untouched(folder: Path) -> bool:
    try:
        return METRICS not in _names(folder) and _disposable(folder)
    except OSError:
        return False


def _empty(folder: Path) -> None:
    """Remove what a run left, but for mark and lock; the manifest first, so that it is not sealed."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name != MANIFEST):
        if path.name in (LOCK_NAME, UNFINISHED):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _tidy(folder: Path) -> None:
    """Remove from a sealed run what only served to finish it."""
    (folder / UNFINISHED).unlink(missing_ok=True)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def _take_place(partial: Path, final: Path, first: RunLock, second: RunLock) -> RunLock:
    """Swap `partial` into the place of `final`; the lock that then holds `final`."""
    replace_folder(partial, final)
    first.release()  # its folder is gone; this only closes the file
    second.folder = final
    return second
