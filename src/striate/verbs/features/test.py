"""The good-feature test on the user's pictures, written as a page and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from striate.cores import usable_cores
from striate.errors import DataError, PictureError, UsageError
from striate.features.repeatability.changes import CHANGES
from striate.features.repeatability.report import headline, sections
from striate.features.repeatability.results import FeatureTest
from striate.features.repeatability.settings import TrialSettings
from striate.features.repeatability.spots import KINDS
from striate.features.repeatability.trial import measure_detectors
from striate.pictures import read
from striate.runs.atomic import write_text
from striate.runs.page import render_page
from striate.types import Picture, Problem
from striate.verbs.files import find_pictures
from striate.verbs.model import FilePath
from striate.verbs.outputs import writable

__all__ = ["FeatureReport", "features_test"]


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """The test, the names of its pictures, what could not be read, and the files written."""

    test: FeatureTest
    names: tuple[str, ...]
    problems: tuple[Problem, ...]
    html: Path
    json: Path

    def to_dict(self) -> dict[str, object]:
        """The line of `striate features test --json`."""
        return {
            "names": list(self.names),
            "problems": [one.to_dict() for one in self.problems],
            "report": str(self.html),
            **self.test.to_dict(),
        }


def features_test(
    sources: Sequence[FilePath],
    out: FilePath,
    *,
    kinds: Sequence[str] = KINDS,
    changes: Sequence[str] = tuple(CHANGES),
    settings: TrialSettings | None = None,
    at_most: int = 10,
    overwrite: bool = False,
    listen: Callable[[int, int], None] | None = None,
) -> FeatureReport:
    """Measure detectors on pictures and write `out`/report.html and `out`/report.json.

    `sources`: files, folders, patterns; of more than `at_most` pictures, so many are taken, evenly.
    Raises `DataError` where not one can be read, `UsageError` where a report is there already.
    """
    if at_most < 1:
        raise UsageError(f"at most {at_most} pictures were asked for", expected="1 or more")
    page, data = (writable(Path(out) / f"report.{end}", overwrite=overwrite) for end in ("html", "json"))
    names, pictures, problems = _read(sources, Path(out), at_most)
    test = measure_detectors(
        pictures, kinds, changes=changes, settings=settings, threads=usable_cores(), listen=listen
    )
    found = FeatureReport(test, names, problems, page, data)
    write_text(data, json.dumps(found.to_dict(), indent=1, allow_nan=False) + "\n")
    write_text(page, _page(found))
    return found


def _read(
    sources: Sequence[FilePath], out: Path, at_most: int
) -> tuple[tuple[str, ...], list[Picture], tuple[Problem, ...]]:
    """Names and pixels of the pictures that can be read, and what is wrong with the others."""
    paths = list(find_pictures(sources, skip=out))
    if len(paths) > at_most:
        paths = [paths[index * len(paths) // at_most] for index in range(at_most)]
    names, pictures, problems = [], [], []
    for path in paths:
        try:
            pictures.append(read(path))
            names.append(path)
        except PictureError as error:
            problems.append(Problem("unreadable", "error", path, error.reason, error.remedy))
    if not pictures:
        if problems:
            raise DataError(f"not one of {len(problems)} pictures could be read: {problems[0].reason}")
        raise DataError("no pictures were found", expected="picture files, or folders that hold some")
    return tuple(names), pictures, tuple(problems)


def _page(found: FeatureReport) -> str:
    test, count = found.test, len(found.names)
    title = Path(found.names[0]).name if count == 1 else f"{count} pictures"
    strengths = sum(len(CHANGES[change].levels) for change in test.changes)
    intro = (
        "A good key point is found again when the picture changes, and can be told from all others. "
        f"{len(test.kinds)} detectors were run on {'this picture' if count == 1 else 'these pictures'} "
        f"under {len(test.changes)} kinds of change at {strengths} strengths, each with a known map "
        "from the picture to its changed copy."
    )
    return render_page(
        f"Good features in {title}",
        intro,
        sections(test),
        kind="striate features test",
        numbers=headline(test),
    )
