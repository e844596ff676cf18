"""Checkpoints: tensors and their state in one atomic step, the last two of each name kept.

    last-00000007.safetensors   tensors, whatever the caller wrote
    last-00000007.json          the state, with size and sha256 of the tensors and of itself

Both are written whole (`atomic`), the state last: its rename is the moment at which the checkpoint
exists. A kill at any time therefore leaves the earlier checkpoint or the new one, never half of one.
What a disk damages later is seen by its hash, and the checkpoint before is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from striate.errors import DiskError, RunError
from striate.runs.atomic import sha256_of, write_text, write_with

__all__ = ["Checkpoints"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Checkpoints:
    """The checkpoints in one folder.

    `damaged`: files that the latest `load` found damaged and passed over, for a warning.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: tuple[str, ...] = ()

    def save(self, name: str, write: Callable[[Path], None], state: Mapping[str, Any]) -> None:
        """Keep a checkpoint under `name` ("last", "best").

        `write` puts the tensors into the (temporary) path it is given, a `.safetensors` file.
        `state` is JSON; floats come back bit for bit, `nan` and `inf` too. If the disk is full the
        checkpoint before the newest is given up and the save tried once more; the newest itself is
        never touched before its successor is complete. `DiskError` if that does not help.
        """
        assert _NAME.fullmatch(name), name
        newest = [
            one for one in self._serials(name) if self._tensors(name, one).name not in self.damaged
        ][:1]
        serial = max(self._on_disk(name), default=0) + 1
        try:
            self._write(name, serial, write, state)
        except DiskError:
            self._keep(name, newest)
            try:
                self._write(name, serial, write, state)
            except DiskError:
                self._keep(name, newest)
                raise
        self._keep(name, [serial, *newest])

    def load(self, name: str) -> tuple[Path, dict[str, Any]] | None:
        """The tensors' path and the state of the newest sound checkpoint; None if none was saved.

        A `RunError` if some were saved and all are damaged: starting over silently would hide it.
        """
        self.damaged = ()
        for serial in self._serials(name):
            found = self._sound(name, serial)
            if found is not None:
                return found
            self.damaged += (self._tensors(name, serial).name,)
        if self.damaged:
            raise RunError(
                f"the checkpoints {', '.join(self.damaged)} in {self.folder} are damaged",
                remedy="restore them from a backup, or train again with --overwrite",
            )
        return None

    def exists(self, name: str) -> bool:
        """Was a checkpoint of this name saved? (It may yet be damaged.)"""
        return bool(self._serials(name))

    def _tensors(self, name: str, serial: int) -> Path:
        return self.folder / f"{name}-{serial:08d}.safetensors"

    def _state(self, name: str, serial: int) -> Path:
        return self.folder / f"{name}-{serial:08d}.json"

    def _write(
        self, name: str, serial: int, write: Callable[[Path], None], state: Mapping[str, Any]
    ) -> None:
        tensors = self._tensors(name, serial)
        write_with(tensors, write)
        content = {"bytes": tensors.stat().st_size, "sha256": sha256_of(tensors), "state": dict(state)}
        text = json.dumps(content)
        write_text(self._state(name, serial), f"{_digest(text)}\n{text}\n")

    def _serials(self, name: str) -> list[int]:
        """Checkpoints that were completed, newest first."""
        return sorted(
            (one for one in self._on_disk(name) if self._state(name, one).exists()), reverse=True
        )

    def _on_disk(self, name: str) -> set[int]:
        if not self.folder.is_dir():
            return set()
        pattern = re.compile(rf"{name}-(\d{{8}})\.(?:json|safetensors)")
        return {
            int(match[1]) for path in self.folder.iterdir() if (match := pattern.fullmatch(path.name))
        }

    def _keep(self, name: str, serials: list[int]) -> None:
        """Remove all but `serials`; the state first, so that none is left without its tensors."""
        for serial in self._on_disk(name) - set(serials):
            self._state(name, serial).unlink(missing_ok=True)
            self._tensors(name, serial).unlink(missing_ok=True)

    def _sound(self, name: str, serial: int) -> tuple[Path, dict[str, Any]] | None:
        tensors = self._tensors(name, serial)
        try:
            digest, text, rest = self._state(name, serial).read_text("utf-8").split("\n")
            if rest or _digest(text) != digest:
                return None
            found = json.loads(text)
            if tensors.stat().st_size != found["bytes"] or sha256_of(tensors) != found["sha256"]:
                return None
            state: dict[str, Any] = found["state"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return tensors, state


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
