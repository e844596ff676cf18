"""What stands between poses and answers: the object on its stage, and the run that is asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from striate.data.meshes.backgrounds import studio
from striate.data.meshes.mesh import Mesh
from striate.data.meshes.obj import read_obj
from striate.data.meshes.render import Rendered, render
from striate.data.meshes.solids import ALIASES, SOLID_NAMES, make_solid
from striate.errors import DataError, UnknownNameError, UsageError
from striate.pictures.read import read
from striate.pictures.resize import fit
from striate.stress.poses import Answers, Ask, Poses, PoseSpace
from striate.stress.poses_answers import (
    ANGLES,
    LEAST_IOU,
    TOLERANCE_DEG,
    Rule,
    answers_in_angles,
    answers_in_boxes,
    answers_in_classes,
    hidden,
    overlaps_with,
    rule_of_angles,
    rule_of_boxes,
    rule_of_classes,
)
from striate.stress.poses_boxes import draw_boxes
from striate.stress.poses_findings import Ranges
from striate.stress.poses_report import Draw
from striate.types import Array, Picture, SizeHW
from striate.verbs.model import FilePath, Model

__all__ = ["Seen", "Stage", "Up", "asking"]

Up: TypeAlias = Literal["y", "z"]

_ASSUMED_UP = (
    "The file's y axis is taken as up, as is usual for OBJ; if the object lies on its side, add --up z."
)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """An object before a background. `solid`: its name where it is a built-in one. `notes`: what of a
    file is not drawn.
    """

    mesh: Mesh
    name: str
    solid: str | None
    size_hw: SizeHW
    notes: tuple[str, ...]
    background: Picture | None
    ground: Picture
    elevation_deg: float = 0.0

    @classmethod
    def of(
        cls, mesh: FilePath, size_hw: SizeHW, background: FilePath | None, up: Up | None = None
    ) -> Stage:
        """The object that `mesh` names, to be shown at `size_hw`. `up`: which axis of a file points
        upwards; y, as OBJ files have it, where nobody says."""
        behind = None if background is None else read(background)
        ground = _ground(behind, size_hw)
        name = os.fspath(mesh)
        path = Path(name)
        if path.suffix.lower() == ".obj" or path.is_file():
            found = read_obj(path)
            own = _upright(found.mesh) if up == "z" else found.mesh
            said = (_ASSUMED_UP,) if up is None else ()
            return cls(own, path.stem, None, size_hw, (*found.notes, *said), behind, ground)
        if up is not None:
            raise UsageError(f"up is {up} of {name}, which is no file", remedy="leave out --up")
        words = {word: solid for solid, others in ALIASES.items() for word in others}
        solid = words.get(_in_words(name), _in_words(name))
        if solid not in SOLID_NAMES:
            raise UnknownNameError(
                "object", name, SOLID_NAMES, remedy="name a solid, or a mesh file such as bus.obj"
            )
        return cls(make_solid(solid), solid, solid, size_hw, (), behind, ground)

    def at(self, elevation_deg: float) -> Stage:
        """The same, looked down on."""
        return replace(self, elevation_deg=elevation_deg)

    def rendered(self, poses: Poses, row: int) -> Rendered:
        """The object in one of `poses`, as the run will see it."""
        view = poses.view(row, self.elevation_deg)
        return render(self.mesh, view, self.size_hw, ground=self.ground)

    def drawn(self, pose: Poses, side: int) -> Picture:
        """The object in one pose for people, `side` pixels on the shorter side."""
        height, width = self.size_hw
        by = side / min(height, width)
        size_hw = round(height * by), round(width * by)
        ground = _ground(self.background, size_hw)
        return render(self.mesh, pose.view(0, self.elevation_deg), size_hw, ground=ground).picture


def _upright(mesh: Mesh) -> Mesh:
    """z up and -y to the front, as 3-D programs have it, to y up and z to the front."""
    turn = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    normals = None if mesh.normals is None else mesh.normals @ turn.T
    return replace(mesh, vertices=mesh.vertices @ turn.T, normals=normals)


def _ground(background: Picture | None, size_hw: SizeHW) -> Picture:
    return studio(size_hw) if background is None else fit(background, size_hw, how="crop").pixels


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """How a run is asked about one object; see `Findings` for what the words mean. `show`: a pose for
    people, with what the run says of it where that can be drawn."""

    ask: Ask
    show: Draw
    truth: str
    truth_from: str
    rule: Rule
    usual: Answers
    numbers: tuple[str, ...] = ()
    tolerance: float = 0.0
    trained: Ranges = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What a run says of poses, and the boxes of what is seen there, float64 (N, 4), NaN for nothing."""

    results: Sequence[Any]
    boxes_xyxy: Array


_Look = Callable[[Poses], _Looked]


def asking(model: Model, stage: Stage, space: PoseSpace, true: str | None) -> Seen:
    """The run of `model` as something that answers to poses of `stage`."""
    stage = stage.at(space.elevation_deg)

    def look(poses: Poses) -> _Looked:
        boxes = np.full((len(poses), 4), np.nan)

        def picture(row: int) -> Picture:
            seen = stage.rendered(poses, row)
            boxes[row] = np.nan if seen.box_xyxy is None else seen.box_xyxy
            return seen.picture

        return _Looked([result for _, result, _ in model.stream(range(len(poses)), picture)], boxes)

    _check_shown(stage, space)
    task = model.header.task
    if task == "classify":
        return _of_classes(model.names, stage, space, true, look)
    if task == "detect":
        return _of_boxes(model, stage, space, true, look)
    if task == "regress":
        return _of_angles(model, stage, space, true, look)
    raise UsageError(
        f"strange poses are not measured for the task {task}",
        expected="a run that classifies, one that detects, or one that gives yaw, pitch or roll",
    )


def _check_shown(stage: Stage, space: PoseSpace) -> None:
    if stage.rendered(space.canonical, 0).box_xyxy is None:
        height, width = stage.size_hw
        raise DataError(
            f"nothing is seen of {stage.name} at {height} × {width} pixels in its usual pose",
            expected="an object that fills half of a pixel at least",
            remedy="look at the file: it may be a line or a sheet seen from its edge",
        )


def _judging(look: _Look, judge: Callable[[_Looked, Poses], Answers]) -> Ask:
    def ask(poses: Poses) -> Answers:
        looked = look(poses)
        return hidden(judge(looked, poses), looked.boxes_xyxy)

    return ask


# -- classes and boxes ------------------------------------------------------------------------


def _of_classes(
    names: Sequence[str], stage: Stage, space: PoseSpace, true: str | None, look: _Look
) -> Seen:
    truth, source = _truth(names, stage, true, lambda: _best_class(look(space.canonical)))
    column = list(names).index(truth)
    ask = _judging(look, lambda looked, _: answers_in_classes(looked.results, column))
    return Seen(
        ask=ask,
        show=stage.drawn,
        truth=truth,
        truth_from=source,
        rule=rule_of_classes(truth),
        usual=ask(space.canonical),
        notes=_assumed(stage, truth, source),
    )


def _best_class(looked: _Looked) -> str:
    """What a classifier says of the one pose; if it says nothing, its best class."""
    usual = looked.results[0]
    label: str = usual.label if usual.label is not None else usual.top(1)[0][0]
    return label


def _of_boxes(model: Model, stage: Stage, space: PoseSpace, true: str | None, look: _Look) -> Seen:
    truth, source = _truth(model.names, stage, true, lambda: _best_box(look(space.canonical), stage))
    column, show_from = list(model.names).index(truth), float(model.header.facts["show_from"])
    ask = _judging(
        look,
        lambda looked, _: answers_in_boxes(looked.results, looked.boxes_xyxy, column, show_from),
    )

    def show(pose: Poses, side: int) -> Picture:
        looked, by = look(pose), side / min(stage.size_hw)
        box = looked.boxes_xyxy[0]
        return draw_boxes(stage.drawn(pose, side), looked.results[0], box, column, show_from, by)

    return Seen(
        ask=ask,
        show=show,
        truth=truth,
        truth_from=source,
        rule=rule_of_boxes(truth, show_from),
        usual=ask(space.canonical),
        notes=_assumed(stage, truth, source),
    )


def _best_box(looked: _Looked, stage: Stage) -> str:
    """The class that a detector finds where the object is in the one pose."""
    result = looked.results[0]
    there = overlaps_with(result, looked.boxes_xyxy[0]) >= LEAST_IOU
    if not there.any():
        raise UsageError(
            f"no class of the run is called {stage.name}, and in its usual pose the run finds nothing "
            "there that could be taken as right",
            expected="the class that it should find",
            remedy=f"name it with --true: {', '.join(result.names[:8])}",
        )
    name: str = result.names[result.labels[int(there.argmax())]]
    return name


_ASSUMED = "what the run says of the usual pose: its name is no class of the run"


def _assumed(stage: Stage, truth: str, source: str) -> tuple[str, ...]:
    if source != _ASSUMED:
        return ()
    said = f"No class of the run is called {stage.name}, so what it says of the usual pose, {truth}, is "
    return (f"{said}taken as right; --true CLASS names another.",)


def _truth(
    names: Sequence[str], stage: Stage, true: str | None, usual: Callable[[], str]
) -> tuple[str, str]:
    """The right class, and how that is known; `usual` tells what the run says of the usual pose."""
    if true is not None:
        if true not in names:
            raise UnknownNameError("class", true, names)
        return true, "as it was given"
    words = {_in_words(stage.name), *ALIASES.get(stage.solid or "", ())}
    for name in names:
        if _in_words(name) in words:
            return name, "the class of the run that has the object's name"
    return usual(), _ASSUMED


def _in_words(name: str) -> str:
    """A name of a class or a file as one would say it: "School_bus" and "school-bus" are one."""
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


# -- angles -----------------------------------------------------------------------------------


def _of_angles(model: Model, stage: Stage, space: PoseSpace, true: str | None, look: _Look) -> Seen:
    if true is not None:
        raise UsageError(f"a run for numbers has no class {true!r}", remedy="leave out --true")
    which = [_angle(name) for name in model.names]
    ask = _judging(look, lambda looked, poses: answers_in_angles(looked.results, which, poses))
    return Seen(
        ask=ask,
        show=stage.drawn,
        truth=stage.name,
        truth_from="the pose itself",
        rule=rule_of_angles(which),
        usual=ask(space.canonical),
        numbers=model.names,
        tolerance=TOLERANCE_DEG,
        trained=_trained(model, which),
    )


def _trained(model: Model, which: Sequence[int]) -> Ranges:
    """The angles that the run was mostly trained on: what is spread evenly ends at √3 deviations."""
    facts = model.header.facts
    rows = zip(which, facts["mean"], facts["scale"], strict=True)
    reach = [(ANGLES[angle], mean, min(3**0.5 * spread, 180.0)) for angle, mean, spread in rows]
    return tuple((name, mean - upto, mean + upto) for name, mean, upto in reach)


def _angle(name: str) -> int:
    """Which of yaw, pitch and roll a column is."""
    plain = name.lower().removesuffix("_deg")
    if plain not in ANGLES:
        raise UsageError(
            f"the run gives {name!r}, which a pose does not tell",
            expected="a run whose numbers are called yaw, pitch or roll",
        )
    return ANGLES.index(plain)
