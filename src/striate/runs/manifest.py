"""The manifest of a run: sha256 and size of each of its files. A run that has one is sealed.

It is compared with its own canonical form when read, so no changed byte in it goes unnoticed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from striate.errors import RunError
from striate.runs.atomic import sha256_of, sync_file, write_text
from striate.runs.lock import LOCK_NAME

__all__ = ["CHECKPOINTS", "DESKTOP", "MANIFEST", "UNFINISHED", "Manifest", "check_name"]

MANIFEST = "manifest.json"
CHECKPOINTS = "checkpoints"
UNFINISHED = "unfinished.json"
"""There from the first moment of a run until it is sealed; tells our folders from other people's."""

DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What desktops drop into folders that they show."""

_OUTSIDE = {MANIFEST, UNFINISHED, LOCK_NAME}


def check_name(name: str) -> str:
    """`name` if it is a plain relative path within a run, in POSIX form; else a `ValueError`."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name:
        raise ValueError(f"{name!r} is not a path within a run")
    if str(PurePosixPath(name)) != name:
        raise ValueError(f"{name!r} is not written plainly")
    return name


class Manifest:
    """`{file: {"sha256": hex, "bytes": size}}` of a run folder."""

    def __init__(self, files: dict[str, tuple[str, int]]) -> None:
        self._files = dict(sorted(files.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """The files of the run, sorted."""
        return tuple(self._files)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """Measure the files in `folder`, each forced to the disk first.

        Links, checkpoints, the lock and the manifest itself are no part of a run.
        """
        files: dict[str, tuple[str, int]] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            outside = name in _OUTSIDE or name.startswith(f"{CHECKPOINTS}/") or path.name in DESKTOP
            if not outside and path.is_file() and not path.is_symlink():
                sync_file(path)
                files[name] = (sha256_of(path), path.stat().st_size)
        return cls(files)

    def to_text(self) -> str:
        """The canonical form, which is what is stored."""
        rows = {name: {"bytes": size, "sha256": digest} for name, (digest, size) in self._files.items()}
        return json.dumps(rows, indent=1, sort_keys=True) + "\n"

    def write(self, folder: Path) -> None:
        """Seal `folder`."""
        write_text(folder / MANIFEST, self.to_text())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of `folder`; a `RunError` unless it is exactly as it was written."""
        try:
            text = (folder / MANIFEST).read_bytes().decode("utf-8")
            manifest = cls({name: _entry(name, row) for name, row in json.loads(text).items()})
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise _damaged(folder) from error
        if manifest.to_text() != text:
            raise _damaged(folder)
        return manifest

    def check(self, folder: Path, name: str) -> Path:
        """The file `name` of the run in `folder`; a `RunError` if it is missing or not the same."""
        if name not in self._files:
            raise RunError(
                f"run {folder.name} has no file {name}",
                expected=f"one of {', '.join(self.names)}",
                remedy="restore the run from a backup, or train it again",
            )
        path = folder / name
        digest, size = self._files[name]
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise RunError(
                f"{name} of run {folder.name} is missing",
                remedy="restore it from a backup, or train the run again",
            )
        if path.stat().st_size != size or sha256_of(path) != digest:
            raise RunError(
                f"{name} of run {folder.name} is not the file that was written: its sha256 differs "
                "from the manifest's",
                remedy="restore it from a backup, or train the run again",
            )
        return path


def _entry(name: str, row: dict[str, Any]) -> tuple[str, int]:
    digest, size = row["sha256"], row["bytes"]
    if type(size) is not int or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"odd entry for {name}")
    check_name(name)
    return digest, size


def _damaged(folder: Path) -> RunError:
    return RunError(
        f"{MANIFEST} of run {folder.name} is damaged",
        expected="the list of files and hashes that was written when training ended",
        remedy="restore it from a backup, or train the run again",
    )
