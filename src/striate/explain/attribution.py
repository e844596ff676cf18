"""Why did it say that: the nouns of attribution, and the methods that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from striate.errors import UnknownNameError
from striate.explain.inside import call_size
from striate.graphs import Graph
from striate.task import Aim, Task
from striate.types import Array, PictureArray, Prepared, SizeHW

__all__ = ["METHODS", "Asked", "Method", "content_box", "in_picture", "method_named"]

Kind = Literal["layer", "pixels", "asking"]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to find what an answer rests on, in a sentence. `kind`: it weighs a layer's map, follows
    gradients to the pixels, or only asks the model about changed pictures."""

    name: str
    kind: Kind
    sentence: str
    source: str

    @property
    def needs_gradients(self) -> bool:
        """Whether only a network will do."""
        return self.kind != "asking"


METHODS: Mapping[str, Method] = {
    one.name: one
    for one in (
        Method(
            "gradcam",
            "layer",
            "weighs each channel of a late layer by how much the answer rises with it",
            "Selvaraju et al. 2017",
        ),
        Method(
            "gradcam++",
            "layer",
            "as gradcam, but places that are sure count more: several objects are all seen",
            "Chattopadhay et al. 2018",
        ),
        Method(
            "layercam",
            "layer",
            "weighs every place of a layer by its own gradient: finer, also on early layers",
            "Jiang et al. 2021",
        ),
        Method(
            "hirescam",
            "layer",
            "multiplies a layer by its gradient, place by place",
            "Draelos & Carin 2020",
        ),
        Method(
            "saliency",
            "pixels",
            "the pixels whose change would change the answer most",
            "Simonyan et al. 2014",
        ),
        Method(
            "input-x-gradient",
            "pixels",
            "what each pixel, against grey, adds to the answer, to first order",
            "Shrikumar et al. 2016",
        ),
        Method(
            "integrated",
            "pixels",
            "what each pixel adds on the way from a grey picture to this one; it adds up to the answer",
            "Sundararajan et al. 2017",
        ),
        Method(
            "smoothgrad",
            "pixels",
            "saliency, averaged over noisy copies of the picture",
            "Smilkov et al. 2017",
        ),
        Method(
            "guided-backprop",
            "pixels",
            "sends back only what raises active units: sharp, and hardly about the answer",
            "Springenberg et al. 2015",
        ),
        Method(
            "guided-gradcam",
            "layer",
            "guided-backprop where gradcam looks",
            "Selvaraju et al. 2017",
        ),
        Method(
            "deconv",
            "pixels",
            "sends the answer back through a deconvolutional network",
            "Zeiler & Fergus 2014",
        ),
        Method(
            "occlusion",
            "asking",
            "how much the answer falls when a grey square covers each place",
            "Zeiler & Fergus 2014",
        ),
        Method(
            "rise",
            "asking",
            "how well the answer holds under random masks that leave each place open",
            "Petsiuk et al. 2018, 2021",
        ),
    )
}
"""By name; what is said of each stands beneath its picture."""


def method_named(name: str) -> Method:
    """The method `name`; an unknown one lists the choices."""
    if name not in METHODS:
        raise UnknownNameError("method", name, METHODS)
    return METHODS[name]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One picture, and what is asked of it: a black box that says how much of the aim is left."""

    task: Task[Any, Any]
    graph: Graph
    prepared: Prepared
    aim: Aim
    feeds: Mapping[str, Array]
    """What the graph is fed for this picture, one row each; proposals from outside stay as they are."""

    @classmethod
    def of(cls, task: Task[Any, Any], graph: Graph, prepared: Prepared, aim: Aim) -> Asked:
        """The same, with the feeds of `prepared`."""
        return cls(task, graph, prepared, aim, task.feeds(prepared.pixels[None]))

    @property
    def size_hw(self) -> SizeHW:
        """Of the input, pixels."""
        return int(self.prepared.pixels.shape[0]), int(self.prepared.pixels.shape[1])

    @property
    def even(self) -> bool:
        """Whether what is shown of the picture has one colour."""
        shown = self.prepared.pixels[content_box(self.prepared)]
        return bool((shown == shown[:1, :1]).all())

    @property
    def seen(self) -> tuple[slice, slice]:
        """Rows and columns of the input in which maps are compared.

        All of them; of an object its box and a quarter around it, since that heat lies there comes from
        the question, whatever the network has learnt.
        """
        box = self.aim.box_xyxy
        if box is None:
            return slice(None), slice(None)
        found = []
        for low, high, side in ((box[1], box[3], self.size_hw[0]), (box[0], box[2], self.size_hw[1])):
            around = (high - low) / 4
            start = min(side - 1, max(0, round(low - around)))
            found.append(slice(start, max(start + 1, min(side, round(high + around)))))
        return found[0], found[1]

    def each(self, count: int, make: Callable[[slice], PictureArray]) -> Array:
        """How much is left in each of `count` changed pictures: float64 (count,), 0 to 1.

        `make(rows)` gives uint8 (B, h, w, 3): a few at a time are held.
        """
        step = call_size(self.size_hw)
        found = [self(make(slice(start, min(count, start + step)))) for start in range(0, count, step)]
        return np.concatenate([np.zeros(0), *found])

    def __call__(self, pictures: PictureArray) -> Array:
        """How much is left in `pictures` uint8 (B, h, w, 3), all in one call: float64 (B,)."""
        count = len(pictures)
        feeds = {
            name: np.ascontiguousarray(pictures)
            if name == "pictures"
            else np.repeat(value, count, axis=0)
            for name, value in self.feeds.items()
        }
        return self.task.pull(self.graph(feeds), [self.aim] * count)


def content_box(prepared: Prepared) -> tuple[slice, slice]:
    """Rows and columns of the input that show the picture, without what was padded; never empty."""
    found = []
    for axis in (0, 1):
        side = prepared.pixels.shape[axis]
        first = prepared.offset_yx[axis]
        last = first + prepared.size_hw[axis] * prepared.scale_yx[axis]
        start = min(side - 1, max(0, round(first)))
        found.append(slice(start, max(start + 1, min(side, round(last)))))
    return found[0], found[1]


def in_picture(heat: Array, prepared: Prepared, size_hw: SizeHW | None = None) -> Array:
    """`heat` (h, w) of the input as float32 (H, W) in the picture's own pixels; NaN outside the input.

    Bilinear. `size_hw`: the size to give it in, where that is not the picture's own.
    """
    rows, columns = (
        _sampled(
            (size_hw or prepared.size_hw)[axis],
            prepared.size_hw[axis],
            prepared.scale_yx[axis],
            prepared.offset_yx[axis],
            heat.shape[axis],
        )
        for axis in (0, 1)
    )
    below, above, share, outside = rows
    tall = heat[below] * (1 - share)[:, None] + heat[above] * share[:, None]
    tall[outside] = np.nan
    below, above, share, outside = columns
    found: Array = tall[:, below] * (1 - share) + tall[:, above] * share
    found[:, outside] = np.nan
    return found.astype(np.float32)


def _sampled(
    wanted: int, side: int, scale: float, offset: float, cells: int
) -> tuple[Array, Array, Array, Array]:
    """For `wanted` places along a side: the two cells between which each lies, the share of the second,
    and whether it lies outside."""
    at = (np.arange(wanted) + 0.5) * (side / wanted) * scale + offset
    outside = (at < 0) | (at > cells)
    centre = np.clip(at - 0.5, 0, cells - 1)
    below = np.floor(centre).astype(np.intp)
    above = np.minimum(below + 1, cells - 1)
    return below, above, centre - below, outside
