from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from striate.data.meshes.solids import canonical_view
from striate.errors import DataError, UnknownNameError, UsageError
from striate.runs.folder import RunWriter
from striate.runs.header import RunHeader
from striate.runs.run import Run
from striate.stress.poses import PoseSpace
from striate.stress.poses_report import statements
from striate.types import Array
from striate.verbs.model import load
from striate.verbs.stress.poses import FILES, StrangePoses, poses, share_of
from striate.verbs.stress.poses_asking import Stage, _truth, asking

MakeRun = Callable[..., Run]


@pytest.mark.parametrize("samples", [1, 20, 28, 60, 200, 350, 2000])
def test_no_part_costs_more_than_the_samples(samples: int) -> None:
    share = share_of(samples)
    least = {"for the nearest": 20, "for searches": 2}  # one axis, one start
    for name, count in share.parts.items():
        assert count <= max(samples + 1, least.get(name, 0)), name
    assert str(sum(share.parts.values())) in share.words


def test_what_is_rendered_keeps_to_what_was_said(make_run: MakeRun, cube: Path) -> None:
    for samples in (12, 60):
        found = poses(make_run(name=f"n{samples}"), cube, samples=samples, threads=1)
        assert samples <= found.found.asked <= sum(share_of(samples).parts.values())
        assert bool(found.found.maps) == (samples == 60)
        assert ("No maps" in " ".join(found.notes)) == (samples == 12)


def test_the_axis_that_points_upwards_may_be_told(tmp_path: Path) -> None:
    """A wedge of ABC with y up, and the same with z up, are one object."""
    y_up = [(-2, 0, 1), (2, 0, 1), (2, 0, -1), (-2, 0, -1), (2, 3, 0), (-2, 3, 0)]
    faces = "f 1 2 5 6\nf 3 4 6 5\nf 2 3 5\nf 4 1 6\nf 4 3 2 1\n"
    shown = []
    for name, points in (("y", y_up), ("z", [(x, -z, y) for x, y, z in y_up])):
        path = tmp_path / f"{name}.obj"
        path.write_text("".join(f"v {x} {y} {z}\n" for x, y, z in points) + faces)
        for up in (None, "z"):
            stage = Stage.of(path, (40, 40), None, "z" if up else None)
            assert bool(stage.notes) == (up is None)
            pose = PoseSpace.around(canonical_view(None)).canonical
            shown.append(stage.rendered(pose, 0).picture)
    np.testing.assert_array_equal(shown[0], shown[3])
    assert (shown[0] != shown[2]).any()
    with pytest.raises(UsageError, match="--up"):
        Stage.of("bus", (40, 40), None, "z")


def test_a_cube_of_two_colours_is_misread_from_its_other_side(
    make_run: MakeRun, cube: Path, tmp_path: Path
) -> None:
    heard: list[tuple[int, int]] = []
    found = poses(make_run(), cube, samples=60, threads=1, listen=lambda *one: heard.append(one))
    assert found.found.truth == "red"
    assert "name" in found.found.truth_from
    share, (low, high) = found.found.misread
    assert 0.1 < low < share < high < 0.9
    assert {one.said for one in found.found.confusions} <= {"blue", "green"}
    assert found.found.asked == heard[-1][0] or heard[-1][0] == heard[-1][1]
    same = poses(make_run(name="again"), cube, samples=60, threads=1)
    assert same.to_dict()["random"] == found.to_dict()["random"]
    assert same.to_dict()["strongest"] == found.to_dict()["strongest"]
    other = poses(make_run(name="other"), cube, samples=60, threads=1, seed=1)
    assert other.to_dict()["strongest"] != found.to_dict()["strongest"]

    page = found.save(tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(FILES)
    told = json.loads((tmp_path / "out" / "poses.json").read_text())
    assert told["object"] == "red"
    assert told["random"]["poses"] == 60
    text = page.read_text()
    assert "Strange poses of a red" in text
    assert "<script" not in text
    with pytest.raises(UsageError, match="exists already"):
        found.save(tmp_path / "out")
    found.save(tmp_path / "out", overwrite=True)


def test_the_right_class_is_given_or_assumed(make_run: MakeRun) -> None:
    run = make_run()
    given = poses(run, "bus", true="green", samples=12, threads=1)
    assert given.found.truth == "green"
    assumed = poses(run, "bus", samples=12, threads=1)
    assert assumed.found.truth == assumed.found.canonical.said[0]
    assert "is taken as right" in assumed.statements[-1]
    with pytest.raises(UnknownNameError, match="green"):
        poses(run, "bus", true="grene", samples=12)


@pytest.mark.parametrize("name", ["school_bus", "School-Bus", "school bus"])
@pytest.mark.parametrize("known", ["school_bus", "school-bus", "School bus"])
def test_a_name_is_the_same_however_its_words_are_joined(cube: Path, name: str, known: str) -> None:
    path = cube.rename(cube.with_name(f"{name}.obj"))
    for stage in (Stage.of(path, (32, 32), None), Stage.of(name, (32, 32), None)):
        told = _truth(["van", known], stage, None, lambda: "never asked")
        assert told == (known, "the class of the run that has the object's name")
    assert Stage.of(name, (32, 32), None).solid == "bus"


def test_the_time_of_reading_an_object_counts(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.verbs.stress import poses as module

    begun: list[float | None] = []
    monkeypatch.setattr(module, "Deadline", lambda clock, budget, about, listen: begun.append(budget))
    with pytest.raises(DataError):
        poses(make_run(), tmp_path / "missing.obj", time_budget="10s")
    assert begun == [10]


def test_objects_that_are_none(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    with pytest.raises(UnknownNameError, match="bicycle"):
        poses(run, "submarine", samples=12)
    (tmp_path / "none.obj").write_text("v 0 0 0\n")
    with pytest.raises(DataError, match="no faces"):
        poses(run, tmp_path / "none.obj", samples=12)
    with pytest.raises(DataError, match="cannot read"):
        poses(run, tmp_path / "missing.obj", samples=12)
    with pytest.raises(UsageError, match="0 samples"):
        poses(run, "bus", samples=0)
    with pytest.raises(UsageError, match="seed is -1"):
        poses("no run at all", "bus", seed=-1)


def test_other_words_and_a_background(make_run: MakeRun, coloured: Path) -> None:
    behind = coloured / "green" / "0.png"
    found = poses(make_run(), "lorry", background=behind, samples=12, threads=1)
    assert found.object == "truck"
    assert found.found.truth == "green"  # what the background makes the run say


def test_a_run_for_angles_is_measured_by_how_far_it_is_off(tmp_path: Path) -> None:
    run = angle_run(tmp_path / "angles")
    found = poses(run, "head", samples=20, threads=1)
    assert found.found.numbers == ("yaw_deg", "pitch")
    told = found.to_dict()
    assert told["random"]["mean_errors"].keys() == {"yaw_deg", "pitch"}
    assert told["canonical"]["off_deg"] == pytest.approx(found.found.canonical.sure[0], abs=0.01)
    assert "confidence" not in told["canonical"] | told["strongest"][0]
    assert "more than 15° off" in " ".join(found.statements)
    found.save(tmp_path / "out")
    with pytest.raises(UsageError, match="no class"):
        poses(run, "head", true="red", samples=12)


def test_a_run_for_angles_tells_apart_what_it_was_trained_on(tmp_path: Path) -> None:
    found = poses(angle_run(tmp_path / "angles"), "head", samples=60, threads=1).found
    # mean 100°, deviation 50°: a yaw of 13 to 187°, a pitch of 13 to 90°
    reach = 50 * 3**0.5
    assert found.trained == (
        ("yaw", pytest.approx(100 - reach), pytest.approx(100 + reach)),
        ("pitch", pytest.approx(100 - reach), pytest.approx(100 + reach)),
    )
    yaw, pitch, _ = found.poses.angles_deg.T
    away = 180 - abs(180 - abs(yaw - 100))
    assert len(found.within) == ((away <= reach) & (pitch >= 100 - reach)).sum() > 0
    assert "turned as in training (yaw 13° to 187°, pitch 13° to 187°)" in " ".join(statements(found))
    assert found.to_dict()["random"]["poses_as_trained"] == len(found.within)


class ColourGraph:
    """Finds one box around all that is coloured: "red" or "blue", whichever is more."""

    input_names = ("pictures",)
    output_names = ("boxes", "scores", "labels")

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        answers = [self._found(one.astype(float)) for one in feeds["pictures"]]
        return {name: np.stack([one[k] for one in answers]) for k, name in enumerate(self.output_names)}

    def _found(self, picture: Array) -> tuple[Array, Array, Array]:
        difference = picture[..., 0] - picture[..., 2]
        rows, columns = np.nonzero(abs(difference) > 25)
        box, score = np.zeros((1, 4), np.float32), np.zeros(1, np.float32)
        if len(rows):
            box[0] = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            score[0] = min(1.0, abs(difference).max() / 255)
        return box, score, np.array([int(difference.sum() < 0)])


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A sealed run of the task detect that sees colours."""
    monkeypatch.setattr("striate.verbs.model.load_graph", lambda path, **how: ColourGraph())
    names = ("red", "blue")
    header = RunHeader.parse(
        {
            "striate_version": "0.1.0",
            "created": "2026-11-21T06:00:00+00:00",
            "task": "detect",
            "config": {},
            "facts": {"method": "fcos", "model": "small-cnn", "names": names, "counts": (1, 1),
                      "size_hw": (32, 40), "show_from": 0.3},
            "train": {},
            "plan": {},
            "data": {"name": "colours", "layout": "drawn", "fingerprint": "ab" * 32,
                     "counts": {"train": 2}, "names": names},
            "graphs": {"main": "graphs/main.onnx"},
            "metrics": {"validation": {"ap50": 1.0}},
            "versions": {"python": "3.11"},
            "machine": {"cpu": "none", "cores": 2, "memory_bytes": 0, "os": "none"},
        }
    )  # fmt: skip
    with RunWriter.begin(tmp_path / "detector") as writer:
        writer.save("graphs/main.onnx", b"a stand-in")
        writer.save("data.json", json.dumps({"pictures": [], "problems": []}).encode())
        return writer.seal(header)


def test_a_detector_is_asked_whether_it_finds_the_object(
    detector: Run, cube: Path, tmp_path: Path
) -> None:
    found = poses(detector, cube, samples=60, threads=1)
    assert found.found.truth == "red"
    usual = found.found.canonical
    assert usual.said[0] == "red"
    assert usual.loss[0] < 0.5  # its box lies where the object is
    share, (low, high) = found.found.misread
    assert 0.05 < low < share < high < 0.95
    assert "blue" in {one.said for one in found.found.confusions}
    told = found.to_dict()
    assert "IoU of 0.5" in told["rule"]
    assert "score × IoU" in told["searches_raise"]
    page = found.save(tmp_path / "out").read_text()
    assert "overlaps the object" in page
    assert "blue ones are right" in page
    plain = found.stage.drawn(found.found.space.canonical, 96)
    assert (found.show(found.found.space.canonical, 96) != plain).any()


def test_of_an_object_without_a_class_a_detector_must_find_something(
    detector: Run, cube: Path, tmp_path: Path
) -> None:
    other = cube.rename(cube.with_name("thing.obj"))
    found = poses(detector, other, samples=12, threads=1)
    assert found.found.truth == "red"
    assert "No class of the run is called thing" in found.statements[-1]
    grey = tmp_path / "grey.obj"
    grey.write_text(other.read_text().replace("mtllib p.mtl", "").replace("usemtl", "#"))
    with pytest.raises(UsageError, match="finds nothing there") as caught:
        poses(detector, grey, samples=12)
    assert "--true" in str(caught.value)
    given = poses(detector, grey, true="blue", samples=12, threads=1)
    assert given.found.misread[0] == 1
    assert given.found.confusions[0].said == "not found"
    assert "Most often it is not found" in " ".join(given.statements)
    assert given.to_dict()["confusions"][0]["most_confidence"] is None
    given.save(tmp_path / "out")


def test_other_tasks_are_refused_by_name(detector: Run) -> None:
    from types import SimpleNamespace

    model = load(detector)
    stage = Stage.of("bus", (32, 40), None)
    space = PoseSpace.around(canonical_view("bus"))
    other = SimpleNamespace(header=SimpleNamespace(task="segment"), task=model.task, names=("a",))
    with pytest.raises(UsageError, match="task segment") as caught:
        asking(other, stage, space, None)  # type: ignore[arg-type]
    assert "detects" in str(caught.value)


def test_what_cannot_be_seen_is_refused_and_what_can_at_times_is_not(
    make_run: MakeRun, tmp_path: Path
) -> None:
    needle = tmp_path / "red.obj"
    needle.write_text("v 0 0 0\nv 100 0 0\nv 100 0.0001 0\nf 1 2 3\n")
    with pytest.raises(DataError, match="nothing is seen of red at 6 × 8"):
        poses(make_run(), needle, samples=12)
    plate = tmp_path / "green.obj"
    plate.write_text("v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\nf 1 2 3 4\n")
    found = poses(make_run(name="plate"), plate, samples=60, threads=1)
    blank = found.to_dict()["random"]["nothing_to_see"]
    assert 0 < blank == sum(word == "nothing to see" for word in found.found.answers.said)
    assert not any(
        wrong
        for word, wrong in zip(found.found.answers.said, found.found.answers.wrong, strict=True)
        if word == "nothing to see"
    )
    found.save(tmp_path / "out")


def test_runs_without_angles_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(UsageError, match="redness"):
        poses(make_run("regress"), "head", samples=12)


def test_a_budget_of_time_is_kept(make_run: MakeRun) -> None:
    found = poses(make_run(), "car", true="red", samples=5000, time_budget=0.5, threads=1)
    assert isinstance(found, StrangePoses)
    assert found.found.cut
    assert len(found.found.answers) < 5000
    assert "Time ran out" in " ".join(found.statements)


def angle_run(folder: Path) -> Run:
    """The regression run of `conftest`, its numbers called yaw and pitch."""
    import sys

    verbs = next(
        module for name, module in sys.modules.items()
        if getattr(module, "__file__", None) == str(Path(__file__).parent / "conftest.py")
    )  # fmt: skip
    original = verbs._facts

    def facts(kind: str, threshold: float | None) -> dict[str, object]:
        return {**original(kind, threshold), "names": ("yaw_deg", "pitch"), "is_angle": (True, True)}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verbs, "_facts", facts)
        found: Run = verbs.build_run(folder, "regress", reject_threshold=None, trained_on=None)
    return found
