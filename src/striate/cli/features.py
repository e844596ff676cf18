"""`striate features show` and `match`: hand-made features, drawn and in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.cli.output import Output

if TYPE_CHECKING:
    from striate.features.matching import Match
    from striate.types import Picture

__all__ = ["match", "show"]

_FEW = 9
_IN_TITLE = ("kind", "found", "shown", "count", "length")


def show(
    picture: Path,
    /,
    *,
    kind: str = "sift",
    out: Path | None = None,
    limit: int | None = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Draw what a hand-made feature finds in a picture.

    Kinds: canny (edges); harris, shi-tomasi, fast (corners); log, dog, mser (spots and regions);
    ridges; sift, orb, akaze, kaze, brisk (key points); affine (regions that follow a change of
    viewpoint); haar (faces and the like); kernel; hog, lbp, colour. Some have variants after a colon:
    haar:eye, affine:mser, ridges:frangi, kernel:laplacian, kernel:'0 -1 0; -1 5 -1; 0 -1 0'. A wrong
    name lists what there is.

    Args:
        picture: A picture file.
        kind: What to find; sift by default.
        out: Draw it, to this picture file.
        limit: Keep only so many of what is found, the strongest; all by default.
        overwrite: Let --out replace a file that is there.
        json: Write one JSON object with all that was found.
    """
    from striate.verbs.features.show import show_file

    output = Output(json=json)
    found = show_file(picture, kind, limit=limit)
    _write(output, found.plot, out, overwrite=overwrite)
    facts = found.to_dict()
    if json:
        output.line({"picture": str(picture), "out": None if out is None else str(out)} | facts)
    else:
        output.facts(found.statement, _rows(found.facts))
    return 0


def match(
    first: Path,
    second: Path,
    /,
    *,
    kind: str = "sift",
    model: Literal["homography", "affine", "similarity"] = "homography",
    descriptor: Literal["sift", "rootsift", "orb"] | None = None,
    ratio: float = 0.8,
    threshold: float = 3.0,
    limit: int = 4000,
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Match two pictures by their key points.

    Points of both that are each other's nearest, and clearly so, are paired; the map that most pairs
    agree on is found (RANSAC), and is only believed if chance could not have made it. That there is
    none is an answer too: the exit code is 0.

    Args:
        first: A picture file.
        second: Where to look for it.
        kind: Key points: sift (the default), dog, log, harris, shi-tomasi, mser, orb, akaze, kaze,
            fast or brisk.
        model: The map: any view of a plane (the default); with parallels kept; turn, scale and shift
            only.
        descriptor: How points are compared; by default orb for orb points, rootsift for all others.
        ratio: Distance to the nearest, of that to the second nearest, at most; 0.8 by default.
        threshold: How far a mapped point may be from its partner, in pixels of the second picture; 3
            by default.
        limit: Compare so many points of each picture, the strongest; 4000 by default.
        seed: Of the random samples; the same seed gives the same answer.
        out: Draw both pictures side by side, with a line for each pair that fits, to this file.
        overwrite: Let --out replace a file that is there.
        json: Write one JSON object: counts, the matrix, and the points.
    """
    from striate.verbs.features.show import match_files

    output = Output(json=json)
    found = match_files(
        first,
        second,
        kind=kind,
        descriptor=descriptor,
        ratio=ratio,
        model=model,
        threshold_px=threshold,
        seed=seed,
        limit=limit,
    )
    _write(output, found.plot, out, overwrite=overwrite)
    if json:
        output.line({"first": str(first), "second": str(second)} | found.to_dict())
    else:
        output.facts(f"{first} and {second}", _match_rows(found))
    return 0


def _rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Facts for people, without what the title says and lists that are left to --json."""
    rows: list[tuple[str, str]] = []
    for name, value in facts.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping):
            rows.extend((f"{label}: {inner}", text) for inner, text in _rows(value))
        elif isinstance(value, list) and 0 < len(value) <= _FEW:
            apart = "; " if isinstance(value[0], list) else " "
            rows.append((label, apart.join(map(_numbers, value))))
        elif not isinstance(value, list) and name not in _IN_TITLE:
            rows.append((label, _numbers(value)))
    return rows


def _numbers(value: object) -> str:
    """Numbers without needless digits, a row of them with spaces between."""
    if isinstance(value, list):
        return " ".join(map(_numbers, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _match_rows(found: Match) -> list[tuple[str, str]]:
    inliers = int(found.inliers.sum())
    rows = [
        (
            "key points",
            f"{len(found.keypoints_a)} and {len(found.keypoints_b)} ({found.keypoints_a.kind})",
        ),
        ("matches", str(len(found.pairs))),
        ("inliers", f"{inliers} ({found.inlier_ratio:.1%}), within {found.threshold_px:.1f} pixels"),
    ]
    if found.matrix is None or found.scale_and_turn is None:
        return [*rows, ("no map", found.reason)]
    scale, turn = found.scale_and_turn
    way = "clockwise" if turn >= 0 else "counter-clockwise"
    rows.append(("in the second", f"{scale:.3f} times as large, turned {abs(turn):.1f}° {way}"))
    for name, row in zip((found.model, "", ""), found.matrix.tolist(), strict=True):
        rows.append((name, "  ".join(f"{value:12.6g}" for value in row)))
    return rows


def _write(output: Output, draw: Callable[[], Picture], out: Path | None, *, overwrite: bool) -> None:
    if out is None:
        return
    from striate.pictures import write

    write(draw(), out, overwrite=overwrite)
    output.say(f"drawn to {out}")
