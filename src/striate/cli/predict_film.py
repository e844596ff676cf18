"""Answers for films and cameras: each film with a bar, and what came of it at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from striate.cli.bars import counting
from striate.cli.output import Output
from striate.cli.predict_table import counted
from striate.cli.predict_wishes import Wishes
from striate.cli.progress import duration
from striate.errors import DataError
from striate.verbs.predict.choice import Choice, detector_facts
from striate.verbs.predict.frames import Film, Frame, open_camera, open_film
from striate.verbs.predict.outputs import FreeNames, own_folder
from striate.verbs.predict.tracks import Tracks
from striate.verbs.predict.video import FilmFiles, FilmSummary, FrameWriter, frame_answers, predict_film

if TYPE_CHECKING:
    from striate.tasks.detect.config import DetectFacts
    from striate.tasks.detect.types import Detections
    from striate.verbs.model import Model

__all__ = ["predict_films"]


def predict_films(model: Model, films: Sequence[str], wishes: Wishes, output: Output) -> int:
    """Answer for `films`, and the camera that was asked for; the exit code.

    A film that cannot be read is told and does not stop the others.
    """
    facts = detector_facts(model, "a film or camera")
    if wishes.out is not None:
        own_folder(wishes.out, "--out", overwrite=wishes.overwrite)
    openers: list[Callable[[], Film]] = [partial(open_film, one, every=wishes.every) for one in films]
    if wishes.camera is not None:
        openers.append(partial(open_camera, wishes.camera, every=wishes.every))
    names, code = FreeNames(), 0
    for opened in openers:
        try:
            film = opened()
        except DataError as error:
            output.fail(error)
            code = error.exit_code
            continue
        with closing(film):
            _answer(model, facts, film, names, wishes, output)
    return code


def _answer(
    model: Model, facts: DetectFacts, film: Film, names: FreeNames, wishes: Wishes, output: Output
) -> None:
    """Answer one film, write what is asked for, and tell what came of it."""
    choice = Choice(facts.show_from, wishes.min_score, wishes.top)
    tracks = Tracks(fps=film.fps, sure=choice.shown_from) if wishes.track else None
    files: FilmFiles | None = None
    with ExitStack() as stack:
        told = stack.enter_context(counting(output, Path(film.name).name, unit="frames"))
        if wishes.out is not None:
            stem = names.free(film.name.replace(" ", "-") if film.live else film.name, "")
            files = FilmFiles(wishes.out, stem, fps=film.fps, codec=wishes.codec, tracked=wishes.track)
            stack.enter_context(files)
        writers: list[FrameWriter] = [_JsonFrames(output, film.name) if files is None else files]
        if film.live:
            output.say(f"{film.name}: press Ctrl+C to end", style="dim")
        answers = frame_answers(model, film.frames(), facts, tiling=wishes.tiling(), live=film.live)
        summary = predict_film(film, answers, choice=choice, tracks=tracks, writers=writers, told=told)
    summary.files = [] if files is None else [path for path in files.files if path.exists()]
    if not output.json:
        _show(output, summary)
    elif files is not None:
        output.line(summary.to_dict())


class _JsonFrames:
    """A JSON object a frame, on stdout."""

    def __init__(self, output: Output, name: str) -> None:
        self._output, self._name = output, name

    def add(self, frame: Frame, found: Detections, shown: Detections) -> None:
        self._output.line(
            {"path": self._name, "frame": frame.number, "time_s": frame.time_s, **found.to_dict()}
        )


def _show(output: Output, summary: FilmSummary) -> None:
    """The film in a few lines."""
    speed = summary.frames / summary.seconds if summary.seconds > 0 else 0.0
    rows = [
        ("frames", f"{summary.frames}, {duration(summary.film_s)} of film"),
        ("speed", f"{speed:.1f} frames a second, {duration(summary.seconds)} in all"),
    ]
    if summary.objects is not None:
        rows.append(("objects", counted(summary.objects) or "none"))
    rows.append(("detections", counted(summary.found) or "none"))
    output.facts(summary.name, rows)
    if summary.broken:
        output.say(f"warning: {summary.broken}", style="yellow")
    for path in summary.files:
        output.say(f"written to {path}", style="dim")
