"""A network as a drawing: layers as boxes in proportion. What is drawn is data; others put it on paper.

Height and depth of a box are those of its maps, on one scale; its thickness is the square root of its
channels. A vector is a bar whose height is the square root of its length.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod, sqrt
from typing import Literal, TypeAlias

from striate.arithmetic.building import shown_shape
from striate.arithmetic.layers import Network
from striate.arithmetic.network_table import Row, rows_of

__all__ = ["Block", "Face", "Point", "Polygon", "Scene", "Tint", "Words", "blocks_of", "draw_network"]

Point: TypeAlias = tuple[float, float]
Tint: TypeAlias = Literal["picture", "conv", "pool", "dense", "other"]
Face: TypeAlias = Literal["front", "top", "side"]

_TALLEST = 150.0
"""Height of the largest map, pixels."""
_THICK = 1.9
"""Thickness of a box of one channel, pixels; of C channels √C times that."""
_BAR = 2.0
_LEAST = 3.0
_LEAN: Point = (0.38, -0.26)
"""Where one pixel of width goes: to the right and up."""
_GAP = 26.0
_LETTER = 6.9
_LINE = 17.0
_MOST, _FEWEST = 18, 4
"""Boxes that a drawing holds; fewer say nothing."""
_LONGEST_NAME = 22


@dataclass(frozen=True, slots=True)
class Block:
    """What one box stands for. `first`, `last`: indices of layers; the picture has −1.

    `maps`: its shape is height, width and channels. `weighted`: layers with weights in it.
    """

    first: int
    last: int
    name: str
    words: str
    shape: tuple[int, ...]
    maps: bool
    weighted: int
    tint: Tint


@dataclass(frozen=True, slots=True)
class Polygon:
    """One face of the box of block `block`."""

    points: tuple[Point, ...]
    tint: Tint
    face: Face
    block: int


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text beneath the box of block `block`; `at` is the middle of its left or whole width."""

    at: Point
    text: str
    strong: bool
    block: int


@dataclass(frozen=True, slots=True)
class Scene:
    """Polygons in the order in which they are painted, then words; pixels, y downwards."""

    width: float
    height: float
    polygons: tuple[Polygon, ...]
    words: tuple[Words, ...]


def blocks_of(network: Network, *, most: int = _MOST) -> list[Block]:
    """The boxes of a drawing: the picture, and the layers that change something.

    Of a long network, what belongs together by its names becomes one box, or what has one size.
    """
    height, width, channels = network.input_hwc
    flat = (height, width) == (1, 1)
    shape = (channels,) if flat else network.input_hwc
    picture = Block(-1, -1, "input", "", shape, not flat, 0, "picture")
    rows = [row for row in rows_of(network, joined=True) if row.what.partition(",")[0] != "flatten"]
    blocks = [_block(network, row) for row in rows]
    if len(blocks) <= most:
        return [picture, *blocks]
    for key in (_stage, _part, _shape, _places):
        merged = _merged(blocks, key)
        if _FEWEST <= len(merged) <= most:
            return [picture, *merged]
    return [picture, *_merged(blocks, _maps)]


def _block(network: Network, row: Row) -> Block:
    layer = network.layers[row.first]
    maps = len(layer.output) == 3 and layer.output[:2] == layer.places_hw
    what = row.what.partition(",")[0]
    weighted = sum(one.has_weights for one in network.layers[row.first : row.last + 1])
    return Block(row.first, row.last, row.name, what, layer.output, maps, weighted, _tint(what))


def _tint(what: str) -> Tint:
    if "conv" in what:
        return "conv"
    if "pool" in what:
        return "pool"
    return "dense" if what.startswith("dense") else "other"


_Key: TypeAlias = Callable[[Block], Hashable]


def _stage(block: Block) -> Hashable:
    return tuple(block.name.split(".")[:2])


def _part(block: Block) -> Hashable:
    return block.name.partition(".")[0]


def _shape(block: Block) -> Hashable:
    return block.shape


def _places(block: Block) -> Hashable:
    return block.shape[:-1]


def _maps(block: Block) -> Hashable:
    return block.maps


def _merged(blocks: Sequence[Block], key: _Key) -> list[Block]:
    """Neighbours with one key as one box, whose shape is that of the last."""
    found: list[Block] = []
    for _, alike in groupby(blocks, key):
        group = list(alike)
        first, last = group[0], group[-1]
        weighted = sum(block.weighted for block in group)
        if len(group) > 1:
            tints = [block.tint for block in group if block.weighted] or [last.tint]
            words = f"{weighted} layers" if weighted > 1 else ""
            name = _range(first.name, last.name)
            first = replace(last, first=first.first, name=name, words=words, tint=tints[0])
        found.append(replace(first, weighted=weighted))
    return found


def _range(one: str, other: str) -> str:
    """`layer1.0.conv1` and `layer1.2.add` as `layer1`; what shares no word keeps both ends."""
    first = one.partition(" to ")[0]
    shared: list[str] = []
    for mine, theirs in zip(first.split("."), other.split("."), strict=False):
        if mine != theirs:
            break
        shared.append(mine)
    return ".".join(shared) if shared else f"{first.partition('.')[0]} to {other.partition('.')[0]}"


# -- boxes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Box:
    """Thickness, height and depth on paper."""

    thick: float
    tall: float
    deep: float

    @property
    def across(self) -> float:
        return self.thick + self.deep * _LEAN[0]

    @property
    def above(self) -> float:
        """How far its back rises over its front."""
        return -self.deep * _LEAN[1]


def _box(block: Block, scale: float) -> _Box:
    shape = block.shape
    if block.maps:
        tall, deep = (max(_LEAST, side * scale) for side in shape[:2])
        return _Box(max(_LEAST, _THICK * sqrt(shape[2])), tall, deep)
    if len(shape) == 1:
        return _Box(9.0, min(_TALLEST, max(_LEAST, _BAR * sqrt(shape[0]))), 6.0)
    numbers, channels = prod(shape[:-1]), shape[-1]
    return _Box(
        max(_LEAST, _THICK * sqrt(channels)), min(_TALLEST, max(_LEAST, _BAR * sqrt(numbers))), 6.0
    )


def draw_network(network: Network, *, width: float = 1180.0) -> Scene:
    """Boxes from left to right, in as many lines as needed, with name, size and kind beneath."""
    blocks = blocks_of(network)
    sides = [max(block.shape[:2]) for block in blocks if block.maps]
    scale = _TALLEST / max(sides, default=1)
    boxes = [_box(block, scale) for block in blocks]
    captions = [_caption(block) for block in blocks]
    slots = [
        max(box.across, max(len(line) for line in lines) * _LETTER) + _GAP
        for box, lines in zip(boxes, captions, strict=True)
    ]
    polygons: list[Polygon] = []
    words: list[Words] = []
    top, used = _GAP / 2, 0.0
    for line in _lines(slots, width):
        ground = top + max(boxes[index].tall + boxes[index].above for index in line)
        left = 0.0
        for index in line:
            x = left + (slots[index] - boxes[index].across) / 2
            polygons += _faces(boxes[index], (x, ground), blocks[index].tint, index)
            middle = left + slots[index] / 2
            for row, text in enumerate(captions[index]):
                at = (middle, ground + _LINE * (row + 1.1))
                words.append(Words(at, text, row == 0, index))
            left += slots[index]
        used = max(used, left)
        top = ground + _LINE * (max(len(captions[index]) for index in line) + 1) + _GAP
    return Scene(min(width, max(used, 480.0)), top - _GAP / 2, tuple(polygons), tuple(words))


def _lines(slots: Sequence[float], width: float) -> list[list[int]]:
    lines: list[list[int]] = [[]]
    room = width
    for index, slot in enumerate(slots):
        if slot > room and lines[-1]:
            lines.append([])
            room = width
        lines[-1].append(index)
        room -= slot
    return lines


def _caption(block: Block) -> list[str]:
    name = block.name if len(block.name) <= _LONGEST_NAME else f"…{block.name[-_LONGEST_NAME + 1 :]}"
    lines = [name, shown_shape(block.shape)]
    return [*lines, block.words] if block.words else lines


def _faces(box: _Box, ground: Point, tint: Tint, block: int) -> list[Polygon]:
    """Front, top and right side of a box whose lower left corner stands at `ground`."""
    x, y = ground
    wide, deep, rise = box.thick, box.deep * _LEAN[0], box.above
    front = ((x, y), (x, y - box.tall), (x + wide, y - box.tall), (x + wide, y))
    top = (front[1], _moved(front[1], deep, -rise), _moved(front[2], deep, -rise), front[2])
    side = (front[3], front[2], _moved(front[2], deep, -rise), _moved(front[3], deep, -rise))
    return [
        Polygon(front, tint, "front", block),
        Polygon(top, tint, "top", block),
        Polygon(side, tint, "side", block),
    ]


def _moved(point: Point, right: float, down: float) -> Point:
    return point[0] + right, point[1] + down
