"""`striate data convert`: boxes from one format to another, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.cli.output import Output
from striate.cli.progress import listener
from striate.engine.events import Stage, Step

if TYPE_CHECKING:
    from striate.verbs.data.convert import Converted

__all__ = ["convert"]

_LEFT = {
    "crowd": "marks of crowds",
    "difficult": "marks of difficult objects",
    "extras": "boxes with more than a class and a place (pose, outline …)",
}
_SHOWN = 3
_CLASSES = 12


def convert(
    source: str,
    /,
    *,
    to: Literal["coco", "yolo", "voc", "csv", "dlib", "yolo-obb", "dota"],
    out: Path,
    layout: Literal["coco", "yolo", "voc", "csv", "dlib", "yolo-obb", "dota"] | None = None,
    pictures: Literal["copy", "link", "none"] = "copy",
    repair: bool = False,
    json: bool = False,
) -> int:
    """Write a data set of boxes in another format; converting back gives the same, to the last bit.

    Boxes, classes and splits are written as the source tells them, errors included, which are listed;
    what the format cannot carry is counted. The folder appears when it is complete.

    Args:
        source: A folder, an annotation file or the name of an embedded set with boxes.
        to: The format to write; turned boxes need yolo-obb, dota or csv.
        out: Where to; must be new or empty, and outside the source.
        layout: The format of the source, where it cannot be told.
        pictures: Copy them, make hard links (no second copy on the disk), or write none.
        repair: Write boxes as training uses them: none that are empty or there twice, clipped.
        json: Write one JSON object, with all problems.
    """
    from striate.verbs.data.convert import convert as run

    output = Output(json=json)
    with listener(Output(err=output.err)) as tell:
        if not json:
            tell(Stage("convert", f"writing {to}"))
        done = run(
            source,
            out,
            to=to,
            layout=layout,
            pictures=pictures,
            repair=repair,
            on_progress=None if json else lambda count: tell(Step(count)),
        )
    if json:
        output.line(done.to_dict())
    else:
        _show(output, done)
    return 0


def _show(output: Output, done: Converted) -> None:
    splits = ", ".join(f"{name} {count}" for name, count in done.splits.items() if name != "all")
    classes = [f"{name} {count}" for name, count in list(done.counts.items())[:_CLASSES]]
    classes += [f"… {len(done.counts)} classes"] if len(done.counts) > _CLASSES else []
    rows = [
        ("read as", done.layout),
        ("folder", str(done.folder)),
        ("pictures", _counted(done.pictures, splits)),
        ("boxes", _counted(done.boxes, ", ".join(classes))),
    ]
    rows += [("not carried", f"{count} {_LEFT.get(name, name)}") for name, count in done.left.items()]
    output.facts(f"Written as {done.to}", rows)
    if done.problems:
        told = [
            (f"{one.key}{f' line {one.line}' if one.line else ''}: {one.reason}", "")
            for one in done.problems[:_SHOWN]
        ]
        more = len(done.problems) - _SHOWN
        told += [(f"and {more} more; --json lists all", "dim")] if more > 0 else []
        counted = ", ".join(f"{kind} × {count}" for kind, count in done.kinds().items())
        output.listing(f"Wrong in the source: {counted}", told, style="yellow")
    output.facts("Next", [("look at it", f"striate data check {done.folder}")], talk=True)


def _counted(count: int, parts: str) -> str:
    return f"{count} ({parts})" if parts else str(count)
