"""Learn a part model from marked pictures.

After Felzenszwalb et al., PAMI 2010, sections 4 and 5, kept simple: each view (component) learns alone
with a latent support vector machine. A root filter first; its parts are cut from it; then, in turns,
parts are placed where they fit best on the marked objects, the hardest mistakes are collected, and all
weights are learnt again. Last, boxes are corrected by where the parts went. No context between classes,
no mirror images, and a view is decided once, not anew in each turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from striate.errors import DataError, UsageError
from striate.features.parts.cells import CELL
from striate.features.parts.layout import (
    bare,
    from_weights,
    lowest_weights,
    root_size,
    silent,
    weights_of,
    with_parts,
)
from striate.features.parts.model import Component, PartsModel
from striate.features.parts.naming import places_of
from striate.features.parts.samples import Example, hard_windows, random_windows, seen_best, warped
from striate.features.parts.search import width_of
from striate.features.parts.settings import PartsSettings
from striate.features.parts.solve import fit_weights
from striate.randomness import hash64
from striate.types import Array, Picture, check_picture

__all__ = ["FEWEST", "Effort", "train_parts"]

FEWEST = 4
"""Marked objects of a view without which nothing can be learnt."""

_EACH = 20
"""Mistakes taken from one picture at a time."""

_PASSES = 2
"""Times in a round that mistakes are collected and learnt from, the objects staying where they are."""

_PRESSES = -1.05
"""Score from which a window without an object acts on the weights; the margin ends at -1."""

_STIFF = 4.0
"""Objects that agree with the plain window are added in thought when boxes are corrected."""

Listener = Callable[[str], None]


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is looked at where not all can be.

    `objects`: of all marked ones, so many are learnt from, spread evenly. `pictures`: so many, others in
    each pass, are searched for mistakes. None is all. `done` is asked often, and once it is true what is
    known is what is learnt; it may raise, which ends everything.
    """

    objects: int | None = None
    pictures: int | None = None
    done: Callable[[], bool] = _never


def train_parts(
    pictures: Sequence[Picture],
    boxes_xyxy: Sequence[Array],
    label: str = "object",
    *,
    settings: PartsSettings | None = None,
    effort: Effort | None = None,
    threads: int = 1,
    listen: Listener | None = None,
) -> PartsModel:
    """A model of the objects marked in `pictures`, uint8 (H, W, 3), by `boxes_xyxy`, (N, 4) of each.

    Every object of the kind must be marked: what is not counts as background. Pictures without one are
    welcome. `effort` limits the time it takes; `listen` hears sentences about the progress. The same
    seed gives the same model. Errors: `UsageError` where pictures and boxes are not one each or a box
    has no area, `DataError` where too few objects are marked.
    """
    chosen, spent = settings or PartsSettings(), effort or Effort()
    examples = _examples(pictures, boxes_xyxy)
    every = [(index, box) for index, one in enumerate(examples) for box in one.boxes_xyxy]
    objects = [every[row] for row in _spread(len(every), spent.objects)]
    views = _views(examples, objects, chosen)
    tell = listen or _silent
    components, scales = [], []
    with ThreadPoolExecutor(threads) as pool:
        for number, rows in enumerate(views):
            own = [objects[row] for row in rows]
            view = _View(examples, own, chosen, spent, number, len(views), tell, pool)
            component, scale = view.learn()
            components.append(component)
            scales.append(scale)
    names = tuple(places_of(component) for component in components)
    return PartsModel(label, tuple(components), names, max(scales))


def _spread(count: int, most: int | None) -> list[int]:
    """Up to `most` of `count` rows, spread evenly."""
    if most is None or count <= most:
        return list(range(count))
    return [int(row) for row in np.linspace(0, count - 1, most).round()]


def _silent(text: str) -> None:
    """Nobody listens."""


def _examples(pictures: Sequence[Picture], boxes_xyxy: Sequence[Array]) -> list[Example]:
    if len(pictures) != len(boxes_xyxy):
        raise UsageError(
            f"{len(pictures)} pictures and {len(boxes_xyxy)} lists of boxes", expected="one each"
        )
    found = []
    for index, (picture, given) in enumerate(zip(pictures, boxes_xyxy, strict=True)):
        boxes = np.asarray(given, np.float64).reshape(-1, 4)
        size_wh = check_picture(picture).shape[1::-1]
        inside = np.clip(boxes, 0, np.tile(size_wh, 2))
        if not (np.isfinite(boxes).all() and (inside[:, 2:] - inside[:, :2] >= 1).all()):
            raise UsageError(
                f"picture {index} has a box without area in it",
                expected="x0 < x1 and y0 < y1, at least a pixel of it in the picture",
            )
        found.append(Example(picture, boxes))
    return found


def _views(
    examples: Sequence[Example], objects: Sequence[tuple[int, Array]], settings: PartsSettings
) -> list[list[int]]:
    """Which objects belong to which view: groups of like appearance and shape, the largest first."""
    count = settings.components
    if len(objects) < FEWEST * count:
        raise DataError(
            f"{len(objects)} objects are marked",
            expected=f"{FEWEST * count} or more, some tens are better",
        )
    if count == 1:
        return [list(range(len(objects)))]
    from sklearn.cluster import KMeans

    boxes = np.stack([box for _, box in objects])
    size = root_size(boxes, settings.cells, settings.enlarge)
    seen = np.stack([warped(examples[index], box, size).ravel() for index, box in objects])
    sides = boxes[:, 2:] - boxes[:, :2]
    seen = np.column_stack([seen, 4.0 * np.log(sides[:, 0] / sides[:, 1])])
    seed = hash64(settings.seed, "views") % 2**32
    marks = KMeans(count, n_init=4, random_state=seed).fit_predict(seen)
    groups = sorted(
        (np.flatnonzero(marks == one).tolist() for one in range(count)), key=len, reverse=True
    )
    if len(groups[-1]) < FEWEST:
        raise DataError(
            f"one of {count} views has only {len(groups[-1])} objects",
            expected=f"{FEWEST} or more of each",
            remedy="ask for fewer components, or mark more objects",
        )
    return groups


@dataclass(slots=True)
class _View:
    """The objects of one view, and all pictures to make mistakes in."""

    examples: Sequence[Example]
    objects: Sequence[tuple[int, Array]]
    settings: PartsSettings
    effort: Effort
    number: int
    of: int
    tell: Listener
    pool: ThreadPoolExecutor
    passes: int = 0
    """Times that pictures were searched."""

    def learn(self) -> tuple[Component, float]:
        """The component, and how far pictures must be enlarged to find nearly all of its objects."""
        chosen = self.settings
        boxes = np.stack([box for _, box in self.objects])
        component = bare(root_size(boxes, chosen.cells, chosen.enlarge))
        first = self._first_scale(component, boxes)
        tall, wide = component.size_cells
        self._say(f"{len(boxes)} objects, a root of {tall} × {wide} cells")
        component, negatives = self._root(component, first)
        if chosen.parts:
            component, negatives = self._parts(with_parts(component, chosen.parts), first)
        component = _with_usual(component, negatives)
        return (component if self.effort.done() else self._with_corners(component)), first

    def _parts(self, component: Component, first: float) -> tuple[Component, Array]:
        """Parts that were just cut from the root, learnt in rounds."""
        if self.effort.done():
            return silent(component), np.zeros((0, width_of(component)), np.float32)
        negatives = self._mined(component, first, None)
        for number in range(self.settings.rounds):
            if self.effort.done():
                return (component if number else silent(component)), negatives
            component, negatives = self._round(component, first, negatives)
            self._say(f"round {number + 1} of {self.settings.rounds}")
        return component, negatives

    def _first_scale(self, component: Component, boxes: Array) -> float:
        sides = boxes[:, 2:] - boxes[:, :2]
        area = component.root.shape[0] * component.root.shape[1] * CELL**2
        wanted = np.sqrt(area / (sides[:, 0] * sides[:, 1]))
        return float(min(np.percentile(wanted, 95) * 1.1, self.settings.enlarge))

    def _root(self, component: Component, first: float) -> tuple[Component, Array]:
        """A root filter from objects brought to one size, then from where it sees them best."""
        rng = np.random.default_rng(hash64(self.settings.seed, "background", self.number))
        seen = np.stack(
            [
                np.append(warped(self.examples[index], box, component.size_cells), 1.0)
                for index, box in self.objects
            ]
        ).astype(np.float32)
        negatives = random_windows(
            self._searched(), component, self.settings.negatives, first=first, rng=rng
        )
        component = self._learnt(component, seen, negatives)
        for _ in range(2):
            if self.effort.done():
                break
            component, negatives = self._round(component, first, negatives)
        return component, negatives

    def _round(self, component: Component, first: float, negatives: Array) -> tuple[Component, Array]:
        """Objects where they are seen best, mistakes of now beside those of before, new weights."""
        vectors = np.stack([vector for _, vector, _ in self._seen(component)])
        for _ in range(_PASSES):
            negatives = self._mined(component, first, negatives)
            component = self._learnt(component, vectors, negatives)
        return component, negatives

    def _seen(self, component: Component) -> list[tuple[Array, Array, Array]]:
        """Marked box, vector and window of each object that is large enough, where it is seen best."""
        enlarge = self.settings.enlarge

        def look(found: tuple[int, Array]) -> tuple[Array, Array, Array] | None:
            index, box = found
            self.effort.done()  # it may raise
            seen = seen_best(self.examples[index], box, component, enlarge=enlarge)
            return None if seen is None else (box, seen[0], seen[1])

        every = [one for one in self.pool.map(look, self.objects) if one is not None]
        if len(every) < FEWEST:
            raise DataError(
                f"only {len(every)} marked objects are large enough",
                remedy=f"allow more than {enlarge:g}-fold enlargement, or fewer cells",
            )
        return every

    def _with_corners(self, component: Component) -> Component:
        """Learn where the marked box lies, given the window and the parts' moves (PAMI 2010, 5.3).

        Ridge regression towards the window itself: a few objects must not bend boxes far.
        """
        ends = np.cumsum([component.root.size, component.parts.size, component.prices.size])
        known, wanted = [], []
        for box, vector, window in self._seen(component):
            moves = -vector[ends[1] : ends[2]].reshape(-1, 4)
            cell = (window[2:] - window[:2]) / component.size_cells[::-1]
            known.append(np.concatenate([[1.0], moves[:, 0], moves[:, 2]]))
            wanted.append((box - window) / np.tile(cell, 2))
        rows = np.array(known)
        held = np.eye(rows.shape[1]) * _STIFF
        corners = np.linalg.solve(rows.T @ rows + held, rows.T @ np.array(wanted))
        return replace(component, corners=corners.astype(np.float32))

    def _mined(self, component: Component, first: float, before: Array | None) -> Array:
        """Windows without an object: those of before that still press on the margin, and new mistakes.

        What presses is never dropped for something new: the next weights would forget it, and find it
        again in the turn after, to and fro (PAMI 2010, section 4.4).
        """
        weights = weights_of(component)
        # whatever a new component scores; later only what is within the margin
        least = -np.inf if before is None else -1.0
        search = partial(hard_windows, component=component, first=first, each=_EACH, least=least)
        none = np.zeros((0, width_of(component)), np.float32)

        def mine(example: Example) -> Array:
            return none if self.effort.done() else search(example)

        new = np.concatenate(list(self.pool.map(mine, self._searched())))
        old = new[:0] if before is None else before[before @ weights > _PRESSES]
        rows = np.concatenate([_hardest(old, weights), _hardest(new, weights)])
        _, at = np.unique(rows, axis=0, return_index=True)
        found: Array = rows[np.sort(at)][: self.settings.negatives]
        return found

    def _searched(self) -> Sequence[Example]:
        """The pictures to make mistakes in, this time."""
        count = self.effort.pictures
        if count is None or count >= len(self.examples):
            return self.examples
        self.passes += 1
        rng = np.random.default_rng(hash64(self.settings.seed, "searched", self.number, self.passes))
        rows = np.sort(rng.choice(len(self.examples), count, replace=False))
        return [self.examples[row] for row in rows.tolist()]

    def _learnt(self, component: Component, positives: Array, negatives: Array) -> Component:
        if not len(negatives) and self.effort.done():
            return component
        if not len(negatives):
            raise DataError("the pictures show nothing but marked objects", expected="some background")
        samples = np.concatenate([positives, negatives])
        counts = [len(positives), len(negatives)]
        # between equal weight for all windows and for both sides: then 0 is where yes begins
        dear = max(1.0, (len(negatives) / len(positives)) ** 0.5)
        weights = fit_weights(
            samples,
            np.repeat([1.0, -1.0], counts),
            penalty=self.settings.penalty,
            importance=np.repeat([dear, 1.0], counts),
            start=weights_of(component),
            lowest=lowest_weights(component),
        )
        return from_weights(component, weights)

    def _say(self, text: str) -> None:
        view = f"view {self.number + 1} of {self.of}: " if self.of > 1 else ""
        self.tell(view + text)


def _hardest(rows: Array, weights: Array) -> Array:
    """The windows (N, D) from the highest score to the lowest."""
    return rows[np.argsort(-(rows @ weights), kind="stable")]


def _with_usual(component: Component, negatives: Array) -> Component:
    """What root and parts score on the hardest windows without an object, on average."""
    if not len(negatives):  # it makes no mistakes that could be compared with
        return component
    ends = np.cumsum([component.root.size, component.parts.size, component.prices.size])
    weights = weights_of(component)
    root, parts, prices, _ = np.split(negatives * weights, ends, axis=1)
    count = len(component.parts)
    each = (
        parts.reshape(len(negatives), count, -1).sum(axis=2) if count else np.zeros((len(negatives), 0))
    )
    each = each + prices.reshape(len(negatives), count, 4).sum(axis=2)
    return replace(
        component,
        usual_root=float(root.sum(axis=1).mean()),
        usual_parts=each.mean(axis=0).astype(np.float32),
    )
