"""Hand-made features of picture files: show one kind, match two pictures."""

from __future__ import annotations

import os
from pathlib import Path

from striate.errors import UsageError
from striate.features.matching import Match, MatchModel, match
from striate.features.show import Shown, show
from striate.pictures import read

__all__ = ["match_files", "show_file"]

FilePath = str | os.PathLike[str]


def show_file(picture: FilePath, kind: str, *, limit: int | None = None) -> Shown:
    """Draw what a feature of `kind` finds in a picture file: see `striate.features.show.show`.

    `PictureError` for a file that is no picture, `UsageError` for a kind or limit that cannot be.
    """
    return show(read(Path(picture)), kind, limit=limit)


def match_files(
    picture_a: FilePath,
    picture_b: FilePath,
    *,
    kind: str = "sift",
    descriptor: str | None = None,
    ratio: float = 0.8,
    model: MatchModel = "homography",
    threshold_px: float = 3.0,
    seed: int = 0,
    limit: int = 4000,
) -> Match:
    """Find the places of one picture file in another: see `striate.features.matching.match`.

    `PictureError` for a file that is no picture, `UsageError` for an argument that cannot be.
    """
    for name, value, good, expected in (
        ("ratio", ratio, 0 < ratio <= 1, "a number above 0, at most 1"),
        ("threshold", threshold_px, 0 < threshold_px < float("inf"), "pixels, above 0"),
        ("limit", limit, limit >= 1, "a number from 1"),
        ("seed", seed, seed >= 0, "a number from 0"),
    ):
        if not good:
            raise UsageError(f"the {name} is {value}", expected=expected)
    return match(
        read(Path(picture_a)),
        read(Path(picture_b)),
        kind=kind,
        descriptor=descriptor,
        ratio=ratio,
        model=model,
        threshold_px=threshold_px,
        seed=seed,
        limit=limit,
    )
