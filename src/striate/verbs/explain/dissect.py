"""Network dissection of a run: which unit answers to which concept of a segmented data set."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from striate.data.dataset import Dataset, Record
from striate.data.masks.classes import BACKGROUND
from striate.data.masks.read import read_masks, read_target
from striate.data.masks.truth import SegmentationTarget
from striate.errors import DataError, PictureError, UsageError
from striate.explain.dissection import (
    Concepts,
    Dissected,
    Listen,
    SeenMask,
    ThinMask,
    active_in,
    dissect_network,
    seen_mask,
    thinned,
)
from striate.explain.dissection_drawing import lit
from striate.explain.dissection_random import randomised
from striate.explain.dissection_report import (
    Example,
    Named,
    Terms,
    best_section,
    compare_section,
    layer_section,
    method_section,
    statements,
    to_dict,
)
from striate.explain.inside import Inside, Layer
from striate.explain.orientation import hierarchy_layers
from striate.pictures.lettering import spaced
from striate.runs.atomic import write_text
from striate.runs.page import Tiles, write_page
from striate.runs.plain import json_ready
from striate.runs.run import Run
from striate.types import PictureArray, Problem
from striate.verbs.evaluate import SplitChoice
from striate.verbs.explain.pictures import some
from striate.verbs.explain.tuning import look_inside
from striate.verbs.model import FilePath, Model, load
from striate.verbs.outputs import writable

__all__ = ["FILES", "RANDOM", "DissectedRun", "dissect"]

FILES = ("dissect.html", "dissect.json")
Watch: TypeAlias = Callable[[str, int, int | None], None]
RANDOM = "random"
"""What `against` names instead of a run: the same architecture with weights drawn anew."""

_EXAMPLES = 3
_SETTLING = 16
_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class DissectedRun:
    """The units of a run, and of those it is compared with, against the concepts of a data set.

    `available`: pictures in the split, of which those of `networks` were taken. `examples`: by concept,
    the pictures that move its best unit most. `absent`: classes that no pixel shows.
    """

    run: str
    source: str
    split: str
    available: int
    terms: Terms
    networks: tuple[Named, ...]
    examples: Mapping[int, Sequence[Example]]
    absent: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def found(self) -> Dissected:
        """The run's own dissection."""
        return self.networks[0].found

    @property
    def statements(self) -> list[str]:
        """What was found, in sentences."""
        return statements(self.networks, self.terms)

    def to_dict(self) -> dict[str, Any]:
        """The line of `striate explain --dissect --json`."""
        return {
            "run": self.run,
            "source": self.source,
            "split": self.split,
            "pictures": self.found.pictures,
            "available": self.available,
            "top": self.terms.top,
            "least_iou": self.terms.least,
            "concepts": list(self.found.concepts.names),
            "absent": list(self.absent),
            "chance_rounds": self.found.rounds,
            "statements": self.statements,
            "networks": [to_dict(one, self.terms) for one in self.networks],
            "problems": [one.to_dict() for one in self.problems],
        }

    def save(self, folder: FilePath, *, overwrite: bool = False) -> Path:
        """Write dissect.html and dissect.json to `folder`; the page's path."""
        page, data = (writable(Path(folder) / name, overwrite=overwrite) for name in FILES)
        write_text(data, json.dumps(json_ready(self.to_dict()), allow_nan=False) + "\n")
        sections = [best_section(self.networks[0], self.terms, self.examples)]
        if len(self.networks) > 1:
            sections.append(compare_section(self.networks, self.terms))
        sections += [layer_section(one, self.terms) for one in self.networks]
        sections.append(method_section(self.networks, self.terms))
        taken = f"{spaced(self.found.pictures)} of {spaced(self.available)} pictures of {self.source}"
        return write_page(
            page,
            f"What the units of {self.run} find",
            " ".join([_INTRO, *self.statements[:1]]),
            sections,
            kind="striate explain --dissect",
            facts=f"{taken} ({self.split})",
            numbers=self._tiles(),
            overwrite=overwrite,
        )

    def _tiles(self) -> Tiles:
        least, found = self.terms.least, self.found
        units = sum(one.layer.channels for one in found.layers)
        beyond = sum(int(one.beyond_chance(least).sum()) for one in found.layers)
        best = max(float(one.iou.max()) for one in found.layers)
        concepts = len(found.found(least, beyond=True))
        return [
            ("concepts with a detector", f"{concepts} of {len(found.concepts.names)}"),
            ("detectors beyond chance", f"{spaced(beyond)} (of {spaced(units)} units)"),
            ("highest IoU", f"{best:.3f}"),
        ]


_INTRO = (
    "Each unit of a convolutional network is a map. Where it is most active, does it lie on the same "
    "thing again and again? Here every unit is held against the masks of a segmented data set."
)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one network is shown."""

    records: tuple[Record[SegmentationTarget], ...]
    pixels: PictureArray
    masks: tuple[SeenMask, ...]
    problems: tuple[Problem, ...]


def dissect(
    run: FilePath | Run,
    data: FilePath,
    *,
    layers: Sequence[str] = (),
    against: Sequence[str] = (),
    split: SplitChoice = "auto",
    top: float = 0.005,
    least_iou: float = 0.04,
    at_most: int = 500,
    seed: int = 0,
    threads: int = 0,
    listen: Watch | None = None,
) -> DissectedRun:
    """Hold the units of `run` against the classes of the segmented data set `data` (Bau et al. 2017).

    `layers`: names of layers with a map; without, those after non-linearities from first to last.
    `against`: folders of further runs, and the word "random": the same architecture with weights drawn
    anew by `seed`; where it is said again, by the seeds after it. `top`: share of all places at which a
    unit counts as active. `least_iou`: from which on it is a detector. `at_most`: of more pictures, so
    many are drawn by `seed`; they, as the network sees them, and their masks, at 640 pixels a side at
    most, are held in memory. Errors: `UnknownNameError` for a layer, `UsageError` for a run without maps
    or for shares that cannot be, `LayoutError` and `DataError` for what is wrong with `data`.
    """
    _check(top, least_iou)
    say: Watch = listen or (lambda stage, done, of: None)
    model = load(run, threads=threads)
    runs = [load(one, threads=threads) for one in against if one != RANDOM]
    whole, split = _split(read_masks(data if isinstance(data, str) else Path(data), check=False), split)
    dataset = some(whole, at_most, seed)
    maps = _class_maps(dataset, partial(say, "reading masks"))
    concepts, absent = _concepts(dataset, maps)
    tell = _Tell(partial(say, "holding units against concepts"), len(against) + 1)
    inside = look_inside(model, threads=threads)
    chosen = _layers(model, inside, layers)
    shown = _shown(model, dataset, maps, concepts, partial(say, "reading pictures"))
    graph = model.run.file(model.header.graphs["main"]).read_bytes()
    terms = Terms(top, least_iou, seed)

    def one(network: Inside, bytes_: bytes, which: Sequence[Layer], seen: _Shown) -> Dissected:
        return dissect_network(
            network, bytes_, which, seen.pixels, seen.masks, concepts,
            top=top, rounds=_ROUNDS, seed=seed, listen=tell.next(),
        )  # fmt: skip

    found = one(inside, graph, chosen, shown)
    networks = [Named(model.run.name, "run", found)]
    for name in against:
        if name == RANDOM:
            tensors = [layer.tensor for layer in chosen]
            drawn = seed + sum(other.kind == RANDOM for other in networks)
            fresh = randomised(graph, shown.pixels[:_SETTLING], until=tensors, seed=drawn)
            other = Inside(fresh, threads=model.threads)
            called = _name("random weights", networks)
            networks.append(Named(called, RANDOM, one(other, fresh, chosen, shown)))
            continue
        second = runs.pop(0)
        within = look_inside(second, threads=threads)
        seen = _shown(second, dataset, maps, concepts, lambda done, of: None)
        own = second.run.file(second.header.graphs["main"]).read_bytes()
        which = _layers(second, within, ())
        networks.append(Named(_name(second.run.name, networks), "run", one(within, own, which, seen)))
    return DissectedRun(
        run=model.run.name,
        source=dataset.shown_root(),
        split=split,
        available=len(whole),
        terms=terms,
        networks=tuple(networks),
        examples=_examples(inside, found, shown),
        absent=absent,
        problems=(*dataset.problems, *shown.problems),
    )


class _Tell:
    """Progress of several networks, one after the other, as one."""

    def __init__(self, listen: Listen, networks: int) -> None:
        self._listen, self._networks, self._at = listen, networks, -1

    def next(self) -> Listen:
        self._at += 1
        listen, at, networks = self._listen, self._at, self._networks
        return lambda done, of: listen(at * of + done, networks * of)


def _check(top: float, least_iou: float) -> None:
    for name, value in (("top", top), ("least IoU", least_iou)):
        if not 0 < value < 1:
            raise UsageError(f"{name} was given {value:g}", expected="a share between 0 and 1")


def _name(wanted: str, networks: Sequence[Named]) -> str:
    """The name that is wanted, numbered where another network has it."""
    names = {one.name for one in networks}
    name, number = wanted, 2
    while name in names:
        name, number = f"{wanted} ({number})", number + 1
    return name


def _split(
    given: Dataset[SegmentationTarget], split: SplitChoice
) -> tuple[Dataset[SegmentationTarget], SplitChoice]:
    if split == "auto":
        split = "test" if "test" in given.splits else "validation"
        split = split if split in given.splits else "all"
    if split == "all":
        return given, "all"
    return given.only(split), split


def _layers(model: Model, inside: Inside, names: Sequence[str]) -> list[Layer]:
    """Those that were named, or those after non-linearities; each has a map."""
    chosen = [inside.layer(name) for name in dict.fromkeys(names)]
    for one in chosen:
        if not one.is_map:
            maps = [layer.name for layer in inside.layers if layer.is_map]
            raise UsageError(
                f"layer {one.name} has no map: it cannot be held against masks",
                expected=f"one of {', '.join(maps) or 'none'}",
            )
    chosen = chosen or [one for one in hierarchy_layers(inside) if one.is_map]
    if not chosen:
        raise UsageError(
            f"{model.run.name} has no layer with a map",
            expected="a convolutional network",
            remedy="train one: striate train … --model small-cnn",
        )
    return chosen


def _class_maps(dataset: Dataset[SegmentationTarget], listen: Listen) -> list[ThinMask | Problem]:
    """What is looked at of each mask, or what is wrong with it; one at a time is held at full size."""
    found: list[ThinMask | Problem] = []
    for record in dataset.records:
        one = read_target(record)
        found.append(one if isinstance(one, Problem) else thinned(one))
        listen(len(found), len(dataset))
    return found


def _concepts(
    dataset: Dataset[SegmentationTarget], maps: Sequence[ThinMask | Problem]
) -> tuple[Concepts, tuple[str, ...]]:
    """The classes that some pixel shows, but the background; and the names of those that none does."""
    seen = np.zeros(256, bool)
    for one in maps:
        if not isinstance(one, Problem):
            seen[np.unique(one.classes)] = True
    wanted = [at for at, name in enumerate(dataset.names) if name.lower() != BACKGROUND]
    there = [at for at in wanted if seen[at]]
    if not there:
        problems = [one for one in maps if isinstance(one, Problem)]
        why = f": {problems[0].key}: {problems[0].reason}" if problems else ""
        raise DataError(
            f"not one mask of {dataset.shown_root()} shows a class{why}",
            expected="masks in which some pixels belong to a class",
            remedy="see what is wrong with: striate data check",
        )
    absent = tuple(dataset.names[at] for at in wanted if not seen[at])
    return Concepts(tuple(dataset.names[at] for at in there), tuple(there)), absent


def _shown(
    model: Model,
    dataset: Dataset[SegmentationTarget],
    maps: Sequence[ThinMask | Problem],
    concepts: Concepts,
    listen: Listen,
) -> _Shown:
    """The pictures as the network sees them; read in full size, so that pixels are the masks' own."""
    records, pixels, masks, problems = [], [], [], []
    for at, (record, found) in enumerate(zip(dataset.records, maps, strict=True)):
        listen(at, len(maps))
        if isinstance(found, Problem):
            problems.append(found)
            continue
        try:
            prepared = model.task.prepare(record.origin.read())
        except PictureError as error:
            problems.append(Problem("unreadable", "error", record.key, error.reason, error.remedy))
            continue
        if prepared.size_hw != found.size_hw:
            reason = f"its mask has {found.size_hw[1]} × {found.size_hw[0]} pixels, the picture "
            reason += f"{prepared.size_hw[1]} × {prepared.size_hw[0]} (width × height)"
            repair = "save the mask in the size of its picture"
            problems.append(Problem("size-differs", "error", record.key, reason, repair))
            continue
        records.append(record)
        pixels.append(prepared.pixels)
        masks.append(seen_mask(found, prepared, concepts))
    if not records:
        why = f": {problems[0].key}: {problems[0].reason}" if problems else ""
        raise DataError(f"not one picture of {dataset.shown_root()} can be used{why}")
    return _Shown(tuple(records), np.stack(pixels), tuple(masks), tuple(problems))


def _examples(inside: Inside, found: Dissected, shown: _Shown) -> dict[int, list[Example]]:
    """The pictures that move the best unit of each concept most, drawn, where it is active at all."""
    made: dict[int, list[Example]] = {}
    for concept in range(len(found.concepts.names)):
        layer, unit = found.best_unit(concept)
        if not np.isfinite(layer.thresholds[unit]):
            continue
        rows = np.argsort(-layer.peaks[:, unit], kind="stable")[:_EXAMPLES]
        values = inside.watch([layer.layer])(shown.pixels[rows])[layer.layer.name]
        made[concept] = []
        for row, one in zip(rows.tolist(), values, strict=True):
            mask, record = shown.masks[row], shown.records[row]
            active = active_in(one, layer.thresholds, layer.grid, mask, unit)
            if not active.any():  # a unit that few pictures move
                continue
            share = float((mask.labels[active] == concept).mean())
            picture = lit(record.origin.read(), mask, active, concept)
            made[concept].append(Example(record.key, picture, share))
    return made
