from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.cli.output import Output
from striate.cli.predict_table import DetectionTable
from striate.pictures import read, write
from striate.runs.run import Run
from striate.tasks.detect.types import Detections
from striate.verbs.model import Answer
from striate.verbs.predict.choice import Choice

_spec = importlib.util.spec_from_file_location("striate_blob_run", Path(__file__).parent / "blob_run.py")
assert _spec is not None
assert _spec.loader is not None
blobs = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = blobs
_spec.loader.exec_module(blobs)

Call = Callable[..., Any]
BLOBS = [(20, 30, 40, 20, 255), (200, 100, 30, 60, 10), (120, 60, 20, 20, 165)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("striate.verbs.model.load_graph", blobs.load_blob_graph)
    found: Run = blobs.blob_run(tmp_path / "run")
    return found


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """A picture with a sure bead, a sure hole and an unsure bead; one with nothing; one broken."""
    folder = tmp_path / "shots"
    folder.mkdir()
    write(blobs.paint((200, 320), BLOBS), folder / "a.png")
    write(blobs.paint((200, 320), []), folder / "b.png")
    (folder / "c.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (320, 200))
    for number in range(12):
        frame = blobs.paint((200, 320), [(20 + 6 * number, 30, 40, 20, 255), (200, 100, 30, 60, 10)])
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


# -- pictures -----------------------------------------------------------------------------------


def test_json_as_promised(striate: Call, run: Run, shots: Path) -> None:
    found = striate("predict", run.folder, shots, "--json")
    assert (found.code, found.err) == (3, "")
    assert list(found.lines[0]) == ["path", "detections"]
    told = found.lines[0]["detections"]
    assert [list(one) for one in told] == [["box_xyxy", "label", "score"]] * 3
    assert [one["label"] for one in told] == ["bead", "hole", "bead"]
    assert told[0]["box_xyxy"] == [20, 30, 60, 50]  # pixels of the picture
    assert told[2]["score"] < 0.5  # all answers, also those that nobody is shown
    assert found.lines[1]["detections"] == []
    assert "error" in found.lines[2]


def test_fewer_answers(striate: Call, run: Run, shots: Path) -> None:
    def count(*flags: object) -> int:
        return len(
            striate("predict", run.folder, shots / "a.png", "--json", *flags).lines[0]["detections"]
        )

    assert [count(), count("--min-score", 0.5), count("--min-score", 0.99), count("--top", 1)] == [
        3,
        2,
        1,
        1,
    ]
    for flags in (("--top", 0), ("--min-score", 2), ("--tile", 3), ("--tile", 99, "--overlap", 1)):
        assert striate("predict", run.folder, shots, *flags).code == 2


def test_pipes_get_what_is_likely(striate: Call, run: Run, shots: Path) -> None:
    found = striate("predict", run.folder, shots)
    rows = [line.split("\t") for line in found.out.splitlines()]
    assert [row[1:2] for row in rows] == [["bead"], ["hole"], []]
    assert rows[0][2:] == ["1.0000", "20.0", "30.0", "60.0", "50.0"]
    assert "c.jpg" in found.err
    assert len(striate("predict", run.folder, shots, "--min-score", 0.1).out.splitlines()) == 4


def test_files_of_all_kinds(striate: Call, run: Run, shots: Path, tmp_path: Path) -> None:
    places = {
        "--csv": tmp_path / "f.csv", "--coco": tmp_path / "f.json", "--yolo": tmp_path / "yolo",
        "--sheet": tmp_path / "f.html", "--annotate": tmp_path / "drawn",
    }  # fmt: skip
    flags = [word for pair in places.items() for word in pair]
    before = {path: path.read_bytes() for path in shots.iterdir()}
    assert striate("predict", run.folder, shots, *flags).code == 3
    with (tmp_path / "f.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 5
    assert len(json.loads((tmp_path / "f.json").read_text())["annotations"]) == 3
    assert len((tmp_path / "yolo/labels/a.txt").read_text().splitlines()) == 3
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "b.png"]
    assert (tmp_path / "f.html").read_text("utf-8").count("<img") == 3
    assert {path: path.read_bytes() for path in shots.iterdir()} == before
    for flag, place in places.items():  # nothing is replaced unasked
        found = striate("predict", run.folder, shots, flag, place)
        assert (found.code, found.out) == (2, "")
        assert striate("predict", run.folder, shots, flag, place, "--overwrite").code == 3
    assert striate("predict", run.folder, shots, "--sheet", tmp_path / "f.txt").code == 2


def test_top_and_min_score_count_for_files(striate: Call, run: Run, shots: Path, tmp_path: Path) -> None:
    striate("predict", run.folder, shots / "a.png", "--min-score", 0.5, "--coco", tmp_path / "f.json")
    assert len(json.loads((tmp_path / "f.json").read_text())["annotations"]) == 2


def test_out(striate: Call, run: Run, shots: Path, tmp_path: Path) -> None:
    assert striate("predict", run.folder, shots, "--out", tmp_path / "out").code == 3
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["a.png", "b.png", "predictions.jsonl"]
    lines = (tmp_path / "out/predictions.jsonl").read_text("utf-8").splitlines()
    assert len(json.loads(lines[0])["detections"]) == 3
    both = ("--out", tmp_path / "o", "--annotate", tmp_path / "p")
    assert striate("predict", run.folder, shots, *both).code == 2


def test_tiles(striate: Call, run: Run, tmp_path: Path) -> None:
    many = [(60 * x + 7, 50 * y + 9, 9, 7, 255) for x in range(20) for y in range(15)]
    write(blobs.paint((800, 1200), [*many, (0, 772, 1200, 20, 10)]), tmp_path / "big.png")
    plain = striate("predict", run.folder, tmp_path / "big.png", "--json").lines[0]["detections"]
    assert len(plain) < 60  # too many and too small for one look
    out = tmp_path / "out"
    found = striate("predict", run.folder, tmp_path / "big.png", "--tile", 320, "--out", out, "--json")
    told = found.lines[0]["detections"]
    assert sum(one["label"] == "bead" for one in told) == 300
    (hole,) = (one["box_xyxy"] for one in told if one["label"] == "hole")
    assert hole == pytest.approx([0, 772, 1200, 792], abs=4)  # seen in the whole, four times smaller
    assert {tuple(one["box_xyxy"]) for one in told if one["label"] == "bead"} == {
        (x, y, x + w, y + h) for x, y, w, h, _ in many
    }
    assert read(out / "big.png").shape == (800, 1200, 3)
    assert striate("predict", run.folder, tmp_path, "--tiles-only").code == 2


def test_tiles_of_a_picture_that_is_broken(striate: Call, run: Run, shots: Path) -> None:
    found = striate("predict", run.folder, shots, "--tile", 320, "--json")
    assert found.code == 3
    assert ["detections" in line for line in found.lines] == [True, True, False]


def test_other_tasks(
    striate: Call, make_run: Callable[..., Run], coloured: Path, tmp_path: Path
) -> None:
    run = make_run()
    for flags in (("--tile", 640), ("--min-score", 0.5), ("--coco", "x.json"), ("--sheet", "x.html")):
        found = striate("predict", run.folder, coloured, *flags, "--json")
        assert found.code == 2
        assert flags[0] in found.lines[0]["error"]["what"]
        assert "detect" in found.lines[0]["error"]["what"]
    assert striate("predict", run.folder, coloured, "--out", tmp_path / "out", "--json").code == 3
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["0-2.png", "0-3.png", "0.png", "1-2.png", "1-3.png", "1.png", "predictions.jsonl"]


# -- people -------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table(
    answers: list[Answer], choice: Choice, monkeypatch: pytest.MonkeyPatch, columns: int = 80
) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    out, err = Terminal(), io.StringIO()
    writer = DetectionTable(Output(out=out, err=err), blobs.NAMES, choice)
    for answer in answers:
        writer.add(answer)
    writer.close()
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()) + err.getvalue()


def answer(*scores: float, path: str = "shots/a.png") -> Answer:
    boxes = [[10 * row, 5, 10 * row + 200.4, 99.6] for row in range(len(scores))]
    found = Detections(
        blobs.NAMES,
        np.asarray(boxes, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32),
        np.arange(len(scores)) % 2,
    )
    return Answer(path, found, None)


def test_a_table_for_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    text = table([answer(0.9, 0.75, 0.2)], Choice(0.5), monkeypatch)
    lines = text.splitlines()
    assert lines[0] == "shots/a.png"
    assert lines[1].split() == ["label", "score", "left", "top", "right", "bottom"]
    assert lines[2].split() == ["bead", "0.90", "█████████", "0", "5", "200", "100"]
    assert lines[3].split()[-4:] == ["10", "5", "210", "100"]
    assert len({len(line.rstrip()) for line in lines[1:4]}) == 1  # columns end at one place
    assert lines[4] == "1 bead, 1 hole"


@pytest.mark.parametrize("columns", [30, 50, 200])
def test_any_width(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    for line in table([answer(0.9, 0.75)], Choice(0.5), monkeypatch, columns).splitlines():
        assert len(line.rstrip()) <= columns


def test_nothing_found_says_how_near_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(table([answer(0.429)], Choice(0.5), monkeypatch, 120).split())
    assert "nothing found; the best answer, bead 0.43, is below 0.50 (--min-score 0.42 shows it)" in text
    assert table([answer()], Choice(0.5), monkeypatch).split("\n")[1].strip() == "nothing found"
    assert "below 0.95" in table([answer(0.9)], Choice(0.5, 0.95), monkeypatch, 120)


def test_long_tables_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.linspace(0.99, 0.6, 40).tolist()
    text = table([answer(*scores)], Choice(0.5), monkeypatch)
    assert "15 more than are shown here" in text
    assert len(table([answer(*scores)], Choice(0.5, None, 30), monkeypatch).splitlines()) == 33


def test_a_line_for_each_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    text = table([answer(0.9, 0.8, 0.7), answer(0.1, path="b.png")], Choice(0.5), monkeypatch)
    lines = text.splitlines()
    assert lines[0].split("  ")[-1].strip() == "2 bead, 1 hole"
    assert lines[1].rstrip().endswith("nothing found")
    assert lines[2] == "2 pictures; 2 bead, 1 hole; 1 with nothing"


# -- films --------------------------------------------------------------------------------------


def test_a_film(striate: Call, run: Run, clip: Path, tmp_path: Path) -> None:
    pytest.importorskip("trackers")
    found = striate("predict", run.folder, clip, "--track", "--out", tmp_path / "out")
    assert found.code == 0, found.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "clip.jsonl", "clip.mot.txt", "clip.mp4",
    ]  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "out/clip.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(12))
    assert {one["track_id"] for one in rows[5]["detections"]} == {1, 2}
    mot = (tmp_path / "out/clip.mot.txt").read_text().splitlines()
    assert mot[0].startswith("2,1,")
    assert "objects     1 bead, 1 hole" in found.out
    assert striate("predict", run.folder, clip, "--out", tmp_path / "out").code == 2
    again = ("--out", tmp_path / "out", "--overwrite", "--every", 5, "--codec", "mpeg4", "--json")
    (line,) = striate("predict", run.folder, clip, *again).lines
    assert (line["frames"], line["objects"]) == (3, None)


def test_a_film_as_lines(striate: Call, run: Run, clip: Path) -> None:
    found = striate("predict", run.folder, clip, "--json", "--every", 4, "--tile", 320)
    assert [(line["frame"], line["time_s"]) for line in found.lines] == [(0, 0), (4, 0.4), (8, 0.8)]
    assert list(found.lines[0]) == ["path", "frame", "time_s", "detections"]


def test_an_animated_gif(striate: Call, run: Run, tmp_path: Path) -> None:
    stills = [Image.fromarray(blobs.paint((200, 320), [(x, 30, 40, 20, 255)])) for x in (20, 26, 32)]
    stills[0].save(tmp_path / "a.gif", save_all=True, append_images=stills[1:], duration=100)
    assert len(striate("predict", run.folder, tmp_path / "a.gif", "--json").lines) == 1  # a picture
    pytest.importorskip("trackers")
    found = striate("predict", run.folder, tmp_path / "a.gif", "--json", "--track")
    assert [line["frame"] for line in found.lines] == [0, 1, 2]


def test_films_that_cannot_be(striate: Call, run: Run, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("nothing")
    found = striate("predict", run.folder, tmp_path / "bad.mp4", clip, "--json", "--every", 6)
    assert found.code == 3
    assert "bad.mp4" in found.lines[0]["error"]["what"]
    assert len(found.lines) == 3  # the other is answered
    assert striate("predict", run.folder, tmp_path / "missing.mp4", "--json").code == 3
    assert striate("predict", run.folder, "--camera", 63, "--json").code == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["CLIP"], "no place"),
        (["CLIP", "SHOTS", "--json"], "together"),
        (["CLIP", "--csv", "x.csv", "--json"], "--csv is for pictures"),
        (["CLIP", "--every", "0", "--json"], "--every"),
        (["SHOTS", "--track"], "--track is for films"),
        (["--camera", "-1", "--json"], "--camera"),
    ],
)
def test_wishes_that_do_not_go_together(
    striate: Call, run: Run, shots: Path, clip: Path, words: list[str], said: str
) -> None:
    places = {"CLIP": str(clip), "SHOTS": str(shots)}
    found = striate("predict", run.folder, *[places.get(word, word) for word in words])
    assert found.code == 2
    assert said in found.err + found.out


def test_films_are_for_detectors(striate: Call, make_run: Callable[..., Run], clip: Path) -> None:
    found = striate("predict", make_run(name="colours").folder, clip, "--json")
    assert found.code == 2
    assert "detectors" in found.lines[0]["error"]["what"]
