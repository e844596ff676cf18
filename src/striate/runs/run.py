"""A finished run, opened to be used. Nothing in it is trusted before its hash was checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal, Self

from striate.errors import LockedError, RunError
from striate.runs.atomic import TEMPORARY, interrupted_swap, read_jsonl, recover_folder
from striate.runs.header import RunHeader
from striate.runs.lock import LOCK_NAME, RunLock, holder_of
from striate.runs.manifest import CHECKPOINTS, DESKTOP, MANIFEST, UNFINISHED, Manifest

__all__ = ["HEADER", "METRICS", "Run", "State", "finish_swap", "partial_of", "state_of"]

HEADER = "run.toml"
METRICS = "metrics.jsonl"

State = Literal["absent", "empty", "unfinished", "sealed", "foreign"]


def partial_of(final: Path) -> Path:
    """Where the successor of the sealed run `final` is written until it is sealed itself."""
    return final.with_name(f"{final.name}.partial")


def state_of(folder: Path) -> State:
    """What a folder is to us. "foreign": it holds something that striate did not write."""
    if not folder.exists():
        return "absent"
    if not folder.is_dir():
        return "foreign"
    names = {path.name for path in folder.iterdir()}
    if UNFINISHED in names and b'"striate"' in (folder / UNFINISHED).read_bytes():
        return "sealed" if {MANIFEST, HEADER} <= names else "unfinished"
    if HEADER in names and b"striate_version" in (folder / HEADER).read_bytes():
        return "sealed"  # perhaps damaged, which `Run.open` will say
    ours = all(
        name in {LOCK_NAME, CHECKPOINTS, *DESKTOP} or name.startswith(TEMPORARY) for name in names
    )
    return "empty" if ours else "foreign"


def finish_swap(final: Path) -> None:
    """Mend `final` if a writer was killed while it put a new run in its place.

    If the writer lives, a `LockedError` names it.
    """
    waiting = interrupted_swap(final)
    if waiting is None:
        return
    try:
        with RunLock.acquire(waiting):
            recover_folder(partial_of(final), final)
    except FileNotFoundError:  # the writer was alive, and is done
        return


class Run:
    """A sealed run. `open` makes it.

    `header`: its `run.toml`, verified. Other files are verified when they are first asked for.
    """

    def __init__(self, folder: Path, header: RunHeader, manifest: Manifest) -> None:
        self.folder = folder
        self.header = header
        self._manifest = manifest
        self._verified: set[str] = set()

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """The run in the folder `path`.

        A `RunError` says if there is none, if its training has not finished, if a newer striate wrote
        it, or which of its files was changed.
        """
        folder = Path(path)
        for _ in range(50):
            try:
                finish_swap(folder.resolve())
                before = folder.stat().st_ino if folder.exists() else 0
                return cls._open(folder)
            except (LockedError, FileNotFoundError):  # a successor takes its place: microseconds
                time.sleep(0.01)
            except RunError:
                away = interrupted_swap(folder.resolve()) is not None
                if not away and (not folder.exists() or folder.stat().st_ino == before):
                    raise
        raise RunError(f"run {folder} is being replaced", remedy="try again in a moment")

    @classmethod
    def _open(cls, folder: Path) -> Self:
        _refuse_unsealed(folder)
        if not (folder / MANIFEST).is_file():
            raise RunError(
                f"{MANIFEST} of run {folder.name} is missing",
                remedy="restore it from a backup, or train the run again",
            )
        data = (folder / HEADER).read_bytes()
        text = data.decode("utf-8", "replace")
        RunHeader.refuse_newer(text, source=f"{folder.name}/{HEADER}")  # its manifest may differ too
        manifest = Manifest.read(folder)
        manifest.check(folder, HEADER)
        return cls(folder, RunHeader.from_toml(text, source=f"{folder.name}/{HEADER}"), manifest)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the run, relative, sorted."""
        return self._manifest.names

    def file(self, name: str) -> Path:
        """The path of the run's file `name`, its sha256 checked the first time; else a `RunError`."""
        if name not in self._verified:
            self._manifest.check(self.folder, name)
            self._verified.add(name)
        return self.folder / name

    def metrics_rows(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`, in order."""
        return read_jsonl(self.file(METRICS)) if METRICS in self._manifest else []

    def verify(self) -> None:
        """Check every file of the run, again; a `RunError` names the first that is not as written."""
        for name in self._manifest.names:
            self._manifest.check(self.folder, name)


def _refuse_unsealed(folder: Path) -> None:
    state = state_of(folder)
    if state == "absent":
        raise RunError(f"there is no run at {folder}", expected=_neighbours(folder), remedy=_TRAIN)
    if state == "unfinished":
        holder = holder_of(folder)
        if holder is not None:
            raise RunError(
                f"run {folder.name} is still being trained by {holder.describe()}",
                remedy="wait until it ends",
            )
        raise RunError(
            f"training of run {folder.name} did not finish",
            remedy=f"continue it with: striate train … --out {folder} --resume",
        )
    if state != "sealed":
        raise RunError(f"{folder} is not a run", expected=_neighbours(folder), remedy=_TRAIN)


_TRAIN = "train one with: striate train DATA --out RUN"


def _neighbours(folder: Path) -> str:
    """The runs beside or within `folder`, for someone who missed by one."""
    for place in (folder, folder.parent):
        if place.is_dir():
            found = sorted(path.parent.as_posix() for path in place.glob(f"*/{HEADER}"))
            if found:
                return "one of " + ", ".join(found[:8]) + (" …" if len(found) > 8 else "")
    return f"a folder with {HEADER}"
