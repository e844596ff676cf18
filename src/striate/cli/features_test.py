"""`striate features test`: which detector finds the same key points again when the picture changes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli.bars import counting
from striate.cli.output import Output
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.verbs.features.test import FeatureReport

__all__ = ["measure"]


def measure(
    *pictures: str,
    out: Path,
    kinds: str = "",
    changes: str = "",
    limit: int = 500,
    overlap: float = 0.4,
    longest: int = 640,
    at_most: int = 10,
    seed: int = 0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Measure how repeatable each detector is on your pictures.

    Each picture is shrunk, turned, tilted, relit, blurred, made noisy and partly hidden in known ways.
    A good detector finds the same regions again (repeatability), and their descriptors find each other
    (matching score) and nothing else (distinctness). Writes report.html and report.json. About half a
    minute a picture with all detectors.

    Args:
        pictures: Files, folders, patterns in quotes such as 'shots/*.png', or - for paths on standard
            input.
        out: Folder for the report.
        kinds: Detectors, with commas between: sift, dog, log, harris, shi-tomasi, mser, orb, akaze,
            kaze, fast, brisk, harris-affine, hessian-affine. All by default.
        changes: Changes, with commas between: scale, rotation, viewpoint, gain, gamma, noise, blur,
            hidden. All by default.
        limit: Each detector keeps so many of its strongest key points.
        overlap: Overlap error below which two regions are the same, up to 0.5.
        longest: Larger pictures are scaled down to this side first.
        at_most: Of more pictures, take so many, spread evenly.
        seed: Seed of noise and patches.
        json: Write one JSON object with every score.
        overwrite: Replace the report of an earlier test.
    """
    from striate.cli.predict import paths_from
    from striate.features.repeatability.changes import CHANGES
    from striate.features.repeatability.settings import TrialSettings
    from striate.features.repeatability.spots import KINDS
    from striate.verbs.features.test import features_test

    if not pictures:
        raise UsageError("no pictures were named", remedy="name files, folders or patterns")
    output = Output(json=json)
    settings = TrialSettings.parse(
        {"limit": limit, "overlap": overlap, "longest": longest, "seed": seed}
    )
    with counting(output, "changing, finding, comparing", unit="pictures") as listen:
        found = features_test(
            list(paths_from(pictures, sys.stdin.buffer)),
            out,
            kinds=_names(kinds) or KINDS,
            changes=_names(changes) or tuple(CHANGES),
            settings=settings,
            at_most=at_most,
            overwrite=overwrite,
            listen=listen,
        )
    if json:
        output.line(found.to_dict())
    else:
        _show(output, found)
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _show(output: Output, found: FeatureReport) -> None:
    """The table, the best first; then what could not be read, and where the report is."""
    from striate.features.repeatability.report import shown

    head = ("", "repeatability", "chance", "above", "matching", "distinctness", "points", "ms")
    rows: list[tuple[str, ...]] = [head]
    for one in found.test.summaries():
        shares = (one.repeatability, one.chance, one.above_chance, one.matching, one.distinctness)
        counts = (shown(one.key_points, 0), shown(one.milliseconds, 1))
        rows.append((one.kind, *map(shown, shares), *counts))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        output.text(f"{row[0].ljust(len(first))}  {'  '.join(rest)}\n")
    for problem in found.problems:
        output.say(f"left out: {problem.key}: {problem.reason}", style="yellow")
    output.facts("Next", [("look", str(found.html)), ("data", str(found.json))], talk=True)
