"""The vectors there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from striate.errors import UsageError
from striate.features.vectors.colour import write_colour
from striate.features.vectors.dense_sift import grids_for
from striate.features.vectors.hog import write_hog
from striate.features.vectors.lbp import write_lbp
from striate.features.vectors.pixels import write_pixels
from striate.features.vectors.words import write_words
from striate.features.vectors.writer import GraphWriter
from striate.types import Array, SizeHW

__all__ = ["VECTORS", "Learnt", "Vector", "write_vectors"]

Learnt = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Vector:
    """A feature. `write` adds its nodes and gives (value, columns); `learns` is what it must learn
    from training pictures first."""

    summary: str
    write: Callable[[GraphWriter, SizeHW, Learnt], tuple[str, int]]
    learns: Literal["nothing", "words"] = "nothing"


VECTORS: Mapping[str, Vector] = {
    "pixels": Vector("every pixel a number", lambda graph, hw, _: write_pixels(graph, hw)),
    "hog": Vector("directions of edges, in cells", lambda graph, hw, _: write_hog(graph, hw)),
    "lbp": Vector("patterns of texture, in sixteenths", lambda graph, hw, _: write_lbp(graph, hw)),
    "colour": Vector(
        "hue, saturation and brightness, in quarters", lambda graph, hw, _: write_colour(graph, hw)
    ),
    "sift-words": Vector(
        "shares of 512 learnt patches, in quarters",
        write_words,
        learns="words",
    ),
}


def write_vectors(graph: GraphWriter, names: Sequence[str], learnt: Learnt) -> tuple[str, int]:
    """The vectors of all `names` side by side, and how many numbers that is."""
    found, columns = [], 0
    for name in names:
        if VECTORS[name].learns == "words" and not grids_for(graph.size_hw):
            raise UsageError(
                f"{name} needs pictures of at least 10 px a side, the input has "
                f"{graph.size_hw[0]}×{graph.size_hw[1]}",
                remedy="give a larger --size, or take another feature such as pixels",
            )
        value, count = VECTORS[name].write(graph, graph.size_hw, learnt)
        found.append(value)
        columns += count
    return graph.join(found, 1), columns
