"""What stands between poses and answers: the object on its stage, and the run that is asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.meshes.backgrounds import studio
from striate.data.meshes.mesh import Mesh
from striate.data.meshes.obj import read_obj
from striate.data.meshes.render import render
from striate.data.meshes.rotation import angle_between_deg, angles_to_matrix
from striate.data.meshes.solids import ALIASES, SOLID_NAMES, make_solid
from striate.errors import UnknownNameError, UsageError
from striate.explain.judging import label_of
from striate.metrics.regression import wrap_degrees
from striate.pictures.read import read
from striate.pictures.resize import fit
from striate.stress.poses import Answers, Ask, Poses, PoseSpace
from striate.types import Array, Picture, SizeHW
from striate.verbs.model import FilePath, Model

__all__ = ["Seen", "Stage", "asking"]

_ANGLES = ("yaw", "pitch", "roll")
_TOLERANCE_DEG = 15.0
_LEAST = 1e-7


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
    elevation_deg: float = 0.0

    @classmethod
    def of(cls, mesh: FilePath, size_hw: SizeHW, background: FilePath | None) -> Stage:
        """The object that `mesh` names, to be shown at `size_hw`."""
        behind = None if background is None else read(background)
        name = os.fspath(mesh)
        path = Path(name)
        if path.suffix.lower() == ".obj" or path.is_file():
            found = read_obj(path)
            return cls(found.mesh, path.stem, None, size_hw, found.notes, behind)
        words = {word: solid for solid, others in ALIASES.items() for word in others}
        solid = words.get(_in_words(name), _in_words(name))
        if solid not in SOLID_NAMES:
            raise UnknownNameError(
                "object", name, SOLID_NAMES, remedy="name a solid, or a mesh file such as bus.obj"
            )
        return cls(make_solid(solid), solid, solid, size_hw, (), behind)

    def at(self, elevation_deg: float) -> Stage:
        """The same, looked down on."""
        return replace(self, elevation_deg=elevation_deg)

    def pictures(self, poses: Poses) -> list[Picture]:
        """The object in each of `poses`, as the run will see it."""
        return [self._picture(poses, row, self.size_hw) for row in range(len(poses))]

    def drawn(self, pose: Poses, side: int) -> Picture:
        """The object in one pose for people, `side` pixels on the shorter side."""
        height, width = self.size_hw
        by = side / min(height, width)
        return self._picture(pose, 0, (round(height * by), round(width * by)))

    def _picture(self, poses: Poses, row: int, size_hw: SizeHW) -> Picture:
        ground = studio(size_hw)
        if self.background is not None:
            ground = fit(self.background, size_hw, how="crop").pixels
        return render(self.mesh, poses.view(row, self.elevation_deg), size_hw, ground=ground).picture


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """How a run is asked about one object; see `Findings` for what the words mean."""

    ask: Ask
    truth: str
    truth_from: str
    numbers: tuple[str, ...]
    tolerance: float
    usual: Answers
    notes: tuple[str, ...]


def asking(model: Model, stage: Stage, space: PoseSpace, true: str | None, threads: int) -> Seen:
    """The run of `model` as something that answers to poses of `stage`."""
    stage = stage.at(space.elevation_deg)
    graphs = model.graphs(threads)

    def results(poses: Poses) -> list[Any]:
        return list(model.task.predict(graphs, stage.pictures(poses)))

    task = model.header.task
    if task == "classify":
        return _of_classes(model.names, stage, space, true, results)
    if task == "regress":
        return _of_angles(model.names, stage, space, true, results)
    raise UsageError(
        f"strange poses are not measured for the task {task}",
        expected="a run that classifies, or one that gives yaw, pitch or roll",
    )


# -- classes ----------------------------------------------------------------------------------


def _of_classes(
    names: Sequence[str], stage: Stage, space: PoseSpace, true: str | None, results: Any
) -> Seen:
    usual = results(space.canonical)
    truth, source = _truth(names, stage, true, usual[0])
    column = list(names).index(truth)

    def judged(found: Sequence[Any]) -> Answers:
        scores = np.stack([one.probabilities for one in found]).astype(np.float64)  # (N, K)
        logs = np.log(np.maximum(scores, _LEAST))
        others = np.delete(logs, column, axis=1).max(axis=1, initial=np.log(_LEAST))
        said = tuple(label_of(one) for one in found)
        return Answers(
            said=said,
            wrong=np.array([set(one.labels) != {truth} for one in found]),
            known=np.array([bool(one.known) for one in found]),
            sure=np.array([one.score for one in found], np.float64),
            loss=others - logs[:, column],
            off=np.zeros((len(found), 0)),
        )

    assumed = () if source != _ASSUMED else (
        f"No class of the run is called {stage.name}, so what it says of the usual pose, {truth}, is "
        "taken as right.",
    )  # fmt: skip
    return Seen(
        ask=lambda poses: judged(results(poses)),
        truth=truth,
        truth_from=source,
        numbers=(),
        tolerance=0.0,
        usual=judged(usual),
        notes=assumed,
    )


_ASSUMED = "what the run says of the usual pose: its name is no class of the run"


def _truth(names: Sequence[str], stage: Stage, true: str | None, usual: Any) -> tuple[str, str]:
    """The right class, and how that is known."""
    if true is not None:
        if true not in names:
            raise UnknownNameError("class", true, names)
        return true, "as it was given"
    words = {_in_words(stage.name), *ALIASES.get(stage.solid or "", ())}
    for name in names:
        if _in_words(name) in words:
            return name, "the class of the run that has the object's name"
    label = usual.label if usual.label is not None else usual.top(1)[0][0]
    return label, _ASSUMED


def _in_words(name: str) -> str:
    """A name of a class or a file as one would say it: "School_bus" and "school-bus" are one."""
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


# -- angles -----------------------------------------------------------------------------------


def _of_angles(
    names: Sequence[str], stage: Stage, space: PoseSpace, true: str | None, results: Any
) -> Seen:
    if true is not None:
        raise UsageError(f"a run for numbers has no class {true!r}", remedy="leave out --true")
    which = [_angle(name) for name in names]

    def ask(poses: Poses) -> Answers:
        values = np.stack([one.values for one in results(poses)])  # (N, K)
        off = np.abs(wrap_degrees(values - poses.angles_deg[:, which]))
        error = _apart(values, which, poses) if len(set(which)) == 3 else off.mean(axis=1)
        said = tuple(
            ", ".join(f"{name} {value:.0f}°" for name, value in zip(names, row, strict=True)).replace(
                "-", "−"
            )
            for row in values.tolist()
        )
        return Answers(
            said=said,
            wrong=error > _TOLERANCE_DEG,
            known=np.ones(len(said), bool),
            sure=error,
            loss=error - _TOLERANCE_DEG,
            off=off,
        )

    kind = "the turn between pose and answer" if len(set(which)) == 3 else "the mean error of the angles"
    return Seen(
        ask=ask,
        truth=stage.name,
        truth_from=f"the pose itself; the error is {kind}",
        numbers=tuple(names),
        tolerance=_TOLERANCE_DEG,
        usual=ask(space.canonical),
        notes=(),
    )


def _angle(name: str) -> int:
    """Which of yaw, pitch and roll a column is."""
    plain = name.lower().removesuffix("_deg")
    if plain not in _ANGLES:
        raise UsageError(
            f"the run gives {name!r}, which a pose does not tell",
            expected="a run whose numbers are called yaw, pitch or roll",
        )
    return _ANGLES.index(plain)


def _apart(values: Array, which: Sequence[int], poses: Poses) -> Array:
    """The turn between what was said and what is, degrees (N,)."""
    ordered = values[:, [list(which).index(angle) for angle in range(3)]]
    return angle_between_deg(angles_to_matrix(*ordered.T), poses.turns)
