"""`striate predict`: answers for pictures, as a table, JSON lines, CSV or annotated pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from striate.cli.answers import AnnotatedPictures, AnswerWriter, CsvTable, JsonLines, Rows
from striate.cli.commands import STDIN
from striate.cli.output import Output
from striate.errors import DataError, UsageError

if TYPE_CHECKING:
    from striate.verbs.model import Model

__all__ = ["paths_from", "predict"]


def predict(
    run: Path,
    /,
    *pictures: str,
    json: bool = False,
    csv: Path | None = None,
    annotate: Path | None = None,
    top: int | None = None,
    overwrite: bool = False,
    backend: Literal["onnxruntime", "openvino"] = "onnxruntime",
    threads: int = 0,
) -> int:
    """Answer for pictures with a trained run.

    One answer a picture, in order, as they become ready. A file that cannot be read is told and never
    stops the others; the exit code is then 3.

    Args:
        run: Folder of a trained run.
        pictures: Files, folders (all pictures within), patterns in quotes such as 'shots/*.png', or -
            to read paths from standard input, one a line.
        json: Write one JSON object a line.
        csv: Also write the answers to this file, with a column for each score.
        annotate: Also write each picture with its answer drawn on it to this folder, which must be new
            or empty.
        top: Show this many of the best classes for each picture.
        overwrite: Let --csv replace a file that is there.
        backend: What runs the model; openvino is an extra.
        threads: Processor cores to use; 0 takes all.
    """
    from striate.verbs.files import find_pictures
    from striate.verbs.model import load

    if not pictures:
        raise UsageError(
            "no pictures were named", remedy="name files, folders or patterns, or - for a list on stdin"
        )
    if top is not None and top < 1:
        raise UsageError(f"--top was given {top}", expected="a number from 1")
    output = Output(json=json)
    model = load(run, backend=backend, threads=threads)
    writers = [_main_writer(output, model, top)]
    if csv is not None:
        from striate.verbs.outputs import writable

        writers.append(CsvTable(writable(csv, overwrite=overwrite)))
    if annotate is not None:
        writers.append(AnnotatedPictures(annotate, model.task))
    files = find_pictures(paths_from(pictures, sys.stdin.buffer), skip=annotate)
    done, failed = _answer(model, files, writers)
    if not done:
        named = ", ".join("standard input" if word == STDIN else word for word in pictures)
        raise DataError(
            f"there are no pictures in {named}",
            expected="JPEG, PNG, WEBP, AVIF, TIFF, BMP or GIF files",
        )
    return DataError.exit_code if failed else 0


def _main_writer(output: Output, model: Model, top: int | None) -> AnswerWriter:
    if output.json:
        return JsonLines(output, top)
    if not output.live:
        return Rows(output, top)
    from striate.cli.people import Lines

    return Lines(output, model.names, top)


def _answer(model: Model, files: Iterator[str], writers: Sequence[AnswerWriter]) -> tuple[int, int]:
    """How many pictures were tried, and how many of them could not be read."""
    done = failed = 0
    try:
        for answer in model.predict_files(files):
            done += 1
            failed += answer.result is None
            for writer in writers:
                writer.add(answer)
    finally:
        for writer in writers:
            writer.close()
    return done, failed


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
