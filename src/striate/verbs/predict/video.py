"""Detection in films: every frame answered, objects followed, the film written with what was found."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np

from striate.errors import DiskError, PictureError
from striate.features.opencv import cv2_module
from striate.runs.atomic import TEMPORARY, disk_errors, sync_file
from striate.tasks.detect.render import render_detections
from striate.tasks.detect.types import Detections
from striate.types import Picture
from striate.verbs.predict.choice import Choice
from striate.verbs.predict.frames import Film, Frame
from striate.verbs.predict.tiles import Tiling, predict_tiled
from striate.verbs.predict.tracks import Tracks

if TYPE_CHECKING:
    from striate.tasks.detect.config import DetectFacts
    from striate.verbs.model import Model

__all__ = ["CODECS", "Codec", "FilmFiles", "FilmSummary", "frame_answers", "predict_film"]

Codec = Literal["vp9", "mpeg4"]
CODECS: dict[Codec, str] = {"vp9": "vp09", "mpeg4": "mp4v"}
"""VP9 plays in every browser and is small. MPEG-4 Part 2 is written forty times as fast, and plays in
VLC and most players, but in no browser. The packages of OpenCV come without an encoder for H.264."""

_AHEAD = 4
"""Frames that may wait to be encoded."""


@dataclass(slots=True)
class FilmSummary:
    """What came of a film. `objects`: followed, by class, None without following; `found`: detections
    that were shown, by class; `broken`: why it ended early, or empty."""

    name: str
    frames: int = 0
    film_s: float = 0.0
    seconds: float = 0.0
    found: Counter[str] = field(default_factory=Counter)
    objects: dict[str, int] | None = None
    files: list[Path] = field(default_factory=list)
    broken: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        told: dict[str, Any] = {
            "path": self.name,
            "frames": self.frames,
            "film_s": round(self.film_s, 3),
            "seconds": round(self.seconds, 3),
            "found": dict(self.found.most_common()),
            "objects": self.objects,
            "files": [str(path) for path in self.files],
        }
        return told | ({"broken": self.broken} if self.broken else {})


class FrameWriter(Protocol):
    """Takes a frame with all that was found in it, and what of that is shown."""

    def add(self, frame: Frame, found: Detections, shown: Detections) -> None: ...


def frame_answers(
    model: Model, frames: Iterable[Frame], facts: DetectFacts, *, tiling: Tiling | None, live: bool
) -> Iterator[tuple[Frame, Detections]]:
    """What `model` finds in each of `frames`, in order, as they become ready."""
    if tiling is None and not live:
        for frame, result, error in model.stream(frames, _pixels, batch_size=1):
            assert error is None, "a frame is a picture already"
            assert isinstance(result, Detections), "checked by detector_facts"
            yield frame, result
        return
    for frame in frames:  # a camera does not wait: no frame is answered ahead
        if tiling is None:
            found = model.predict(frame.picture)
        else:
            found = predict_tiled(
                _asked(model),
                frame.picture,
                tiling,
                iou_threshold=facts.iou_threshold,
                agnostic=facts.nms == "agnostic",
            )
        assert isinstance(found, Detections), "checked by detector_facts"
        yield frame, found


def _pixels(frame: Frame) -> Picture:
    return frame.picture


def _asked(model: Model) -> Callable[[Any], Any]:
    return lambda pictures: model.predict(list(pictures))


def predict_film(
    film: Film,
    answers: Iterable[tuple[Frame, Detections]],
    *,
    choice: Choice,
    tracks: Tracks | None = None,
    writers: Iterable[FrameWriter] = (),
    told: Callable[[int, int | None], None] = lambda done, total: None,
) -> FilmSummary:
    """Take the `answers` for the frames of `film`; what came of it.

    `tracks`: gives objects their numbers. Everything found goes to `writers`; shown is what is likely,
    and whatever belongs to an object that is followed. `told` hears how many frames of how many are
    done. A camera goes on until `KeyboardInterrupt`, which ends it as it should. A film that breaks off
    after its first frames is answered as far as it goes.
    """
    summary = FilmSummary(film.name)
    writers = list(writers)
    began = time.monotonic()
    try:
        for frame, answer in answers:
            found = choice.told(answer if tracks is None else tracks.follow(answer))
            shown = found.take(_likely(found, choice.shown_from))
            for writer in writers:
                writer.add(frame, found, shown)
            summary.frames += 1
            summary.film_s = frame.time_s
            summary.found.update(shown.label_names())
            told(summary.frames, film.total)
    except KeyboardInterrupt:
        if not film.live:
            raise
    except PictureError as error:  # a damaged frame of an animation
        if not summary.frames:
            raise
        summary.broken = error.reason
    summary.seconds = time.monotonic() - began
    summary.objects = None if tracks is None else tracks.counts()
    if film.total and summary.frames < 0.98 * film.total - 2 and not summary.broken:
        summary.broken = f"it announces {film.total} frames, and breaks off after {summary.frames}"
    return summary


def _likely(found: Detections, shown_from: float) -> Any:
    likely = found.scores >= shown_from
    return likely if found.track_ids is None else likely | (found.track_ids >= 0)


class FilmFiles:
    """The files that a film leaves in a folder: `NAME.mp4` with what was found drawn on, `NAME.jsonl`
    with a line a frame, and with tracking `NAME.mot.txt` in the form of the MOT Challenge.

    Use as a context: the files appear under their names when it is left without an error.
    """

    def __init__(
        self, folder: Path, stem: str, *, fps: float, codec: Codec = "vp9", tracked: bool = False
    ) -> None:
        endings = [".mp4", ".jsonl", *([".mot.txt"] if tracked else [])]
        folder.mkdir(parents=True, exist_ok=True)
        self.files = [folder / f"{stem}{ending}" for ending in endings]
        mark = f"{TEMPORARY}{secrets.token_hex(4)}-"
        self._beside = [path.with_name(mark + path.name) for path in self.files]
        self._video = _Encoder(self._beside[0], fps, codec)
        self._lines: IO[str] = self._beside[1].open("x", encoding="utf-8")
        self._mot: IO[str] | None = self._beside[2].open("x", encoding="ascii") if tracked else None

    def add(self, frame: Frame, found: Detections, shown: Detections) -> None:
        row = {"frame": frame.number, "time_s": frame.time_s, **found.to_dict()}
        with disk_errors(self.files[1]):
            self._lines.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
            if self._mot is not None:
                self._mot.writelines(mot_lines(frame.number, found))
        self._video.add(frame.picture, shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._finish(kept=kind is None)
        finally:
            for path in self._beside:
                path.unlink(missing_ok=True)

    def _finish(self, *, kept: bool) -> None:
        """Close all; put them in place if they are `kept`."""
        try:
            self._video.close()
        finally:
            for file in (self._lines, self._mot):
                if file is not None:
                    file.close()
        if not kept:
            return
        for beside, path in zip(self._beside, self.files, strict=True):
            if beside.exists():
                with disk_errors(path):
                    sync_file(beside)
                    beside.replace(path)


def mot_lines(number: int, found: Detections) -> list[str]:
    """The objects of frame `number` (counted from 0, written from 1) as the MOT Challenge wants them:
    frame, object, left, top, width, height, score, −1, −1, −1."""
    if found.track_ids is None:
        return []
    rows = zip(found.track_ids.tolist(), found.boxes_xyxy.tolist(), found.scores.tolist(), strict=True)
    return [
        f"{number + 1},{own},{x0:.2f},{y0:.2f},{x1 - x0:.2f},{y1 - y0:.2f},{score:.4f},-1,-1,-1\n"
        for own, (x0, y0, x1, y1), score in rows
        if own >= 0
    ]


class _Encoder:
    """Draws and encodes in a thread of its own, beside the network."""

    def __init__(self, path: Path, fps: float, codec: Codec) -> None:
        self._path, self._fps, self._codec = path, fps, codec
        self._writer: Any = None
        self._size_hw: tuple[int, int] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="striate-video")
        self._pending: list[Future[None]] = []

    def add(self, picture: Picture, shown: Detections) -> None:
        self._pending.append(self._pool.submit(self._encode, picture, shown))
        if len(self._pending) > _AHEAD:
            self._pending.pop(0).result()

    def _encode(self, picture: Picture, shown: Detections) -> None:
        drawn = render_detections(picture, shown)
        high, wide = drawn.shape[0] % 2, drawn.shape[1] % 2
        if high or wide:  # codecs want even sides
            drawn = np.pad(drawn, ((0, high), (0, wide), (0, 0)), mode="edge")
        cv2 = cv2_module()
        if self._writer is None:
            self._size_hw = (drawn.shape[0], drawn.shape[1])
            self._writer = self._opened((drawn.shape[1], drawn.shape[0]))
        if drawn.shape[:2] != self._size_hw:  # some films change their size on the way
            assert self._size_hw is not None
            drawn = cv2.resize(drawn, self._size_hw[::-1], interpolation=cv2.INTER_AREA)
        self._writer.write(cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))

    def _opened(self, size_wh: tuple[int, int]) -> Any:
        cv2 = cv2_module()
        code = cv2.VideoWriter_fourcc(*CODECS[self._codec])
        writer = cv2.VideoWriter(str(self._path), cv2.CAP_FFMPEG, code, self._fps, size_wh)
        if not writer.isOpened():
            raise DiskError(
                f"cannot write a video of {size_wh[0]} × {size_wh[1]} pixels to {self._path.parent}",
                remedy="see that the folder can be written to, or try --codec mpeg4",
            )
        return writer

    def close(self) -> None:
        """Wait for the last frame; raises what went wrong on the way."""
        try:
            for future in self._pending:
                future.result()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            if self._writer is not None:
                self._writer.release()
