"""Every error striate raises on purpose, with the exit code the command line turns it into.

A message says what was given, what was expected and what to do. `assert` is kept for our own bugs.

    StriateError
    ├── UsageError (2)          the caller asked for something that cannot be
    │   ├── SettingError        a setting has a wrong name, type or value
    │   └── UnknownNameError    a name is not in a visible dict; lists the choices and the nearest
    ├── DataError (3)           the user's files are not what was expected
    │   ├── PictureError        one picture cannot be read
    │   ├── LabelError          a label, table row or annotation is wrong
    │   ├── LayoutError         a folder is not a data set we know
    │   ├── RunError            a run folder is missing, damaged, tampered with or too new
    │   └── TrainingError       training cannot go on (a loss that is not finite, no usable data)
    ├── MachineError (4)        the machine lacks something
    │   ├── MissingExtraError   an optional package is not installed
    │   ├── OfflineError        a download is needed and cannot be made
    │   ├── DiskError           a disk is full, read-only or unwritable
    │   ├── MemoryLimitError    memory ran out even at the smallest batch
    │   └── LockedError         another process writes this run
    └── Interrupted (5)         stopped by the user; the run can be resumed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "DataError",
    "DiskError",
    "Interrupted",
    "LabelError",
    "LayoutError",
    "LockedError",
    "MachineError",
    "MemoryLimitError",
    "MissingExtraError",
    "OfflineError",
    "PictureError",
    "RunError",
    "SettingError",
    "StriateError",
    "TrainingError",
    "UnknownNameError",
    "UsageError",
]


class StriateError(Exception):
    """Base of all errors raised on purpose.

    `what`: what was given and why it cannot be used, one sentence without a final stop.
    `expected`: what would have been right. `remedy`: what the user can do now.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, expected: str = "", remedy: str = "") -> None:
        self.what, self.expected, self.remedy = what, expected, remedy
        super().__init__(what, expected, remedy)

    def __str__(self) -> str:
        parts = [self.what]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.remedy:
            parts.append(self.remedy)
        return ". ".join(part.rstrip(".") for part in parts) + "."

    def to_dict(self) -> dict[str, str]:
        """The error for machines: its kind and its three sentences."""
        return {
            "kind": type(self).__name__,
            "what": self.what,
            "expected": self.expected,
            "remedy": self.remedy,
        }


class UsageError(StriateError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class SettingError(UsageError):
    """A setting has a wrong name, type or value."""


class UnknownNameError(UsageError):
    """A name that is not among the choices; the message lists them and the nearest.

    `more`: what else would have been right, in words.

    >>> str(UnknownNameError("model", "resnt18", ["resnet18", "resnet50"]))
    "unknown model 'resnt18'. expected one of resnet18, resnet50. did you mean 'resnet18'."
    """

    def __init__(
        self, kind: str, name: str, choices: Iterable[str], *, more: str = "", remedy: str = ""
    ) -> None:
        known = sorted(choices)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        listed = ", ".join(known[:40]) + (f" … ({len(known)} in all)" if len(known) > 40 else "")
        self.kind, self.name, self.choices = kind, name, tuple(known)
        super().__init__(
            f"unknown {kind} {name!r}",
            expected=f"one of {listed}" + (f", {more}" if more else ""),
            remedy=remedy or (f"did you mean {near[0]!r}" if near else ""),
        )


class DataError(StriateError):
    """The user's files are not what was expected."""

    exit_code = 3


class PictureError(DataError):
    """One picture cannot be read. `name` is the file (or what stood for it), `reason` why."""

    def __init__(self, name: str, reason: str, *, remedy: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"cannot read picture {name}: {reason}", remedy=remedy)


class LabelError(DataError):
    """A label, a table row or an annotation is wrong."""


class LayoutError(DataError):
    """A folder or file is not a data set in a layout that striate knows."""


class RunError(DataError):
    """A run folder is missing, damaged, tampered with, or written by a newer version."""


class TrainingError(DataError):
    """Training cannot start or go on."""


class MachineError(StriateError):
    """The machine or its installation lacks something."""

    exit_code = 4


class MissingExtraError(MachineError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, *, needed_for: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(
            f"{needed_for} needs {package}, which is not installed",
            remedy=f"install it with: pip install 'striate[{extra}]'",
        )


class OfflineError(MachineError):
    """A download is needed and cannot be made."""


class DiskError(MachineError):
    """A disk is full, read-only or not writable."""


class MemoryLimitError(MachineError):
    """Memory ran out even at the smallest batch."""


class LockedError(MachineError):
    """Another process writes this run."""


class Interrupted(StriateError):
    """Stopped by the user; the run can be resumed."""

    exit_code = 5
