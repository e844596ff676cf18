"""Network dissection as sentences and figures: what was found, and what chance would find."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.explain.dissection import Dissected, LayerUnits
from striate.figures import Bars, Figure, Gallery, GalleryItem, Matrix, Section, Table
from striate.pictures.lettering import listed
from striate.types import Picture

__all__ = [
    "Example",
    "Named",
    "Terms",
    "best_section",
    "compare_section",
    "layer_section",
    "method_section",
    "statements",
    "to_dict",
]


@dataclass(frozen=True, slots=True)
class Terms:
    """`top`: share of all places at which a unit is active. `least`: IoU from which on it is a
    detector."""

    top: float
    least: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """A network that was dissected. `kind`: "run", or "random" for one whose weights were drawn anew."""

    name: str
    kind: str
    found: Dissected


@dataclass(frozen=True, slots=True)
class Example:
    """One of the pictures that move a unit most, drawn. `share`: of the lit pixels, those that are the
    concept."""

    key: str
    picture: Picture
    share: float


def reach(share: float, top: float) -> float:
    """The highest IoU of a unit that is active at a share `top` with a concept of this share.

    >>> reach(0.25, 0.005), reach(0.005, 0.005)
    (0.02, 1.0)
    """
    return min(share, top) / max(share, top) if share > 0 else 0.0


# -- in words ---------------------------------------------------------------------------------


def statements(networks: Sequence[Named], terms: Terms) -> list[str]:
    """What was found, in sentences."""
    first = networks[0]
    said = [_summary(one, terms) for one in networks]
    said += [_against(first, other, terms) for other in networks[1:]]
    said += [one for one in (_surely(first.found, terms), _best(first.found, terms)) if one]
    beyond_reach = [
        name
        for name, share in zip(first.found.concepts.names, first.found.shares.tolist(), strict=True)
        if reach(share, terms.top) <= terms.least
    ]
    if beyond_reach:
        most = max(first.found.shares.tolist())
        said.append(
            f"{listed(beyond_reach)} cannot be found here: a unit that is active at "
            f"{_percent(terms.top)} of the places cannot reach an IoU of {terms.least:g} with a concept "
            f"that takes up to {_percent(most)} of the pixels. Try --active {_enough(most, terms):g}."
        )
    return said


def _enough(share: float, terms: Terms) -> float:
    """A share of places, in round numbers, with which a concept is well in reach."""
    return max(0.01, math.ceil(100 * 1.5 * terms.least * share) / 100)


def _summary(one: Named, terms: Terms) -> str:
    found, total = one.found, sum(layer.layer.channels for layer in one.found.layers)
    units = sum(int(layer.detectors(terms.least).sum()) for layer in found.layers)
    beyond = sum(int(layer.beyond_chance(terms.least).sum()) for layer in found.layers)
    names = found.found(terms.least, beyond=True)
    chance = sum(layer.by_chance(terms.least) for layer in found.layers)
    of = f"{len(names)} of {len(found.concepts.names)} concepts"
    beside = "" if math.isnan(chance) else f"; masks of other pictures would make {chance:.0f} detectors"
    which = f" ({listed(names)})" if names else ""
    return (
        f"{one.name}: {units} of {total} units are detectors, {beyond} of them beyond chance, "
        f"of {of}{which}{beside}."
    )


def _surely(found: Dissected, terms: Terms) -> str:
    """Of the concepts found, those whose best unit is beyond chance whichever pictures there were."""
    names = found.found(terms.least, beyond=True)
    sure = []
    for name in names:
        at = found.concepts.names.index(name)
        layer, unit = found.best_unit(at)
        if layer.interval(unit, at, seed=terms.seed)[0] > found.chance_of_best(at):
            sure.append(name)
    if found.rounds == 0 or len(sure) == len(names):
        return ""
    which = f"{listed(sure)} only" if sure else "none of them"
    return f"The interval over pictures, too, is beyond chance for {which}: more pictures would tell."


def _against(first: Named, other: Named, terms: Terms) -> str:
    ours, theirs = (len(one.found.found(terms.least, beyond=True)) for one in (first, other))
    units = [
        sum(int(layer.beyond_chance(terms.least).sum()) for layer in one.found.layers)
        for one in (first, other)
    ]
    concepts = len(first.found.concepts.names)
    better = [
        name
        for at, name in enumerate(first.found.concepts.names)
        if _iou_of_best(first.found, at) > _iou_of_best(other.found, at)
    ]
    word = "more concepts than" if ours > theirs else "fewer concepts than"
    word = "as many concepts as" if ours == theirs else word
    return (
        f"{first.name} finds {word} {other.name}: {ours} and {theirs}, with {units[0]} and {units[1]} "
        f"units; its best unit is the better one for {len(better)} of {concepts} concepts."
    )


def _iou_of_best(found: Dissected, concept: int) -> float:
    layer, unit = found.best_unit(concept)
    return float(layer.iou[unit, concept])


def _best(found: Dissected, terms: Terms) -> str:
    at = int(np.argmax([_iou_of_best(found, one) for one in range(len(found.concepts.names))]))
    layer, unit = found.best_unit(at)
    low, high = layer.interval(unit, at, seed=terms.seed)
    return (
        f"The clearest unit is {layer.layer.name}:{unit} for {found.concepts.names[at]}, "
        f"IoU {layer.iou[unit, at]:.3f} ({low:.3f} to {high:.3f}); by chance the best unit would have "
        f"{found.chance_of_best(at):.3f}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


# -- figures ----------------------------------------------------------------------------------


def layer_section(one: Named, terms: Terms) -> Section:
    """How many units of each layer detect which concept."""
    found = one.found
    rows = [
        (
            layer.layer.name,
            layer.layer.channels,
            f"{layer.layer.places_hw[0]} × {layer.layer.places_hw[1]}",
            int(layer.detectors(terms.least).sum()),
            _number(layer.by_chance(terms.least)),
            int(layer.beyond_chance(terms.least).sum()),
            int((found.counts(layer, terms.least, beyond=True) > 0).sum()),
        )
        for layer in found.layers
    ]
    columns = ("layer", "units", "places", "detectors", "by chance", "beyond chance", "concepts")
    counts = np.stack([found.counts(layer, terms.least) for layer in found.layers])
    matrix = Matrix(
        "Detectors of each concept",
        "Units whose best concept this is, with an IoU above the limit.",
        counts,
        [layer.layer.name for layer in found.layers],
        list(found.concepts.names),
        "layer",
        "concept",
    )
    table = Table(
        "Layer by layer",
        "By chance: detectors that the masks of other pictures would make, on average. Beyond chance: "
        "detectors whose overlap no round of chance reaches. Concepts: that have such a unit.",
        columns,
        rows,
    )
    return Section(f"Layers of {one.name}", "", [table, matrix])


def best_section(one: Named, terms: Terms, examples: Mapping[int, Sequence[Example]]) -> Section:
    """For each concept the unit that overlaps it most, with the pictures that move it most."""
    found = one.found
    order = sorted(range(len(found.concepts.names)), key=lambda at: -_iou_of_best(found, at))
    rows, items = [], []
    for at in order:
        layer, unit = found.best_unit(at)
        low, high = layer.interval(unit, at, seed=terms.seed)
        iou, chance = float(layer.iou[unit, at]), found.chance_of_best(at)
        rows.append(
            (
                found.concepts.names[at],
                f"{layer.layer.name}:{unit}",
                f"{iou:.3f} ({low:.3f}\u00a0to\u00a0{high:.3f})",  # on one line, also on a telephone
                _number(chance, 3),
                f"{reach(float(found.shares[at]), terms.top):.3f}",
                _percent(float(found.shares[at])),
            )
        )
        for example in examples.get(at, ()):
            note = f"{100 * example.share:.0f} % of what is lit is {found.concepts.names[at]}"
            title = f"{found.concepts.names[at]} · {layer.layer.name}:{unit} · IoU {iou:.3f}"
            items.append(GalleryItem(example.picture, title, f"{note}. {example.key}"))
    table = Table(
        "The best unit for each concept",
        "IoU over all pictures, with its 95 % interval over pictures (the choice of the unit is not "
        "redrawn). By chance: what the best of all units has with masks of other pictures. Reach: the "
        "highest IoU that a unit with so few active places can have.",
        ("concept", "unit", "IoU", "by chance", "reach", "of all pixels"),
        rows,
    )
    figures: list[Figure] = [table]
    if items:
        figures.append(
            Gallery(
                "What they look at",
                "The pictures that move each unit most, lit where it is active (orange line). The blue "
                "line surrounds the concept. Outside of what the network sees nothing is lit.",
                items,
                large=True,
            )
        )
    return Section("Concept by concept", "", figures)


def compare_section(networks: Sequence[Named], terms: Terms) -> Section:
    """Networks side by side."""
    names = [one.name for one in networks]
    concepts = networks[0].found.concepts.names
    rows = [
        (name, *(f"{_iou_of_best(one.found, at):.3f}" for one in networks))
        for at, name in enumerate(concepts)
    ]
    figures: list[Figure] = [
        Bars(
            "Concepts found",
            f"Of {len(concepts)}: those with a detector beyond chance in any layer.",
            names,
            [float(len(one.found.found(terms.least, beyond=True))) for one in networks],
            "concepts",
        ),
        Bars(
            "Units that find one",
            "Detectors beyond chance, as a share of all units that were looked at.",
            names,
            [_share_beyond(one.found, terms) for one in networks],
            "share of the units",
        ),
        Table(
            "The best unit's IoU",
            "Of each network, over all its layers.",
            ("concept", *names),
            rows,
        ),
    ]
    return Section("Networks compared", "", figures)


def _share_beyond(found: Dissected, terms: Terms) -> float:
    units = sum(layer.layer.channels for layer in found.layers)
    return sum(int(layer.beyond_chance(terms.least).sum()) for layer in found.layers) / units


def method_section(networks: Sequence[Named], terms: Terms) -> Section:
    """Terms of the measurement."""
    found = networks[0].found
    exact = all(layer.exact for one in networks for layer in one.found.layers)
    rows = [
        ("a unit", "a channel of a layer's map, over all its places"),
        (
            "active",
            f"above its own quantile of {100 * (1 - terms.top):g} % over all places of all pictures, "
            + ("exact" if exact else "of a regular part of the places, where memory would not hold all"),
        ),
        (
            "at the size of the mask",
            "bilinear between the centres of receptive fields (masks over 640 pixels a side: at every "
            "second, third … pixel); only what the network sees counts",
        ),
        ("a detector", f"IoU above {terms.least:g} with its best concept (Bau et al. 2017)"),
        (
            "by chance",
            f"{found.rounds} rounds in which every picture has the mask of another one"
            if found.rounds
            else "not measured: there is one picture",
        ),
        ("intervals", f"95 %, bootstrap over {_blocks(found)}; thresholds are not redrawn"),
        ("not judged", "pixels without a class, and those that the data set ignores, count for nobody"),
    ]
    if any(one.kind == "random" for one in networks):
        rows.append(
            (
                "random weights",
                "normal weights (He et al. 2015), scales and shifts anew; each convolution scaled to "
                "mean 0 and variance 1 on 16 of the pictures, as fresh batch normalisation would",
            )
        )
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), rows)])


def _blocks(found: Dissected) -> str:
    if found.blocks == found.pictures:
        return f"{found.pictures} pictures"
    return f"{found.blocks} groups of the {found.pictures} pictures"


def _number(value: float, digits: int = 1) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


# -- for machines -----------------------------------------------------------------------------


def to_dict(one: Named, terms: Terms) -> dict[str, Any]:
    """A network's line in dissect.json."""
    found = one.found
    return {
        "name": one.name,
        "kind": one.kind,
        "concepts_found": list(found.found(terms.least)),
        "concepts_beyond_chance": list(found.found(terms.least, beyond=True)),
        "layers": [_layer(found, layer, terms) for layer in found.layers],
        "best": [_concept(found, at, terms) for at in range(len(found.concepts.names))],
    }


def _layer(found: Dissected, layer: LayerUnits, terms: Terms) -> dict[str, Any]:
    names = found.concepts.names
    beyond = layer.beyond_chance(terms.least)
    return {
        "layer": layer.layer.name,
        "units": layer.layer.channels,
        "places": list(layer.layer.places_hw),
        "start_yx": list(layer.grid.start_yx),
        "step_yx": list(layer.grid.step_yx),
        "exact_thresholds": layer.exact,
        "detectors": int(layer.detectors(terms.least).sum()),
        "detectors_by_chance": layer.by_chance(terms.least),
        "detectors_beyond_chance": int(beyond.sum()),
        "histogram": dict(zip(names, found.counts(layer, terms.least).tolist(), strict=True)),
        "histogram_beyond_chance": dict(
            zip(names, found.counts(layer, terms.least, beyond=True).tolist(), strict=True)
        ),
        "unit_concept": [names[at] for at in layer.best.tolist()],
        "unit_iou": np.round(layer.best_iou, 5).tolist(),
        "unit_beyond_chance": beyond.tolist(),
        "unit_threshold": layer.thresholds.tolist(),
    }


def _concept(found: Dissected, at: int, terms: Terms) -> dict[str, Any]:
    layer, unit = found.best_unit(at)
    share = float(found.shares[at])
    return {
        "concept": found.concepts.names[at],
        "share_of_pixels": share,
        "unit": f"{layer.layer.name}:{unit}",
        "iou": float(layer.iou[unit, at]),
        "iou_interval": list(layer.interval(unit, at, seed=terms.seed)),
        "best_by_chance": found.chance_of_best(at),
        "reach": reach(share, terms.top),
    }
