"""`striate features propose`: boxes that may hold an object, and how many objects they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.cli.bars import watched
from striate.cli.output import Output
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.verbs.features.propose import ProposalReport, ProposedPicture

__all__ = ["propose"]


def propose(
    source: str,
    /,
    *,
    method: str = "selective-search",
    most: int = 2000,
    out: Path | None = None,
    stages: Path | None = None,
    split: Literal["train", "validation", "test"] | None = None,
    at_most: int = 100,
    seed: int = 0,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Propose boxes that may hold an object, of whatever class.

    Given a picture, answers the boxes, best first, in its pixels. Given a data set with boxes, measures
    how many of its objects are among them: the ceiling of any detector that classifies proposals.
    Methods: selective-search (regions merged by likeness; about half a second a picture),
    selective-search-quality (ten times as many ways), edge-boxes (windows that hold whole contours),
    grid (sliding windows: the baseline).

    Args:
        source: A picture file, or a data set with boxes: a COCO, VOC, YOLO, CSV or dlib folder or file,
            or the word scenes.
        method: One of the methods above; for a data set several with commas between, or all, which
            leaves out the slow one.
        most: Keep so many boxes a picture, the best.
        out: For a picture, draw the best 30 to this picture file; for a data set, write curves, tables
            and examples to this .html file.
        stages: For a picture, draw how selective search merges regions, to this picture file.
        split: Of a data set, only the pictures of this split; all by default.
        at_most: Of a data set with more pictures, take so many, spread evenly.
        seed: Of what is drawn at random; the same seed gives the same boxes.
        overwrite: Let --out and --stages replace files that are there.
        json: Write one JSON object: the boxes, or the recall.
    """
    from striate.verbs.features.propose import (
        is_one_picture,
        methods_from,
        propose_picture,
        propose_set,
    )

    output, methods = Output(json=json), methods_from(method)
    if is_one_picture(source):
        if len(methods) > 1:
            raise UsageError("several methods were named for one picture", expected="one --method")
        _check_endings(out, stages, of_picture=True)
        one = propose_picture(source, method=methods[0], most=most, seed=seed)
        _draw(output, one, out, stages, overwrite=overwrite)
        _tell_picture(output, one)
        return 0
    _check_endings(out, stages, of_picture=False)
    with watched(output, unit="pictures") as listen:
        report = propose_set(
            source,
            methods=methods,
            most=most,
            split=split,
            at_most=at_most,
            seed=seed,
            listen=listen,
        )
    if out is not None:
        from striate.verbs.features.propose_page import write_proposal_page

        write_proposal_page(report, out, overwrite=overwrite)
    _tell_set(output, report, out)
    return 0


def _check_endings(out: Path | None, stages: Path | None, *, of_picture: bool) -> None:
    """Before any work is done."""
    html = (".html", ".htm")
    if of_picture and out is not None and out.suffix.lower() in html:
        raise UsageError(f"--out is {out}, and one picture was given", expected="a picture file")
    if not of_picture and stages is not None:
        raise UsageError("--stages was given with a data set", expected="one picture")
    if not of_picture and out is not None and out.suffix.lower() not in html:
        raise UsageError(f"--out is {out}, and a data set was given", expected="a .html file")


def _draw(
    output: Output, one: ProposedPicture, out: Path | None, stages: Path | None, *, overwrite: bool
) -> None:
    from striate.pictures import write

    for path, make in ((out, one.plot), (stages, one.stages)):
        if path is not None:
            write(make(), path, overwrite=overwrite)
            output.say(f"drawn to {path}")


def _tell_picture(output: Output, one: ProposedPicture) -> None:
    if output.json:
        output.line(one.to_dict())
        return
    height, width = one.size_hw
    rows = [
        ("boxes", f"{len(one.proposals)}, of {one.proposals.found} found"),
        ("picture", f"{width} × {height} pixels"),
        ("time", f"{one.seconds:.2f} s"),
    ]
    for number, box in enumerate(one.proposals.boxes_xyxy[:5].tolist(), start=1):
        rows.append((f"box {number}", " ".join(f"{edge:g}" for edge in box)))
    output.facts(f"{one.method} in {one.path}", rows)


def _tell_set(output: Output, report: ProposalReport, out: Path | None) -> None:
    if output.json:
        output.line(report.to_dict())
        return
    output.facts(
        f"Proposals for {report.source}",
        [
            ("pictures", str(report.pictures)),
            ("objects", str(report.objects)),
            ("sliding window", f"{report.windows:,.0f} windows a picture at an overlap of 0.65"),
        ],
    )
    counts = report.methods[0].curve.counts
    head = ("recall at IoU 0.5", *map(str, counts), "0.7", "average", "s a picture")
    rows = [head]
    for one in report.methods:
        at_half = [f"{one.curve.at(count, 0.5):.3f}" for count in counts]
        fine = f"{one.curve.at(counts[-1], 0.7):.3f}", f"{one.curve.average()[-1]:.3f}"
        rows.append((one.method, *at_half, *fine, f"{one.seconds:.2f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        output.text(f"  {row[0].ljust(widths[0])}  {'  '.join(cells)}\n")
    for problem in report.problems:
        output.say(f"left out: {problem.key}: {problem.reason}", style="yellow")
    if out is not None:
        output.facts("Next", [("look", str(out))], talk=True)
