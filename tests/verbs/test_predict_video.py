from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.errors import DataError, MachineError, MissingExtraError, UsageError
from striate.tasks.detect.types import Detections
from striate.types import Picture
from striate.verbs.predict import tracks as predict_tracks
from striate.verbs.predict.choice import Choice
from striate.verbs.predict.frames import Film, Frame, open_camera, open_film
from striate.verbs.predict.video import CODECS, Codec, FilmFiles, mot_lines, predict_film

NAMES = ("bead", "hole")
Place = Callable[[int], tuple[int, int]]


def painted(number: int, size_hw: tuple[int, int] = (120, 200)) -> Picture:
    """A bead that moves right, and a darker one that moves left: they cross, one above the other."""
    picture = np.full((*size_hw, 3), 110, np.uint8)
    picture[30:50, 4 * number : 4 * number + 24] = (250, 40, 40)
    picture[52:72, 170 - 4 * number : 194 - 4 * number] = (40, 40, 250)
    return picture


def film_file(path: Path, frames: int = 40, codec: str = "mp4v", fps: float = 20) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (200, 120))
    for number in range(frames):
        writer.write(cv2.cvtColor(painted(number), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def beads(frame: Frame) -> tuple[Frame, Detections]:
    """What a detector would find."""
    boxes = []
    for channel in (0, 2):
        rows, columns = np.nonzero(frame.picture[..., channel] > 180)
        boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    scores = np.array([0.9, 0.8], np.float32)
    return frame, Detections(NAMES, np.array(boxes, np.float32), scores, np.array([0, 1]))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return film_file(tmp_path / "clip.mp4")


# -- reading ------------------------------------------------------------------------------------


def test_frames_in_order_and_in_rgb(clip: Path) -> None:
    film = open_film(clip)
    assert (film.size_hw, film.fps, film.total, film.live) == ((120, 200), 20, 40, False)
    frames = list(film.frames())
    assert [frame.number for frame in frames] == list(range(40))
    assert [frame.time_s for frame in frames] == pytest.approx([number / 20 for number in range(40)])
    assert np.abs(frames[7].picture[40, 36].astype(int) - (250, 40, 40)).max() < 40
    film.close()


def test_each_n_th_frame(clip: Path) -> None:
    film = open_film(clip, every=7)
    frames = list(film.frames())
    assert [frame.number for frame in frames] == [0, 7, 14, 21, 28, 35]
    assert (film.total, film.fps) == (6, pytest.approx(20 / 7))
    assert frames[2].time_s == pytest.approx(0.7)
    film.close()


def test_an_animation_is_a_film(tmp_path: Path) -> None:
    stills = [Image.fromarray(painted(number)) for number in range(5)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:], duration=50)
    film = open_film(tmp_path / "a.gif", every=2)
    assert (film.total, film.fps, film.size_hw) == (3, pytest.approx(10), (120, 200))
    assert [(frame.number, frame.time_s) for frame in film.frames()] == [(0, 0), (2, 0.1), (4, 0.2)]


def test_what_is_no_film(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:2000])
    film_file(tmp_path / "none.avi", frames=0, codec="MJPG")
    for name in ("text.mp4", "empty.mp4", "cut.mp4", "none.avi"):
        with pytest.raises(DataError, match=f"cannot read video .*{name}"):
            open_film(tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        open_film(tmp_path / "missing.mp4")
    with pytest.raises(DataError, match="is a folder"):
        open_film(tmp_path)
    with pytest.raises(UsageError, match="--every"):
        open_film(clip, every=0)


def test_ffmpeg_keeps_quiet(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    words = "import sys; from striate.verbs.predict.frames import open_film; open_film(sys.argv[1])"
    found = subprocess.run(
        [sys.executable, "-c", words, str(tmp_path / "text.mp4")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stderr.startswith("Traceback")
    assert "DataError" in found.stderr
    assert "moov" not in found.stderr


def test_no_camera(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MachineError, match="camera 63 gives no picture"):
        open_camera(63)
    with pytest.raises(UsageError, match="--camera"):
        open_camera(-1)
    assert capfd.readouterr().err == ""


# -- following ----------------------------------------------------------------------------------


def test_crossing_objects_keep_their_numbers(clip: Path) -> None:
    pytest.importorskip("trackers")
    film = open_film(clip)
    tracks = predict_tracks.Tracks(fps=film.fps, sure=0.5)
    rows: list[tuple[int, ...]] = []

    class Keep:
        def add(self, frame: Frame, found: Detections, shown: Detections) -> None:
            assert found.track_ids is not None
            rows.append(tuple(found.track_ids.tolist()))

    answers = map(beads, film.frames())
    summary = predict_film(film, answers, choice=Choice(0.5), tracks=tracks, writers=[Keep()])
    assert rows[0] == (-1, -1)  # one frame is no object yet
    assert set(rows[1:]) == {(1, 2)}
    assert summary.objects == {"bead": 1, "hole": 1}
    assert summary.found == {"bead": 40, "hole": 40}
    assert (summary.frames, summary.film_s, summary.broken) == (40, pytest.approx(1.95), "")


def test_a_weak_moment_does_not_end_a_track_and_a_new_object_gets_a_new_number() -> None:
    pytest.importorskip("trackers")
    tracks = predict_tracks.Tracks(fps=25, sure=0.5)
    seen = []
    for number in range(30):
        score = 0.2 if 10 <= number < 14 else 0.9
        boxes = [[2 * number, 10, 2 * number + 30, 40]]
        scores = [score]
        if number >= 20:
            boxes.append([150, 60, 180, 90])
            scores.append(0.55)
        order = np.argsort(-np.array(scores), kind="stable")
        found = Detections(
            NAMES,
            np.array(boxes, np.float32)[order],
            np.array(scores, np.float32)[order],
            np.zeros(len(boxes), np.int64),
        )
        ids = tracks.follow(found).track_ids
        assert ids is not None
        seen.append(ids.tolist())
    assert seen[12] == [1]
    assert seen[29] == [1, 2]
    assert tracks.counts() == {"bead": 2}


def test_nothing_found_in_a_frame_is_legal() -> None:
    pytest.importorskip("trackers")
    tracks = predict_tracks.Tracks(fps=25, sure=0.5)
    empty = Detections(
        NAMES, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
    )
    for _ in range(3):
        ids = tracks.follow(empty).track_ids
        assert ids is not None
        assert len(ids) == 0
    assert tracks.counts() == {}


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    with pytest.raises(MissingExtraError, match=r"striate\[track\]"):
        predict_tracks.Tracks(fps=25, sure=0.5)


# -- writing ------------------------------------------------------------------------------------


def frames_of(path: Path) -> list[Picture]:
    capture, found = cv2.VideoCapture(str(path)), []
    while True:
        got, pixels = capture.read()
        if not got:
            return found
        found.append(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def run_film(film: Film, folder: Path, codec: Codec = "mpeg4") -> FilmFiles:
    with FilmFiles(folder, "clip", fps=film.fps, codec=codec) as files:
        predict_film(film, map(beads, film.frames()), choice=Choice(0.85), writers=[files])
    film.close()
    return files


@pytest.mark.parametrize("codec", list(CODECS))
def test_the_film_and_a_line_a_frame(clip: Path, tmp_path: Path, codec: Codec) -> None:
    files = run_film(open_film(clip, every=4), tmp_path / "out", codec)
    assert [path.name for path in files.files] == ["clip.mp4", "clip.jsonl"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.jsonl", "clip.mp4"]
    rows = [json.loads(line) for line in files.files[1].read_text("utf-8").splitlines()]
    assert [row["frame"] for row in rows] == list(range(0, 40, 4))
    assert rows[3]["time_s"] == pytest.approx(0.6)
    assert [one["label"] for one in rows[0]["detections"]] == ["bead", "hole"]
    written = frames_of(files.files[0])
    assert len(written) == 10
    assert written[0].shape == (120, 200, 3)
    capture = cv2.VideoCapture(str(files.files[0]))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(5)
    # drawn is what is likely: the bead has a frame, the hole of score 0.8 has none
    assert np.abs(written[0][50:52, 2:20].astype(int) - painted(0)[50:52, 2:20]).mean() > 20
    assert np.abs(written[0][72:74, 172:190].astype(int) - painted(0)[72:74, 172:190]).mean() < 12


def test_odd_sides_are_kept(tmp_path: Path) -> None:
    found = beads(Frame(0, 0, painted(3)))[1]
    with FilmFiles(tmp_path, "odd", fps=10) as files:
        for number in range(3):
            files.add(Frame(number, number / 10, painted(number)[:117, :197].copy()), found, found)
    assert frames_of(files.files[0])[0].shape[:2] in ((118, 198), (590, 990))


def test_an_error_leaves_nothing_half_written(clip: Path, tmp_path: Path) -> None:
    def torn(film: Film) -> Iterator[tuple[Frame, Detections]]:
        for frame in film.frames():
            if frame.number == 5:
                raise RuntimeError("stop")
            yield beads(frame)

    film = open_film(clip)
    with pytest.raises(RuntimeError), FilmFiles(tmp_path / "out", "clip", fps=20) as files:
        predict_film(film, torn(film), choice=Choice(0.5), writers=[files])
    film.close()
    assert list((tmp_path / "out").iterdir()) == []


class Camera:
    """Four frames, then Ctrl+C."""

    name, size_hw, fps, total, live = "camera 0", (120, 200), 10.0, None, True

    def frames(self) -> Iterator[Frame]:
        for number in range(4):
            yield Frame(number, number / 10, painted(number))
        raise KeyboardInterrupt

    def close(self) -> None:
        """Nothing is open."""


def test_a_camera_ends_with_an_interruption(tmp_path: Path) -> None:
    camera = Camera()
    told: list[tuple[int, int | None]] = []
    with FilmFiles(tmp_path, "camera-0", fps=10, codec="mpeg4") as files:
        summary = predict_film(
            camera, map(beads, camera.frames()), choice=Choice(0.5), writers=[files],
            told=lambda *now: told.append(now),
        )  # fmt: skip
    assert summary.frames == 4
    assert told == [(1, None), (2, None), (3, None), (4, None)]
    assert len(frames_of(tmp_path / "camera-0.mp4")) == 4


def test_a_film_that_breaks_off_is_told(clip: Path, tmp_path: Path) -> None:
    film = open_film(clip)
    some = (beads(frame) for frame in film.frames() if frame.number < 20)
    summary = predict_film(film, some, choice=Choice(0.5))
    film.close()
    assert summary.broken == "it announces 40 frames, and breaks off after 20"
    assert summary.to_dict()["broken"]


def test_mot_lines() -> None:
    found = Detections(
        NAMES,
        np.array([[1, 2, 11, 22], [0, 0, 5, 5]], np.float32),
        np.array([0.5, 0.25], np.float32),
        np.array([0, 1]),
        track_ids=np.array([7, -1]),
    )
    assert mot_lines(0, found) == ["1,7,1.00,2.00,10.00,20.00,0.5000,-1,-1,-1\n"]
    assert mot_lines(0, beads(Frame(0, 0, painted(0)))[1]) == []
