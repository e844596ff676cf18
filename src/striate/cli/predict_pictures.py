"""Answers for pictures: from the model through every writer that was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli.answers import (
    AnnotatedPictures,
    AnswerWriter,
    CsvTable,
    JsonFile,
    JsonLines,
    Rows,
)
from striate.cli.output import Output
from striate.cli.predict_wishes import Wishes
from striate.errors import DataError

if TYPE_CHECKING:
    from striate.verbs.model import Answer, Model

__all__ = ["predict_pictures"]


def predict_pictures(
    model: Model, sources: Iterator[str], named: Sequence[str], wishes: Wishes, output: Output
) -> int:
    """Answer for the pictures behind `sources`; the exit code. `named`: they, in the user's words."""
    from striate.verbs.files import find_pictures

    files = find_pictures(sources, skip=wishes.out or wishes.annotate)
    asked = wishes.for_detectors()
    if model.header.task == "detect" or asked:
        from striate.cli.predict_detector import detector_answers, detector_writers
        from striate.verbs.predict.choice import detector_facts

        facts = detector_facts(model, asked[0] if asked else "")
        writers = detector_writers(model, facts, wishes, output)
        done, failed = _pass_on(detector_answers(model, facts, files, wishes, output), writers)
    else:
        done, failed = _pass_on(model.predict_files(files), _writers(model, wishes, output))
    if not done:
        raise DataError(
            f"there are no pictures in {', '.join(named)}",
            expected="JPEG, PNG, WEBP, AVIF, TIFF, BMP or GIF files",
        )
    for path in _written(wishes):
        output.say(f"written to {path}", style="dim")
    return DataError.exit_code if failed else 0


def _pass_on(answers: Iterable[Answer], writers: Sequence[AnswerWriter]) -> tuple[int, int]:
    """How many pictures were tried, and how many of them could not be read."""
    done = failed = 0
    try:
        for answer in answers:
            done += 1
            failed += answer.result is None
            for writer in writers:
                writer.add(answer)
    finally:
        for writer in writers:
            writer.close()
    return done, failed


def _writers(model: Model, wishes: Wishes, output: Output) -> list[AnswerWriter]:
    """What writes the answers of any task."""
    from striate.verbs.outputs import writable
    from striate.verbs.predict.outputs import own_folder

    top, overwrite = wishes.top, wishes.overwrite
    table = None if wishes.csv is None else writable(wishes.csv, overwrite=overwrite)
    folders = [("--out", wishes.out), ("--annotate", wishes.annotate)]
    drawn = [own_folder(path, flag, overwrite=overwrite) for flag, path in folders if path is not None]
    writers = [_main_writer(model, output, top)]
    if table is not None:
        writers.append(CsvTable(table))
    if wishes.out is not None:
        writers.append(JsonFile(wishes.out / "predictions.jsonl", top))
    writers += [AnnotatedPictures(path, model.task, overwrite=overwrite) for path in drawn]
    return writers


def _main_writer(model: Model, output: Output, top: int | None) -> AnswerWriter:
    if output.json:
        return JsonLines(output, top)
    if not output.live:
        return Rows(output, top)
    from striate.cli.people import Lines

    return Lines(output, model.names, top)


def _written(wishes: Wishes) -> list[Path]:
    places = (wishes.out, wishes.annotate, wishes.csv, wishes.sheet, wishes.coco, wishes.yolo)
    return [path for path in places if path is not None]
