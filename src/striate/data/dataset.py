"""A data set: records that know where their picture is, what it shows and to which split it belongs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from striate.errors import LayoutError
from striate.types import Picture, Problem, SizeHW, Split

__all__ = ["Dataset", "Origin", "Record"]

Target = TypeVar("Target")


class Origin(Protocol):
    """Where one picture comes from. Implementations: a file, a row of an array, a generator."""

    def read(self, at_least_hw: SizeHW | None = None) -> Picture:
        """The picture, uint8 (H, W, 3); may be decoded smaller, never below `at_least_hw`."""
        ...

    def content_hash(self) -> str:
        """sha256 of the stored bytes: equal content, equal hash, wherever it lies."""
        ...


@dataclass(frozen=True, slots=True)
class Record(Generic[Target]):
    """One picture and its truth.

    `key`: a name that is unique and stable within the data set: the path relative to its root in
    POSIX form, or `name/00012` for embedded sets. `group`: records of one group never part.
    """

    key: str
    origin: Origin
    target: Target
    split: Split | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset(Generic[Target]):
    """Records in a fixed order.

    `names`: class names, or names of the target columns. `layout`: how the files were understood,
    in words ("class folders with train/ and test/"). `problems`: everything that was left out or
    looks wrong while reading; nothing is dropped silently.
    """

    records: tuple[Record[Target], ...]
    names: tuple[str, ...]
    root: str
    layout: str
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record[Target]]:
        return iter(self.records)

    @property
    def targets(self) -> list[Target]:
        """The truths, in record order."""
        return [record.target for record in self.records]

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that occur, in the order train, validation, test."""
        present = {record.split for record in self.records}
        order: tuple[Split, ...] = ("train", "validation", "test")
        return tuple(split for split in order if split in present)

    def only(self, split: Split) -> Dataset[Target]:
        """The records of one split; a `LayoutError` if there is none."""
        chosen = tuple(record for record in self.records if record.split == split)
        if not chosen:
            raise LayoutError(
                f"{self.root} has no {split} pictures",
                expected=f"one of the splits {', '.join(self.splits) or 'none'}",
                remedy=f"name the folder {split}/, or choose another --split",
            )
        return replace(self, records=chosen)

    def take(self, indices: Sequence[int]) -> Dataset[Target]:
        """The records at `indices`, in that order."""
        return replace(self, records=tuple(self.records[i] for i in indices))

    def with_splits(self, splits: Sequence[Split | None]) -> Dataset[Target]:
        """The same records with other splits, one each."""
        records = tuple(
            replace(record, split=split) for record, split in zip(self.records, splits, strict=True)
        )
        return replace(self, records=records)

    def fingerprint(self) -> str:
        """sha256 over keys, targets, splits and contents: equal data, equal fingerprint."""
        digest = hashlib.sha256()
        for record in self.records:
            line = f"{record.key}\0{record.target!r}\0{record.split}\0{record.origin.content_hash()}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def shown_root(self) -> str:
        """The last part of the root: enough for a report, without the user's folder names."""
        return Path(self.root).name or self.root
