from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from striate.errors import DataError, UnknownNameError, UsageError
from striate.runs.run import Run
from striate.verbs.stress.poses import FILES, StrangePoses, poses
from striate.verbs.stress.poses_asking import Stage, _truth

MakeRun = Callable[..., Run]

RED_CUBE = """mtllib p.mtl
v -1 -1 -1
v 1 -1 -1
v 1 1 -1
v -1 1 -1
v -1 -1 1
v 1 -1 1
v 1 1 1
v -1 1 1
usemtl red
f 5 6 7 8
f 4 3 2 1
f 1 5 8 4
usemtl blue
f 8 7 3 4
f 1 2 6 5
f 2 3 7 6
"""


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """Red before, behind and on its right; blue above, below and on its left."""
    (tmp_path / "p.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 1\n")
    path = tmp_path / "red.obj"
    path.write_text(RED_CUBE)
    return path


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
        told = _truth(["van", known], stage, None, None)
        assert told == (known, "the class of the run that has the object's name")
    assert Stage.of(name, (32, 32), None).solid == "bus"


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


def test_other_words_and_a_background(make_run: MakeRun, coloured: Path) -> None:
    behind = coloured / "green" / "0.png"
    found = poses(make_run(), "lorry", background=behind, samples=12, threads=1)
    assert found.object == "truck"
    assert found.found.truth == "green"  # what the background makes the run say


def test_a_run_for_angles_is_measured_by_how_far_it_is_off(tmp_path: Path) -> None:
    run = angle_run(tmp_path / "angles")
    found = poses(run, "head", samples=20, threads=1)
    assert found.found.numbers == ("yaw_deg", "pitch")
    assert found.to_dict()["random"]["mean_errors"].keys() == {"yaw_deg", "pitch"}
    assert "more than 15° off" in " ".join(found.statements)
    found.save(tmp_path / "out")
    with pytest.raises(UsageError, match="no class"):
        poses(run, "head", true="red", samples=12)


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
