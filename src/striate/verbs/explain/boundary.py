"""A run's decision boundary as a picture: on a plane through three pictures, or by features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from striate.errors import UsageError
from striate.explain.boundary import AnswerMap, Plane, answers_on, corner_rows, vote_map
from striate.explain.boundary_drawing import Corner, Spot, draw_map
from striate.explain.judging import label_of
from striate.explain.principal import first_two
from striate.explain.steadiness import answer_all
from striate.metrics.plain import percent
from striate.pictures import read, write
from striate.runs.run import Run
from striate.types import Picture, SizeHW
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import PictureSet, fitted, labelled, some
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import FilePath, Model, load

__all__ = ["Boundary", "PlaneKind", "boundary"]

PlaneKind = Literal["pictures", "features"]

_POINTS, _LARGE_POINTS, _LARGE = 96, 48, 64
"""Grid of small pictures, of larger ones, and the side that divides them."""
_LETTERS = "ABC"


@dataclass(frozen=True, slots=True)
class Boundary:
    """The answers on a plane, and the picture of them.

    `kind`: "pictures" for the run's own answers on the plane through three pictures; "features" for a
    vote of the nearest pictures, laid out along the two directions in which features differ most.
    `about`: what else is known, JSON-ready. `notes`: what a reader should know.
    """

    run: str
    kind: PlaneKind
    answers: AnswerMap
    drawn: Picture
    notes: tuple[str, ...]
    about: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain boundary --json`."""
        return {
            "run": self.run,
            "plane": self.kind,
            "grid": len(self.answers.classes),
            "shares": dict(zip(self.answers.names, self.answers.shares, strict=True)),
            "notes": list(self.notes),
            **self.about,
        }

    def save(self, path: FilePath, *, overwrite: bool = False) -> Path:
        """Write the picture; its path."""
        return write(self.drawn, path, overwrite=overwrite)


def boundary(
    run: FilePath | Run,
    source: FilePath | None = None,
    *,
    through: Sequence[FilePath] = (),
    plane: PlaneKind = "pictures",
    grid: int = 0,
    split: SplitChoice = "auto",
    at_most: int = 500,
    seed: int = 0,
    threads: int = 0,
    listen: Callable[[int, int], None] | None = None,
) -> Boundary:
    """Draw where the classifier `run` changes its mind.

    `through`: three picture files that the plane goes through; without them, typical pictures of the
    three classes of `source` that the run mixes up most. `grid`: points along a side; 0 takes 96, or 48
    for large inputs. Errors: `UsageError` for a run that has no classes, pictures that span no plane,
    settings that exclude each other; `PictureError`; those of `evaluate`.
    """
    model = load(run, threads=threads)
    if model.task.name != "classify":
        raise UsageError(
            f"run {model.run.name} answers with numbers, not with classes",
            expected="a classifier: only between classes there is a boundary",
        )
    if grid and not 2 <= grid <= 512:
        raise UsageError(f"the grid is {grid}", expected="2 to 512 points along a side")
    if through and (plane == "features" or len(through) != 3):
        raise UsageError(
            f"{len(through)} pictures were given with --through for the plane of {plane}",
            expected="three, for the plane of pictures",
        )
    if not through and source is None:
        raise UsageError(
            "neither data nor three pictures were named", remedy="name DATA, or --through A B C"
        )
    grid = grid or (_POINTS if max(model.task.input_hw) <= _LARGE else _LARGE_POINTS)
    if through:
        named = [(Path(one).name, _prepared(model, one)) for one in through]
        return _through(model, named, ["?"] * 3, grid, threads, listen)
    assert source is not None
    whole, name = labelled(model, source, split)
    pictures = fitted(some(whole, at_most, seed), model.task.prepare, model.task.read_at_least_hw)
    results = answer_all(model.task, model.graphs(threads)["main"], [pictures.pixels])
    truths = [" + ".join(one.target) or "nothing" for one in pictures.records]
    if plane == "features":
        return _by_features(
            model, pictures, truths, [label_of(one) for one in results], grid, name, threads
        )
    rows = corner_rows(truths, results)
    chosen = [(pictures.records[row].key, pictures.pixels[row]) for row in rows]
    return _through(model, chosen, [truths[row] for row in rows], grid, threads, listen)


def _prepared(model: Model, path: FilePath) -> Picture:
    return model.task.prepare(read(path, at_least_hw=model.task.read_at_least_hw)).pixels


def _through(
    model: Model,
    named: Sequence[tuple[str, Picture]],
    truths: Sequence[str],
    grid: int,
    threads: int,
    listen: Callable[[int, int], None] | None,
) -> Boundary:
    graph = model.graphs(threads)["main"]
    plane = Plane.through([picture for _, picture in named])
    found, cut = answers_on(plane, model.task, graph, grid=grid, listen=listen)
    own: list[Any] = answer_all(model.task, graph, [np.stack([one for _, one in named])])
    corners = []
    about = []
    for letter, (name, picture), truth, result, xy in zip(
        _LETTERS, named, truths, own, plane.corners_xy.tolist(), strict=True
    ):
        answer, score = label_of(result), float(result.score)
        words = f"{answer}, {percent(score)}" + (f", is {truth}" if truth not in ("?", answer) else "")
        corners.append(Corner(letter, (xy[0], xy[1]), picture, name, words))
        about.append({"picture": name, "truth": None if truth == "?" else truth, "answer": answer,
                      "score": score, "xy": xy})  # fmt: skip
    a, b, c = plane.corners_xy
    sides = [float(np.hypot(*(one - other))) for one, other in ((a, b), (b, c), (c, a))]
    height, width = model.task.input_hw
    notes = [
        f"The run's own answers to {grid} by {grid} pictures of {height} by {width} pixels on the plane "
        "through A, B and C: inside the triangle, mixtures of the three. Strong colour: sure; pale: "
        "unsure.",
        f"A and B differ by {sides[0]:.0f} grey levels (root mean square), B and C by {sides[1]:.0f}, C "
        "and A by "
        f"{sides[2]:.0f}. " + _cut_words(cut),
    ]
    drawn = draw_map(
        found, title=f"Where {model.run.name} changes its mind", notes=notes, corners=corners
    )
    return Boundary(
        model.run.name, "pictures", found, drawn, tuple(notes),
        {"corners": about, "distances_rms": sides, "cut_off": cut},
    )  # fmt: skip


def _cut_words(cut: float) -> str:
    if not cut:
        return "No value left 0 to 255."
    return (
        f"On {percent(cut)} of the map, all outside the triangle, over 1 % of the values leave 0 to 255 "
        "and are cut off."
    )


def _by_features(
    model: Model,
    pictures: PictureSet,
    truths: Sequence[str],
    answers: Sequence[str],
    grid: int,
    split: str,
    threads: int,
) -> Boundary:
    if len(pictures) < 3:
        raise UsageError(f"there are {len(pictures)} pictures", expected="three or more to span a plane")
    inside = look_inside(model, threads=threads)
    layer = inside.features
    watch = inside.watch([layer])
    values = np.concatenate([found[layer.name] for _, found in watch.each(pictures.pixels)])
    points, share = first_two(values.reshape(len(values), -1))
    found = vote_map(points, answers, grid=grid)
    spots = [
        Spot((x, y), truth, truth == answer)
        for (x, y), truth, answer in zip(points.tolist(), truths, answers, strict=True)
    ]
    wrong = sum(not one.right for one in spots)
    notes = [
        f"{len(spots)} pictures of {pictures.root} ({split}), laid out along the two directions in "
        f"which their {layer.channels} numbers in layer {layer.name} differ most (principal components, "
        f"{percent(share)} of the variance).",
        "The ground is no answer of the run: it is the vote of the 15 nearest pictures' answers. Strong "
        f"colour: they agree. {wrong} of the pictures are answered wrongly.",
    ]
    size: SizeHW = model.task.input_hw
    drawn = draw_map(found, title=f"How {model.run.name} lays pictures out", notes=notes, spots=spots)
    return Boundary(
        model.run.name, "features", found, drawn, tuple(notes),
        {"layer": layer.name, "variance_share": share, "pictures": len(spots), "wrong": wrong,
         "input_hw": list(size), "split": split},
    )  # fmt: skip
