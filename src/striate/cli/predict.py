"""`striate predict`: answers for pictures, as a table, JSON lines, CSV or annotated pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from cyclopts import Parameter

from striate.cli.commands import STDIN
from striate.cli.output import Output
from striate.cli.predict_wishes import Wishes
from striate.errors import UsageError

__all__ = ["paths_from", "predict"]

_FILES = Parameter(group="Files")
_DETECTORS = Parameter(group="Detectors")
_FILMS = Parameter(group="Films, with detectors")


def predict(
    run: Path,
    /,
    *pictures: str,
    json: bool = False,
    top: int | None = None,
    backend: Literal["onnxruntime", "openvino"] = "onnxruntime",
    threads: int = 0,
    out: Annotated[Path | None, _FILES] = None,
    annotate: Annotated[Path | None, _FILES] = None,
    csv: Annotated[Path | None, _FILES] = None,
    overwrite: Annotated[bool, _FILES] = False,
    min_score: Annotated[float | None, _DETECTORS] = None,
    tile: Annotated[int | None, _DETECTORS] = None,
    overlap: Annotated[float, _DETECTORS] = 0.2,
    tiles_only: Annotated[bool, _DETECTORS] = False,
    sheet: Annotated[Path | None, _DETECTORS] = None,
    coco: Annotated[Path | None, _DETECTORS] = None,
    yolo: Annotated[Path | None, _DETECTORS] = None,
    track: Annotated[bool, _FILMS] = False,
    every: Annotated[int, _FILMS] = 1,
    camera: Annotated[int | None, _FILMS] = None,
    codec: Annotated[Literal["vp9", "mpeg4"], _FILMS] = "vp9",
) -> int:
    """Answer for pictures with a trained run.

    One answer a picture, in order, as they become ready. A file that cannot be read is told and never
    stops the others; the exit code is then 3. A detector answers for films too: name video files,
    animated GIF or WEBP files with --track, or --camera.

    Args:
        run: Folder of a trained run.
        pictures: Files, folders (all pictures within), patterns in quotes such as 'shots/*.png', or -
            to read paths from standard input, one a line.
        json: Write one JSON object a line.
        top: Show this many of the best classes for each picture; of a detector, the best answers.
        backend: What runs the model; openvino is an extra.
        threads: Processor cores to use; 0 takes all.
        out: Write the answers as predictions.jsonl and the annotated pictures to this folder; of a
            film the annotated video and a line for each frame.
        annotate: Write each picture with its answer drawn on it to this folder.
        csv: Write the answers to this file, with a column for each score, or a row for each detection.
        overwrite: Let files that are there be replaced.
        min_score: Leave out what scores less. By default files and --json have every answer, and only
            those that the run holds for likely are drawn and listed.
        tile: Cut large pictures into tiles of this side, in pixels, so that small objects are found.
        overlap: How much neighbouring tiles share, from 0 to 0.9 of their side.
        tiles_only: Leave out the look at the whole picture, which finds what is larger than the overlap.
        sheet: Write crops of what was found, best first, as a page (.html) or contact sheet (.png).
        coco: Write a COCO data set with scores to this JSON file.
        yolo: Write a text file for each picture, in the form of YOLO with scores, to this folder.
        track: Follow objects through a film and number them; needs the extra track.
        every: Take each N-th frame.
        camera: Answer for what this camera sees, from 0, until you press Ctrl+C.
        codec: How the film is written: vp9 plays in browsers, mpeg4 is quick and plays in VLC.
    """
    from striate.verbs.model import load

    wishes = Wishes(
        out, annotate, csv, overwrite, top, min_score, tile, overlap, tiles_only, sheet, coco, yolo,
        track, every, camera, codec,
    )  # fmt: skip
    wishes.check()
    output = Output(json=json)
    films = _films(pictures, animated=track or every > 1)
    if films or camera is not None:
        from striate.cli.predict_film import predict_films

        wishes.check_films(named=len(pictures), films=len(films), json=json)
        model = load(run, backend=backend, threads=threads)
        return predict_films(model, films, wishes, output)
    if not pictures:
        raise UsageError(
            "no pictures were named", remedy="name files, folders or patterns, or - for a list on stdin"
        )
    from striate.cli.predict_pictures import predict_pictures

    wishes.check_pictures()
    model = load(run, backend=backend, threads=threads)
    named = ["standard input" if word == STDIN else word for word in pictures]
    return predict_pictures(model, paths_from(pictures, sys.stdin.buffer), named, wishes, output)


def _films(words: Sequence[str], *, animated: bool) -> list[str]:
    """Those of `words` that name a film; `animated` pictures are films where the user means them so."""
    from striate.pictures.video import is_animation, is_video_name

    return [
        word
        for word in words
        if word != STDIN
        and not Path(word).is_dir()
        and (is_video_name(word) or (animated and is_animation(word)))
    ]


def paths_from(words: Sequence[str], stdin: BinaryIO) -> Iterator[str]:
    """`words`, with the paths that stand on `stdin` in the place of `-`: one a line, or NUL between."""
    for word in words:
        if word != STDIN:
            yield word
            continue
        for line in stdin:
            for part in line.rstrip(b"\r\n").split(b"\0"):
                if part:
                    yield os.fsdecode(part)
