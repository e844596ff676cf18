from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import RunError, UsageError
from striate.pictures import read, write
from striate.runs.folder import RunWriter
from striate.runs.header import RunHeader
from striate.runs.run import Run
from striate.types import Array
from striate.verbs.explain.stages import FILES, METHODS_WITH_STAGES, stages
from striate.verbs.explain.stages_trace import delta_words

NAMES = ("ant", "bee")
SIZE_HW = (64, 96)
ANT, BEE = (10.0, 12.0, 42.0, 44.0), (56.0, 8.0, 84.0, 36.0)
FIRST: tuple[tuple[float, ...], ...] = ((2.0, 12.0, 34.0, 44.0), BEE, (0.0, 0.0, 96.0, 64.0), (0.0,) * 4)
"""Proposals in the input: the ant's lies a quarter of its width too far left, the bee's lies well."""


class RegionGraph:
    """A network of two looks: the ant is moved all but a little of its way, then the rest of it."""

    input_names = ("pictures", "proposals")
    output_names = ("boxes", "scores", "labels", "regions", "region_scores", "region_boxes")
    sure = 1.0

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        regions = np.array([*FIRST, (9.0, 12.0, 41.0, 44.0), BEE], np.float32)
        scores = np.array(
            [(0.5, 0.1), (0.05, 0.8), (0.1, 0.2), (0, 0), (0.9, 0.2), (0.1, 0.7)], np.float32
        )
        moved = np.repeat(regions[:, None], 2, axis=1)
        moved[0, 0], moved[4, 0] = (9.0, 12.0, 41.0, 44.0), ANT
        boxes = np.array([ANT, BEE, (0,) * 4], np.float32)
        found = {
            "boxes": boxes,
            "scores": np.array([0.9, 0.8, 0.0], np.float32) * self.sure,
            "labels": np.array([0, 1, 0]),
            "regions": regions,
            "region_scores": scores * np.float32(self.sure),
            "region_boxes": moved,
        }
        return {name: value[None] for name, value in found.items()}


class Unsure(RegionGraph):
    sure = 0.1


class Silent(RegionGraph):
    """As exported before graphs told of regions."""

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        return {k: v for k, v in super().__call__(feeds).items() if not k.startswith("region")}


def region_run(folder: Path, *, method: str = "rcnn", **facts: Any) -> Run:
    """A sealed run of a detector; its graph file is only a name for a `RegionGraph`."""
    known = {"method": method, "model": "small-cnn", "names": NAMES, "size_hw": SIZE_HW, **facts}
    header = RunHeader.parse(
        {
            "striate_version": "0.1.0",
            "created": "2026-11-21T06:00:00+00:00",
            "task": "detect",
            "config": {},
            "facts": known,
            "train": {},
            "plan": {},
            "data": {
                "name": "insects",
                "layout": "drawn",
                "fingerprint": "ab" * 32,
                "counts": {"train": 20},
                "names": NAMES,
            },
            "graphs": {"main": "graphs/main.onnx"},
            "metrics": {"validation": {"ap50": 1.0}},
            "versions": {"python": "3.11"},
            "machine": {"cpu": "none", "cores": 2, "memory_bytes": 0, "os": "none"},
        }
    )
    with RunWriter.begin(folder) as writer:
        writer.save("graphs/main.onnx", b"a stand-in")
        writer.save("data.json", json.dumps({"pictures": [], "problems": []}).encode())
        return writer.seal(header)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[RegionGraph], None]:
    """What answers in the place of a run's graph, with four proposals a picture."""

    def put(graph: RegionGraph) -> None:
        proposed = np.array(FIRST, np.float32)[None]
        monkeypatch.setattr("striate.verbs.model.load_graph", lambda path, **how: graph)
        monkeypatch.setattr("striate.tasks.detect.task.proposals_of", lambda pixels: proposed)

    put(RegionGraph())
    return put


@pytest.fixture
def run(tmp_path: Path, stand_in: object) -> Run:
    return region_run(tmp_path / "insects")


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """128 × 192: twice the input."""
    picture = np.random.default_rng(0).integers(60, 120, (128, 192, 3), dtype=np.uint8)
    return write(picture, tmp_path / "shot.png")


def test_a_detection_is_followed_from_its_proposal(run: Run, shot: Path) -> None:
    found = stages(run, shot)
    ant, bee = (one.to_dict() for one in found.traced)
    assert ant["label"] == "ant"
    assert ant["score"] == pytest.approx(0.9)
    assert ant["box_xyxy"] == [20, 24, 84, 88]
    assert ant["proposal_xyxy"] == [4, 24, 68, 88]
    first, second = ant["steps"]
    assert first["words"] == "too far left by 0.22 of its width"
    assert first["delta"] == [0.2188, 0, 0, 0]
    assert first["adjusted_xyxy"] == second["region_xyxy"] == [18, 24, 82, 88]
    assert (first["good"], second["good"], second["words"]) == (False, True, "good")
    assert (first["look"], second["look"], ant["looks_until_good"]) == (1, 2, 2)
    assert bee["looks_until_good"] == 1
    assert [one["look"] for one in bee["steps"]] == [1]
    assert found.looks == 2


def test_what_was_proposed_judged_and_kept(run: Run, shot: Path) -> None:
    found = stages(run, shot)
    assert found.proposals_xyxy.tolist() == [[4, 24, 68, 88], [112, 16, 168, 72], [0, 0, 192, 128]]
    assert found.judged.label_names() == ["bee", "ant"]  # of the first look only, unmoved
    assert found.judged.boxes_xyxy[1].tolist() == [4, 24, 68, 88]
    told = found.to_dict()
    assert (told["proposals"], told["judged"], told["kept"]) == (3, 2, 2)
    assert "1 of them came from a proposal that was good already, 2 were good" in found.statements()[-1]
    assert len(stages(run, shot).statements()) == 4


def test_a_padded_picture_is_traced_in_its_own_pixels(run: Run, tmp_path: Path) -> None:
    """64 × 64 stands in the middle of 64 × 96: 16 columns to each side."""
    tall = write(np.full((64, 64, 3), 90, np.uint8), tmp_path / "tall.png")
    ant = stages(run, tall).traced[0].to_dict()
    assert ant["box_xyxy"] == [0, 12, 26, 44]  # cut off at the edge
    assert ant["steps"][0]["region_xyxy"] == [-14, 12, 18, 44]
    assert ant["steps"][0]["words"] == "too far left by 0.22 of its width"


def test_what_is_written(run: Run, shot: Path, tmp_path: Path) -> None:
    found = stages(run, shot)
    page = found.save(tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(FILES)
    assert json.loads((tmp_path / "out" / "stages.json").read_text()) == found.to_dict()
    html = page.read_text()
    assert html.count("<img ") == 4
    assert "too far left by 0.22 of its width" in html
    assert "http://" not in html
    assert "https://" not in html
    drawn = [read(tmp_path / "out" / name) for name in FILES[:4]]
    assert len({one.tobytes() for one in drawn}) == 4
    with pytest.raises(UsageError, match="exists already"):
        found.save(tmp_path / "out")
    found.save(tmp_path / "out", overwrite=True)


def test_where_nothing_is_liked(
    run: Run, shot: Path, tmp_path: Path, stand_in: Callable[..., None]
) -> None:
    stand_in(Unsure())
    found = stages(run, shot)
    assert (found.liked, len(found.kept), found.traced) == (0, 0, ())
    assert "Nothing to list" in found.save(tmp_path / "out").read_text()
    assert len(found.statements()) == 3


def test_a_method_of_one_look(shot: Path, tmp_path: Path, stand_in: object) -> None:
    class OneLook(RegionGraph):
        def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
            found = super().__call__(feeds)
            return {k: v[:, 1:4] if k.startswith("region") else v for k, v in found.items()}

    stand_in(OneLook())  # type: ignore[operator]
    found = stages(region_run(tmp_path / "faster", method="faster-rcnn"), shot)
    assert found.looks == 1
    assert len(found.traced[1].steps) == 1
    assert "within 1 look " in found.statements()[-1]


@pytest.mark.parametrize("method", ["fcos", "single", "sliding-window"])
def test_methods_without_regions_are_refused(method: str, shot: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"method {method}, which judges no regions") as caught:
        stages(region_run(tmp_path / "run", method=method), shot)
    assert all(name in caught.value.expected for name in METHODS_WITH_STAGES)


def test_other_tasks_are_refused(make_run: Callable[..., Run], shot: Path) -> None:
    with pytest.raises(UsageError, match="a run of the task classify"):
        stages(make_run(), shot)


def test_graphs_that_tell_no_regions_are_refused(
    run: Run, shot: Path, stand_in: Callable[..., None]
) -> None:
    stand_in(Silent())
    with pytest.raises(RunError, match="'regions'"):
        stages(run, shot)
    with pytest.raises(UsageError, match="at most 0 regions"):
        stages(run, shot, most=0)


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ((0, 0, 0, 0), "good"),
        ((0.049, -0.049, 0.049, -0.049), "good"),
        ((0.25, 0, 0, 0), "too far left by 0.25 of its width"),
        ((-0.25, 0, 0, 0), "too far right by 0.25 of its width"),
        ((0, 0.1, 0, 0), "too high by 0.10 of its height"),
        ((0, -0.1, 0, 0), "too low by 0.10 of its height"),
        ((0, 0, -0.125, 0), "too wide by 0.12 of its width"),
        ((0, 0, 0.5, -0.3), "too narrow by 0.50 of its width, too tall by 0.30 of its height"),
        ((0, 0, 0, 0.3), "too short by 0.30 of its height"),
    ],
)
def test_deltas_in_words(delta: tuple[float, ...], words: str) -> None:
    assert delta_words(np.array(delta)) == words
