"""A layer's features of many pictures on a plane (t-SNE), written as a page, a picture and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from striate.explain.finite import check_finite
from striate.explain.inside import Inside, Layer
from striate.explain.projection_map import Embedding, embed, trust_in_words
from striate.pictures.lettering import spaced
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import Array, Picture, PictureArray, Problem
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.neurons_data import Shown, shown_pictures
from striate.verbs.explain.tsne_page import MapPage, render_map_page
from striate.verbs.explain.tsne_picture import draw_map
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "LayerMap", "layer_map"]

FILES = ("map.html", "map.json", "map.png")
_NEAR = 10
"""Nearest points on the map whose class is compared."""
_SHEET_PIXELS = 20_000_000
"""Of all thumbnails together: what a telephone still shows."""
_SMALLEST = 8
"""Side of a thumbnail at least."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerMap:
    """Where each picture lies.

    `keys`, `truths`, `said` (N,): the pictures, their classes and what the run says, as rows of `names`,
    −1 for none. `alike`: the share of a point's ten nearest ones that are of its class; None without.
    """

    run: str
    source: str
    split: str
    available: int
    layer: Layer
    names: tuple[str, ...]
    keys: tuple[str, ...]
    truths: tuple[int, ...]
    said: tuple[int, ...]
    thumbnails: PictureArray
    embedding: Embedding
    alike: float | None
    seed: int
    problems: tuple[Problem, ...]

    @property
    def groups(self) -> tuple[int, ...]:
        """What points are coloured by: their classes or, where no picture has one, the answers."""
        return self.truths if self.has_truths else self.said

    @property
    def has_truths(self) -> bool:
        """Whether any picture has a class."""
        return any(one >= 0 for one in self.truths)

    @property
    def shown_names(self) -> tuple[str, ...]:
        """Names of the groups, none where no point has one."""
        return self.names if any(one >= 0 for one in self.groups) else ()

    @property
    def statements(self) -> tuple[str, ...]:
        """The result in sentences."""
        found = self.embedding
        trust = (
            f"Trustworthiness {found.trust:.3f} of 1: {trust_in_words(found.trust)} "
            f"(at {found.neighbours} neighbours, {spaced(found.checked)} pictures)."
        )
        first = (
            f"{spaced(len(self.keys))} pictures by {self.layer.name} ({self.layer.kind}, "
            f"{self.layer.channels} channels), by t-SNE."
        )
        if self.alike is None:
            return first, trust
        what = "class" if self.has_truths else "answer"
        return first, trust, f"Of a point's ten nearest ones, {self.alike:.0%} are of its {what}."

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain RUN --tsne LAYER --json`."""
        return {
            "run": self.run,
            "source": self.source,
            "split": self.split,
            "pictures": len(self.keys),
            "available": self.available,
            "layer": self.layer.to_dict(),
            **self.embedding.to_dict(),
            "same_class_of_ten_nearest": self.alike,
            "seed": self.seed,
            "statements": list(self.statements),
            "names": list(self.names),
            "points": [
                {
                    "picture": key,
                    "x": round(float(x), 4),
                    "y": round(float(y), 4),
                    "truth": self._name(truth),
                    "said": self._name(said),
                }
                for key, (x, y), truth, said in zip(
                    self.keys, self.embedding.points, self.truths, self.said, strict=True
                )
            ],
            "problems": [one.to_dict() for one in self.problems],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write map.html, map.json and map.png to `folder`; the page's path."""
        page, data, picture = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        drawn = draw_map(self.embedding.points, self.groups, self.thumbnails, self.shown_names)
        write(drawn, picture, overwrite=overwrite)
        write_text(page, render_map_page(self._page()))
        return page

    def _name(self, row: int) -> str | None:
        return self.names[row] if row >= 0 else None

    def _page(self) -> MapPage:
        found = self.embedding
        taken = f"{spaced(len(self.keys))} of {spaced(self.available)} pictures"
        alike = [] if self.alike is None else [("same class nearby", f"{self.alike:.0%}")]
        return MapPage(
            title=f"Pictures as {self.run} sees them",
            facts=f"layer {self.layer.name} · {taken} of {self.source} ({self.split})",
            intro=_INTRO,
            points=found.points,
            groups=self.groups,
            names=self.shown_names,
            labels=[self._label(at) for at in range(len(self.keys))],
            thumbnails=self.thumbnails,
            numbers=[
                ("pictures", spaced(len(self.keys))),
                ("trustworthiness", f"{found.trust:.3f}"),
                *alike,
            ],
            terms=self._terms(),
        )

    def _label(self, at: int) -> str:
        truth, said = self._name(self.truths[at]), self._name(self.said[at])
        words = [truth] if truth else []
        if said and said != truth:
            words.append(f"said: {said}")
        return "\n".join([*words, self.keys[at]])

    def _terms(self) -> list[tuple[str, str]]:
        found, layer = self.embedding, self.layer
        pooled = "the mean of each channel over its map" if layer.is_map else "its numbers"
        colours = "their class" if self.has_truths else "what the run says"
        return [
            ("layer", f"{layer.name} ({layer.kind}): {pooled}, {layer.channels} a picture"),
            (
                "to the plane",
                f"{found.axes} principal components ({found.variance:.0%} of the variance), then t-SNE "
                f"at perplexity {found.perplexity:g}, seed {self.seed}",
            ),
            (
                "trustworthiness",
                f"{found.trust:.3f} of 1 at {found.neighbours} neighbours: "
                f"{trust_in_words(found.trust)}",
            ),
            ("colours", colours),
            (
                "beware",
                "what is near what means something; distances of far groups and their sizes do not",
            ),
        ]


_INTRO = (
    "Every point is a picture. Near each other lie pictures that this layer makes much the same of "
    "(t-SNE, van der Maaten and Hinton 2008)."
)


def layer_map(
    run: FilePath | Run,
    layer: str,
    data: FilePath,
    *,
    split: SplitChoice = "auto",
    at_most: int = 2000,
    perplexity: float = 30.0,
    seed: int = 0,
    threads: int = 0,
    listen: Callable[[int, int], None] | None = None,
) -> LayerMap:
    """The pictures of `data` by what `layer` of `run` makes of them, alike ones near each other.

    `layer`: its name, or "features": what the last dense layer sees. Of a map each channel counts by its
    mean. Pictures need no labels. `at_most`: of more, so many are drawn by `seed`; 70 000 are a matter
    of minutes and some hundred megabytes. `listen` hears what is done, of all, in two rounds: pictures
    read, steps of the map. Errors: an unknown layer lists the choices; `UsageError` for fewer than five
    pictures, `DataError` where the layer gives values that are not finite.
    """
    model = load(run, threads=threads)
    inside = look_inside(model, threads=threads)
    chosen = inside.features if layer == "features" else inside.layer(layer)
    shown = shown_pictures(model, data, split=split, at_most=at_most, seed=seed)
    features, rows, said, small = _features(model, inside, chosen, shown, listen)
    found = embed(features, perplexity=perplexity, seed=seed, threads=model.threads, listen=listen)
    truths = tuple(shown.classes[row] for row in rows)
    groups = truths if any(one >= 0 for one in truths) else said
    return LayerMap(
        run=model.run.name,
        source=shown.dataset.shown_root(),
        split=shown.split,
        available=shown.available,
        layer=chosen,
        names=model.names if model.header.task == "classify" else (),
        keys=tuple(shown.key(row) for row in rows),
        truths=truths,
        said=said,
        thumbnails=small,
        embedding=found,
        alike=_alike(found.points, np.array(groups)),
        seed=seed,
        problems=tuple(shown.problems),
    )


def _features(
    model: Model,
    inside: Inside,
    layer: Layer,
    shown: Shown,
    listen: Callable[[int, int], None] | None,
) -> tuple[Array, list[int], tuple[int, ...], PictureArray]:
    """Vectors (N, C) of the layer, the pictures' rows, the classes said, and thumbnails."""
    output = inside.layer(inside.output_names[0])
    tells = model.header.task == "classify" and not model.header.facts.get("multi_label", False)
    watch = inside.watch([layer, output] if output.name != layer.name else [layer])
    side = _thumbnail_side(len(shown), inside)
    vectors: list[Array] = []
    rows: list[int] = []
    said: list[int] = []
    small: list[Picture] = []
    for pixels, lot, _ in shown.lots(listen):
        values = watch(pixels)
        found = values[layer.name]
        check_finite(layer.name, found)
        vectors.append(found.mean(axis=(2, 3)) if found.ndim == 4 else found)
        rows += lot
        said += values[output.name].argmax(axis=1).tolist() if tells else [-1] * len(lot)
        small += [_thumbnail(one, side) for one in pixels]
    return np.concatenate(vectors), rows, tuple(said), np.stack(small)


def _thumbnail_side(count: int, inside: Inside) -> int:
    """Of thumbnails, pixels: so that all of them together stay a few megabytes."""
    room = int((_SHEET_PIXELS / count) ** 0.5)
    return max(_SMALLEST, min(64, room, max(inside.size_hw)))


def _thumbnail(picture: Picture, side: int) -> Picture:
    """The whole picture in a square, on black."""
    image = Image.fromarray(picture)
    scale = side / max(picture.shape[:2])
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = np.array(image.resize(size, Image.Resampling.BOX))
    found = np.zeros((side, side, 3), np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    found[top : top + small.shape[0], left : left + small.shape[1]] = small
    return found


def _alike(points: Array, groups: Array) -> float | None:
    """The share of each point's nearest ones that are of its group; None where points have none."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(groups >= 0)
    if len(known) <= _NEAR:
        return None
    own = groups[known]
    near = cKDTree(points[known]).query(points[known], _NEAR + 1)[1]
    itself = near == np.arange(len(known))[:, None]
    itself[~itself.any(axis=1), -1] = True  # many at one place hide it
    others = near[~itself].reshape(-1, _NEAR)
    return float((own[others] == own[:, None]).mean())
