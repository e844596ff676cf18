"""`striate features train-parts` and `find-parts`: objects by their parts."""

from __future__ import annotations

import sys
from pathlib import Path

from striate.cli.output import Output
from striate.errors import DataError, UsageError

__all__ = ["find", "train"]


def train(
    data: str,
    /,
    *,
    label: str,
    out: Path,
    parts: int = 6,
    components: int = 1,
    cells: int = 60,
    rounds: int = 3,
    pictures: int = 100,
    seed: int = 0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Train a detector of objects by their parts on marked pictures.

    A coarse filter for the whole object and finer ones for parts that may move a little, over
    histograms of gradients (Felzenszwalb and others 2010). A fifth of the pictures is held out to
    measure on. Some tens of marked objects are enough to start with; no network, no download.

    Args:
        data: The word scenes for drawn streets, a COCO annotation file, or a folder that holds
            annotations.json beside its pictures. Every object of the class must be marked.
        label: The class to learn, such as car.
        out: File for the model; its name ends in .npz.
        parts: Parts of the object; 0 for the whole alone.
        components: Views that get filters of their own, such as side and front.
        cells: Cells of 8 × 8 pixels in the filter of the whole, about.
        rounds: Times that parts are placed anew and everything is learnt again.
        pictures: How many to draw, where data is scenes.
        seed: Seed of everything random.
        json: Write one JSON object.
        overwrite: Let --out replace a file that is there.
    """
    from striate.features.parts.settings import PartsSettings
    from striate.verbs.features.parts import train_parts_model

    output = Output(json=json)
    settings = PartsSettings.parse(
        {"parts": parts, "components": components, "cells": cells, "rounds": rounds, "seed": seed}
    )
    if pictures < 1:
        raise UsageError(f"--pictures was given {pictures}", expected="a number from 1")
    found = train_parts_model(
        data, label, out, settings=settings, pictures=pictures, overwrite=overwrite, listen=output.say
    )
    if json:
        output.line(found.to_dict())
        return 0
    rows = [
        ("objects", f"{found.objects[0]} to learn from, {found.objects[1]} held out"),
        ("AP at 0.5", f"{found.ap:.3f} on the pictures held out"),
    ]
    rows += [("without parts", f"{found.ap_root:.3f}")] if parts else []
    several = len(found.model.part_names) > 1
    for number, names in enumerate(found.model.part_names, start=1):
        rows += [(f"parts, view {number}" if several else "parts", ", ".join(names))] if names else []
    output.facts(f"A detector for {label}", rows)
    output.facts(
        "Next", [("use", f"striate features find-parts {found.path} PICTURE --out FOUND.png")], talk=True
    )
    return 0


def find(
    model: Path,
    /,
    *pictures: str,
    out: Path | None = None,
    names: str = "",
    least: float = 0.0,
    json: bool = False,
    overwrite: bool = False,
) -> int:
    """Find objects by their parts, and tell which part spoke most for each.

    Args:
        model: A file that striate features train-parts wrote.
        pictures: Files, folders, patterns in quotes, or - for paths on standard input.
        out: Draw the objects and their parts: a picture file, or for several pictures a folder.
        names: Other words for the parts, with commas between.
        least: Score from which an object is reported; below 0 more is found, and more wrongly.
        json: Write one JSON object a picture.
        overwrite: Let --out replace files that are there.
    """
    from striate.cli.predict import paths_from
    from striate.verbs.features.parts import find_parts

    if not pictures:
        raise UsageError("no pictures were named", remedy="name files, folders or patterns")
    output = Output(json=json)
    words = [word.strip() for word in names.split(",")] if names else []
    failed = False
    sources = list(paths_from(pictures, sys.stdin.buffer))
    for one in find_parts(model, sources, out=out, names=words, least=least, overwrite=overwrite):
        failed = failed or one.problem is not None
        if json:
            output.line(one.to_dict())
        elif one.problem is not None:
            output.say(f"{one.path}: {one.problem.reason}", style="yellow")
        else:
            sentences = [reason.sentence for reason in one.explanations] or ["nothing found"]
            for sentence in sentences:
                output.row((one.path, sentence))
            if one.drawn is not None:
                output.say(f"drawn to {one.drawn}")
    return DataError.exit_code if failed else 0
