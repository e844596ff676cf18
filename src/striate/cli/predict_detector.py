"""Answers of detectors: what writes them, and tile by tile where that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli.answers import AnswerWriter, JsonFile, JsonLines
from striate.cli.bars import counting
from striate.cli.output import Output
from striate.cli.predict_table import DetectionLines, DetectionTable
from striate.cli.predict_wishes import Wishes
from striate.errors import UsageError
from striate.verbs.outputs import writable
from striate.verbs.predict.choice import Choice
from striate.verbs.predict.files import CocoFile, CsvDetections, DrawnDetections, YoloFolder
from striate.verbs.predict.outputs import own_folder
from striate.verbs.predict.sheet import RankedSheet

if TYPE_CHECKING:
    from striate.tasks.detect.config import DetectFacts
    from striate.verbs.model import Answer, Model

__all__ = ["detector_answers", "detector_writers"]

_SHEETS = (".html", ".htm", ".png", ".jpg", ".jpeg", ".webp")


class _Told:
    """Passes on what is told to machines: all answers, but for those that the user did not want."""

    def __init__(self, writer: AnswerWriter, choice: Choice) -> None:
        self._writer, self._choice = writer, choice

    def add(self, answer: Answer) -> None:
        self._writer.add(self._choice.answer(answer))

    def close(self) -> None:
        self._writer.close()


def detector_answers(
    model: Model, facts: DetectFacts, files: Iterable[str], wishes: Wishes, output: Output
) -> Iterator[Answer]:
    """The answer for each of `files`, with the progress of tiles shown."""
    tiling = wishes.tiling()
    if tiling is None:
        yield from model.predict_files(files)
        return
    from striate.verbs.predict.tiles import tiled_answers

    with counting(output, "looking", unit="tiles") as told:
        yield from tiled_answers(
            model,
            files,
            tiling,
            iou_threshold=facts.iou_threshold,
            agnostic=facts.nms == "agnostic",
            told=told,
        )


def detector_writers(
    model: Model, facts: DetectFacts, wishes: Wishes, output: Output
) -> list[AnswerWriter]:
    """What writes the answers; all places are checked before the first of them is opened."""
    choice = Choice(facts.show_from, wishes.min_score, wishes.top)
    overwrite = wishes.overwrite
    csv, sheet, coco = (
        None if path is None else writable(path, overwrite=overwrite)
        for path in (wishes.csv, _sheet(wishes.sheet), wishes.coco)
    )
    for flag, folder in (
        ("--out", wishes.out),
        ("--annotate", wishes.annotate),
        ("--yolo", wishes.yolo),
    ):
        if folder is not None:
            own_folder(folder, flag, overwrite=overwrite)
    writers: list[AnswerWriter] = [_main_writer(output, facts, choice)]
    if csv is not None:
        writers.append(_Told(CsvDetections(csv, turned=facts.oriented), choice))
    if coco is not None:
        writers.append(_Told(CocoFile(coco, facts.names), choice))
    if wishes.yolo is not None:
        writers.append(_Told(YoloFolder(wishes.yolo, facts.names), choice))
    if wishes.out is not None:
        writers.append(_Told(JsonFile(wishes.out / "predictions.jsonl", None), choice))
    writers += [
        DrawnDetections(folder, choice, overwrite=overwrite)
        for folder in (wishes.out, wishes.annotate)
        if folder is not None
    ]
    if sheet is not None:
        page = RankedSheet(
            sheet, f"What {model.run.name} found", facts.names, choice, overwrite=overwrite
        )
        writers.append(_Told(page, choice))
    return writers


def _main_writer(output: Output, facts: DetectFacts, choice: Choice) -> AnswerWriter:
    if output.json:
        return _Told(JsonLines(output, None), choice)
    if not output.live:
        return DetectionLines(output, choice)
    return DetectionTable(output, facts.names, choice)


def _sheet(path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in _SHEETS:
        raise UsageError(
            f"--sheet was given {path}", expected=f"a name that ends in {', '.join(_SHEETS)}"
        )
    return path
