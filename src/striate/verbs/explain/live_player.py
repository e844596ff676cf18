"""Plays frames to a run and keeps the latest moment: what it saw, said, and what a layer did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from striate.errors import PictureError
from striate.explain.inside import Inside, Layer
from striate.explain.live_drawing import Scale, sprite_of
from striate.explain.live_graph import Overheard
from striate.graphs import Graph
from striate.pictures.resize import resize
from striate.pictures.write import to_data_uri
from striate.task import Result
from striate.types import Picture
from striate.verbs.explain.live_source import PictureFolder
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import Model
from striate.verbs.predict.frames import Film, Frame

__all__ = ["Looker", "Moment", "Player", "Status"]

Status: TypeAlias = Literal["waiting", "running", "paused", "ended"]
AnswerRows: TypeAlias = list[tuple[str, str, float | None]]

_SIDE = 640
_SMALL = 96
_ROWS = 5
_WATCHED_S = 3.0
"""A page that waits for nothing, and has not asked for so long, is closed: nobody is watching."""
_SPEEDS = (0.125, 8.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame as the page shows it."""

    frame: int
    time_s: float
    page: Mapping[str, Any]
    answer: Mapping[str, Any]
    peaks: tuple[float, ...]


class Looker:
    """A model, one layer of which is listened to while it answers."""

    def __init__(self, model: Model, layer: str | None, threads: int) -> None:
        self._model, self._threads = model, model.threads
        self.inside: Inside = look_inside(model, threads=threads)
        self._data = model.run.file(model.header.graphs["main"]).read_bytes()
        self._others: dict[str, Graph] = {
            name: graph for name, graph in model.graphs(threads).items() if name != "main"
        }
        self.layer: Layer = self.inside.layer(layer) if layer else _middle(self.inside)
        self._choose(self.layer)

    def choose(self, name: str) -> None:
        """Listen to another layer; an `UnknownNameError` lists the choices."""
        self._choose(self.inside.layer(name))

    def _choose(self, layer: Layer) -> None:
        self._graph = Overheard(self._data, layer, threads=self._threads)
        self._scale, self.layer = Scale(), layer

    def look(self, frame: Frame, name: str, *, together: bool = False) -> Moment:
        """What the model says of a frame, and what the layer does meanwhile."""
        task = self._model.task
        result: Result = task.predict({**self._others, "main": self._graph}, [frame.picture])[0]
        values = self._graph.heard
        peaks = np.where(np.isfinite(values), values, 0).max(axis=(1, 2))
        levels = self._scale.levels(np.nan_to_num(values), together=together)
        picture = frame.picture if task.name in _TOLD else task.render(frame.picture, result)
        small = max(picture.shape[:2]) <= _SMALL
        page = {
            "frame": frame.number,
            "name": name,
            "picture": _shown(picture, small=small),
            "small": small,
            "layer": self.layer.name,
            "sprite": sprite_of(levels).to_dict(),
            "peaks": [float(f"{one:.4g}") for one in peaks.tolist()],
            "strongest": int(peaks.argmax()),
            "answer": _rows(task.name, result),
        }
        return Moment(frame.number, frame.time_s, page, result.to_dict(), tuple(page["peaks"]))


def _middle(inside: Inside) -> Layer:
    """The activation in the middle of those with a map: neither edges nor the answer yet."""
    maps = [one for one in inside.layers if one.is_map]
    after = [one for one in maps if one.is_activation] or maps or list(inside.layers)
    return after[len(after) // 2]


def _shown(picture: Picture, *, small: bool) -> str:
    if small:
        return to_data_uri(picture)
    scale = min(1.0, _SIDE / max(picture.shape[:2]))
    size_hw = (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))
    return to_data_uri(resize(picture, size_hw), "jpeg", quality=85)


def _classes(result: Any) -> AnswerRows:
    return [(name, f"{100 * score:.1f} %", float(score)) for name, score in result.top(_ROWS)]


def _numbers(result: Any) -> AnswerRows:
    return [(name, text, None) for name, text in result.rows()[:_ROWS]]


def _objects(result: Any) -> AnswerRows:
    pairs = zip(result.label_names(), result.scores.tolist(), strict=True)
    rows: AnswerRows = [(name, f"{100 * score:.1f} %", score) for name, score in pairs]
    return rows[:_ROWS] or [("nothing", "", None)]


_TOLD: Mapping[str, Callable[[Any], AnswerRows]] = {"classify": _classes, "regress": _numbers}
"""Tasks whose answer is told beside the picture; those of others are drawn on it."""
_DRAWN: Mapping[str, Callable[[Any], AnswerRows]] = {"detect": _objects}


def _rows(task: str, result: Any) -> AnswerRows:
    """(name, value in words, share or None) for the page."""
    rows = {**_TOLD, **_DRAWN}.get(task)
    return [] if rows is None else rows(result)


class Player:
    """Plays a film to a looker in `run`, while a server in other threads asks for the latest moment."""

    def __init__(
        self, looker: Looker, film: Film, open_again: Callable[[], Film], *, loop: bool = False
    ) -> None:
        self._looker, self.film, self._open_again = looker, film, open_again
        self._changed = threading.Condition()
        self._moment: Moment | None = None
        self._number = 0
        self._paused = self._stepping = self._restart = self._ended = False
        self._closed = threading.Event()
        self._loop, self._speed, self._together = loop, 1.0, False
        self._layer = looker.layer.name
        self._asked_s, self._waiting = -_WATCHED_S, 0
        self.frames = 0

    # -- the page's side ----------------------------------------------------------------------

    def wait(self, after: int, seconds: float) -> dict[str, Any]:
        """The latest moment with a number above `after`; what there is, after so many seconds."""
        with self._changed:
            self._asked_s = time.monotonic()
            self._waiting += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._number > after or self._closed.is_set(), seconds)
            finally:
                self._waiting -= 1
                self._asked_s = time.monotonic()
            moment = self._moment.page if self._moment is not None and self._number > after else None
            return {
                "number": self._number,
                "status": self._status(),
                "paused": self._paused,
                "moment": moment,
            }

    def control(self, change: Mapping[str, Any]) -> None:
        """Take what the page wishes; a `ValueError` for anything that it cannot wish."""
        wishes = _checked(change, [one.name for one in self._looker.inside.layers])
        with self._changed:
            self._asked_s = time.monotonic()
            self._paused = wishes.get("paused", self._paused)
            self._stepping = wishes.get("step", self._stepping)
            self._restart = wishes.get("again", self._restart)
            self._loop = wishes.get("loop", self._loop)
            self._together = wishes.get("together", self._together)
            self._speed = wishes.get("speed", self._speed)
            self._layer = wishes.get("layer", self._layer)
            self._say()
            self._changed.notify_all()

    def close(self) -> None:
        """Let `run` and all that wait come back."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()

    # -- the run's side -----------------------------------------------------------------------

    def run(self) -> None:
        """Play until `close`; the last frame of a film stays until it is started again."""
        while not self._closed.is_set():
            last = self._play()
            with self._changed:
                self._ended = True
                self._say()
            while not (self._closed.is_set() or self._restart or self._loop):
                self._idle(last)
            if self._closed.is_set():
                break
            self._restart = self._ended = False
            self.film.close()
            self.film = self._open_again()

    def _play(self) -> Frame | None:
        """One time through the film; its last frame."""
        last: Frame | None = None
        try:
            for frame in self.film.frames():
                began = time.monotonic()
                if self.film.live and not self._closed.is_set() and not self._watched():
                    continue  # a camera does not wait
                while not self._turned() and not self._ready(last):
                    self._idle(last)
                if self._turned():
                    break
                self._show(frame)
                last = frame
                self._pace(began, last)
        except PictureError:  # a damaged frame of an animation: it ends here
            pass
        return last

    def _turned(self) -> bool:
        """Whether this time through the film is over: closed, or started again."""
        return self._closed.is_set() or self._restart

    def _watched(self) -> bool:
        """Whether a page waits for the next moment, or asked for one lately."""
        with self._changed:
            return self._waiting > 0 or time.monotonic() - self._asked_s < _WATCHED_S

    def _ready(self, last: Frame | None) -> bool:
        """Whether the next frame may come: somebody watches, and it is not paused, but for the first."""
        if not self._watched():
            return False
        if self._stepping:
            self._stepping = False
            return True
        return last is None or not self._paused

    def _idle(self, last: Frame | None) -> None:
        """Wait for a wish; another layer is shown at once, on the frame that stands."""
        if last is not None and self._layer != self._looker.layer.name:
            self._show(last)
        with self._changed:
            self._changed.wait(0.2)

    def _show(self, frame: Frame) -> None:
        if self._layer != self._looker.layer.name:
            self._looker.choose(self._layer)
        moment = self._looker.look(frame, _name_of(self.film, frame), together=self._together)
        with self._changed:
            self._moment = moment
            self.frames += 1
            self._number += 1
            self._changed.notify_all()

    def _say(self) -> None:
        """Tell the page that the status may have changed; the moment is told again with it."""
        self._number += 1
        self._changed.notify_all()

    def _status(self) -> Status:
        if self._moment is None:
            return "waiting"
        return "ended" if self._ended else "paused" if self._paused else "running"

    def _pace(self, began: float, last: Frame) -> None:
        """Wait until the next frame is due; a camera sets its own pace."""
        while not (self.film.live or self._turned() or self._paused):
            due = began + 1 / (self.film.fps * self._speed)
            left = due - time.monotonic()
            if left <= 0:
                return
            if self._layer != self._looker.layer.name:
                self._show(last)
            with self._changed:
                self._changed.wait(min(left, 0.2))


def _name_of(film: Film, frame: Frame) -> str:
    if isinstance(film, PictureFolder):
        return film.file_name(frame.number)
    return f"{frame.time_s:.1f} s"


def _checked(change: Mapping[str, Any], layers: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in change.items():
        if name in ("paused", "step", "again", "loop", "together") and isinstance(value, bool):
            found[name] = value
        elif name == "speed" and isinstance(value, (int, float)) and not isinstance(value, bool):
            if not _SPEEDS[0] <= value <= _SPEEDS[1]:
                raise ValueError(f"speed is {value}")
            found[name] = float(value)
        elif name == "layer" and value in layers:
            found[name] = value
        else:
            raise ValueError(f"{name} cannot be {value!r}")
    return found
