"""`striate data check`: what is wrong with a data set, where, why it matters, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.cli.output import Output
from striate.cli.progress import listener
from striate.engine.events import Stage, Step
from striate.errors import DataError, SettingError, UsageError

if TYPE_CHECKING:
    from striate.data.check import CheckReport
    from striate.data.dataset import Dataset
    from striate.data.manifest import Cleaned
    from striate.types import Problem, SizeHW

__all__ = ["check"]

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_SHOWN = 3
_CLASSES = 12


def check(
    source: str,
    /,
    *,
    task: str | None = None,
    path_column: str | None = None,
    target: str | None = None,
    fix: bool = False,
    out: Path | None = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Find what is wrong with a data set; nothing is changed.

    Looks for unreadable files, wrong labels, rare and missing classes, exact and near duplicates,
    copies across train and test, and pictures that are tiny, blank or oddly shaped; of boxes for those
    that are empty, outside, flipped, tiny or there twice. The exit code is 3 where something must be
    mended.

    Args:
        source: A folder, a table or the name of an embedded set, as for striate train.
        task: What is to be learnt from it: detect reads boxes, regress numbers, classify classes; by
            default detect where there are boxes, else classify.
        path_column: Column of a table with the picture's path.
        target: Column(s) of a table with the label or the numbers, separated by commas.
        fix: Write a cleaned list of the pictures to train on, and leave out what cannot be used.
        out: File for that list, .csv or .jsonl; by default NAME-clean.csv here.
        overwrite: Let --fix replace a file that is there.
        json: Write one JSON object with all findings.
    """
    from striate.data.boxes.read import is_boxes, read_boxes
    from striate.data.check import check as look
    from striate.data.manifest import write_manifest
    from striate.task import task_type

    if out is not None and not fix:
        raise SettingError("--out was given without --fix", remedy="add --fix to write the cleaned list")
    output = Output(json=json)
    columns = {"path_column": path_column, "target": target}
    wishes = {name: value for name, value in columns.items() if value is not None}
    dataset: Dataset[Any]
    if task == "detect" or (task is None and not wishes and is_boxes(source)):
        if fix:
            raise UsageError(
                "--fix lists pictures with their classes, and has no place for boxes",
                remedy="write a mended copy: striate data convert DIR --to coco --repair --out DIR2",
            )
        dataset = read_boxes(source)
    else:
        kind = task_type(task or "classify")
        dataset = kind(kind.config_type.parse(wishes)).read(source)
    with listener(Output(err=output.err)) as tell:
        if not json:
            tell(Stage("look", f"looking at {len(dataset)} pictures", total=len(dataset)))
        report = look(dataset, on_progress=None if json else lambda done: tell(Step(done)))
    cleaned = None
    if fix:
        name = out if out is not None else Path(f"{report.dataset.shown_root()}-clean.csv")
        cleaned = write_manifest(report, name, overwrite=overwrite)
    if json:
        output.line(report.to_dict() | ({} if cleaned is None else {"manifest": cleaned.to_dict()}))
    else:
        _show(output, report, cleaned)
    return 0 if report.ok or fix else DataError.exit_code


def _show(output: Output, report: CheckReport, cleaned: Cleaned | None) -> None:
    output.facts(report.dataset.shown_root(), _overview(report))
    for severity in ("error", "warning", "note"):
        kinds = dict.fromkeys(one.kind for one in report.problems if one.severity == severity)
        for kind in kinds:
            found = [one for one in report.problems if one.kind == kind and one.severity == severity]
            _show_kind(output, kind, severity, found)
    if not report.problems:
        output.facts("Nothing to mend", [])
    if cleaned is not None:
        rows = [("file", cleaned.path), ("kept", f"{cleaned.kept} pictures")]
        rows += [("left out", f"{count} × {kind}") for kind, count in cleaned.left_out.items()]
        output.facts("Cleaned list", rows)
        output.facts("Next", [("train on it", f"striate train {cleaned.path} --out RUN")], talk=True)


def _show_kind(output: Output, kind: str, severity: str, found: Sequence[Problem]) -> None:
    """A heading with the count, the first few files with their reason, and what to do."""
    lines = []
    for one in found[:_SHOWN]:
        line = f" line {one.line}" if one.line is not None else ""
        lines.append((f"{one.key}{line}: {one.reason}{_others(one)}", ""))
    if len(found) > _SHOWN:
        lines.append((f"and {len(found) - _SHOWN} more; --json lists all", "dim"))
    lines += [(f"→ {repair}", "green") for repair in dict.fromkeys(one.repair for one in found[:_SHOWN])]
    output.listing(f"{severity}: {kind} × {len(found)}", lines, style=_STYLES[severity])


def _others(problem: Problem) -> str:
    """The other files concerned, where the reason does not name them itself."""
    told = [key for key in problem.others if key not in problem.reason]
    if not told:
        return ""
    return f" (also {', '.join(told[:2])}{f' and {len(told) - 2} more' if len(told) > 2 else ''})"


def _overview(report: CheckReport) -> list[tuple[str, str]]:
    rows = [("layout", report.dataset.layout), ("pictures", str(len(report.dataset)))]
    if report.objects is not None:
        rows.append(("boxes", _boxes(report.objects)))
    for split, counts in report.counts.items():
        shown = [f"{name} {count}" for name, count in list(counts.items())[:_CLASSES]]
        more = [f"… {len(counts)} classes"] if len(counts) > _CLASSES else []
        rows.append(("classes" if split == "all" else split, ", ".join(shown + more)))
    if report.sizes_hw:
        rows.append(("sizes", _sizes(report.sizes_hw)))
        rows.append(("stored as", ", ".join(f"{k} {n}" for k, n in list(report.stored_as.items())[:4])))
    return rows


def _boxes(objects: Sequence[int]) -> str:
    total, without = sum(objects), objects.count(0)
    told = f"{total}, {total / len(objects):.1f} a picture, at most {max(objects)}"
    return told + (f"; {without} pictures have none" if without else "")


def _sizes(sizes_hw: Sequence[SizeHW]) -> str:
    small, middle, large = (f"{width} × {height}" for height, width in sizes_hw)
    return middle if small == large else f"{small} to {large}, mostly about {middle}"
