"""A cleaned list of a data set's pictures, as a table that striate reads; no picture is touched."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from striate.data.check import CheckReport
from striate.data.dataset import Record
from striate.data.findings import is_labels
from striate.data.grouping import Groups
from striate.data.origins import FileOrigin
from striate.errors import DiskError, SettingError, UsageError
from striate.pictures.sources import shown_name
from striate.types import Split

__all__ = ["Cleaned", "write_manifest"]

IMPORTANCE: Mapping[Split | None, int] = {None: 0, "train": 0, "validation": 1, "test": 2}
"""Which copy stays: what is measured counts more than what is trained on."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What `write_manifest` did: where, how many rows, and how many records were left out for what."""

    path: str
    kept: int
    left_out: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"path": shown_name(self.path), "kept": self.kept, "left_out": dict(self.left_out)}


def write_manifest(report: CheckReport, path: str | Path, *, overwrite: bool = False) -> Cleaned:
    """Write the records worth using to `path` (.csv or .jsonl), one row each; no picture is changed.

    Left out are pictures that cannot be read, all copies of a picture whose copies contradict one
    another, exact copies but one, and copies of a measured picture in a split that is trained on (the
    test split stays whole). Near duplicates that stay get a common `group`, so that they never part.
    Columns: path (relative to the table where that is possible), label, labels (divided by ;) or the
    names of the numbers, and split and group where there are any.

    A `UsageError` if the file exists or the data set has no files, a `DiskError` if it cannot be
    written.
    """
    target = Path(path)
    _check_target(report, target, overwrite=overwrite)
    left_out = _left_out(report)
    kept = [i for i in range(len(report.dataset)) if i not in left_out]
    rows = _rows(report, kept, Path(os.path.realpath(target.parent)), as_json=target.suffix == ".jsonl")
    text = _json_text(rows) if target.suffix == ".jsonl" else _csv_text(rows)
    _write_whole(target, text.encode("utf-8"))
    return Cleaned(str(target), len(kept), dict(Counter(left_out.values())))


def _check_target(report: CheckReport, target: Path, *, overwrite: bool) -> None:
    if target.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"{target.name} is no table", expected="a name that ends in .csv or .jsonl")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists", remedy="choose another name, or overwrite it explicitly")
    if not all(isinstance(record.origin, FileOrigin) for record in report.dataset):
        raise UsageError(
            f"the pictures of {report.dataset.shown_root()} are not files of their own",
            expected="class folders or a table",
            remedy="there is nothing to mend in this kind of data set",
        )


def _left_out(report: CheckReport) -> dict[int, str]:
    """Records that are not worth using, by number, with the kind of reason."""
    records = report.dataset.records
    found = dict.fromkeys(report.unreadable, "unreadable")
    for group in report.duplicates.exact:
        if len({records[i].target for i in group}) > 1:
            found |= dict.fromkeys(group, "label-conflict")
            continue
        best = max(IMPORTANCE[records[i].split] for i in group)
        stays = [i for i in group if IMPORTANCE[records[i].split] == best]
        for i in group:
            if i not in stays:
                found[i] = "leakage"
            elif i != stays[0] and records[i].split != "test":
                found[i] = "exact-duplicate"
    for group in report.duplicates.near:
        alive = [i for i in group if i not in found]
        best = max((IMPORTANCE[records[i].split] for i in alive), default=0)
        found |= {i: "leakage" for i in alive if IMPORTANCE[records[i].split] < best}
    return found


def _rows(
    report: CheckReport, kept: Sequence[int], folder: Path, *, as_json: bool
) -> list[dict[str, Any]]:
    dataset = report.dataset
    groups = _groups(report, kept)
    with_split = any(dataset.records[i].split for i in kept)
    labels = is_labels(dataset)
    several = labels and any(len(dataset.records[i].target) != 1 for i in kept)
    rows = []
    for i in kept:
        record = dataset.records[i]
        row: dict[str, Any] = {"path": _path_cell(record, folder)}
        if not labels:
            row |= dict(zip(dataset.names, record.target, strict=True))
        elif several:
            row["labels"] = list(record.target) if as_json else _joined(record)
        else:
            row["label"] = record.target[0]
        row |= {"split": record.split or ""} if with_split else {}
        row |= {"group": groups.get(i, "")} if groups else {}
        rows.append(row)
    return rows


def _joined(record: Record[Any]) -> str:
    if any(";" in name or "|" in name for name in record.target):
        raise SettingError(
            f"a label of {shown_name(record.key)} holds ; or |, which divide labels in CSV",
            remedy="write a .jsonl table instead",
        )
    return ";".join(record.target)


def _groups(report: CheckReport, kept: Sequence[int]) -> dict[int, str]:
    """A group name for each kept record that has one, or is nearly the same as another kept one."""
    records, staying = report.dataset.records, set(kept)
    joined = Groups(len(records))
    joined.join_equal((i, records[i].group) for i in kept if records[i].group is not None)
    for copies in (*report.duplicates.near, *report.duplicates.exact):
        joined.join(i for i in copies if i in staying)
    found: dict[int, str] = {}
    for members in joined.sets():
        names = [group for i in members if (group := records[i].group)]
        if names or len(members) > 1:
            found |= dict.fromkeys(members, names[0] if names else f"near-{members[0]:06d}")
    return found


def _path_cell(record: Record[Any], folder: Path) -> str:
    assert isinstance(record.origin, FileOrigin)  # checked at the start
    path = os.path.abspath(record.origin.path)  # noqa: PTH100 - text, for names that are not UTF-8
    inside = f"{folder}{os.sep}"
    cell = path[len(inside) :].replace(os.sep, "/") if path.startswith(inside) else path
    if shown_name(cell) != cell or cell != cell.strip() or cell.startswith("file:"):
        return "file://" + quote_from_bytes(os.fsencode(path))
    return cell


def _csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["path"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _json_text(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _write_whole(target: Path, data: bytes) -> None:
    """Write `target` so that it is never seen half written."""
    beside = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with beside.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise DiskError(
            f"{target} cannot be written: {reason}",
            remedy="free some space, or choose a folder you may write to",
        ) from error
