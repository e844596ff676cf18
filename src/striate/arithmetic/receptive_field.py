"""Which pixels of the picture a unit sees: size, stride and start, and the exact patch of each unit.

Along a path, F_l = F_{l-1} + (span_l − 1)·J_{l-1} and J_l = J_{l-1}·S_l (Araujo, Norris and Sim,
"Computing receptive fields of convolutional neural networks", Distill 2019). Where paths meet, a unit
sees the smallest box around what they see together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from striate.arithmetic.layers import PICTURE, Network, Source
from striate.arithmetic.reach import Reach
from striate.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Field", "Patch", "Span", "fields_of", "find_unit", "patch_of", "spans_of"]


class Span(NamedTuple):
    """Pixels from `first` to `last` on one axis, both seen; none where `first` > `last`."""

    first: int
    last: int


NOTHING = Span(0, -1)


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field of a layer's units, vertical and horizontal.

    `size_hw`: pixels; of the unit that sees most, padding included. `stride_hw`: pixels from one unit
    to the next. `start_yx`: the first pixel that unit (0, 0) sees, negative in the padding; None where
    units see unequally much, and the size is that inside the picture. `whole`: every unit sees the
    whole picture. `exact`: False where it is an upper bound.
    """

    size_hw: SizeHW
    stride_hw: tuple[float, float]
    start_yx: tuple[int, int] | None
    whole: bool
    exact: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "size_hw": list(self.size_hw),
            "stride_hw": list(self.stride_hw),
            "start_yx": list(self.start_yx) if self.start_yx else None,
            "whole_picture": self.whole,
            "exact": self.exact,
        }


@dataclass(frozen=True, slots=True)
class _Line:
    """A field on one axis while units see equally much: unit i starts at start + i·jump."""

    size: int
    jump: int
    start: int

    @property
    def end(self) -> int:
        return self.start + self.size


def fields_of(network: Network) -> list[Field]:
    """The receptive field of each layer."""
    lines = list(zip(_lines(network, 0), _lines(network, 1), strict=True))
    spans = list(zip(*spans_of(network), strict=True))
    strides = _strides(network)
    whole = [_whole(network, both) for both in spans]
    exact = _exact(network, whole)
    return [
        _field(lines[index], spans[index], strides[index], whole=whole[index], exact=exact[index])
        for index in range(len(network.layers))
    ]


def _whole(network: Network, spans: tuple[list[Span], list[Span]]) -> bool:
    """Whether every unit sees the whole picture."""
    sides = network.input_hwc[:2]
    return all(span == (0, side - 1) for axis, side in zip(spans, sides, strict=True) for span in axis)


def _exact(network: Network, whole: Sequence[bool]) -> list[bool]:
    """What is exact: also what reads something that surely sees the whole picture."""
    found: list[bool] = []
    for layer in network:
        sure = (one.layer != PICTURE and whole[one.layer] and found[one.layer] for one in layer.sources)
        found.append(layer.exact or any(sure))
    return found


def _field(
    lines: tuple[_Line | None, _Line | None],
    spans: tuple[list[Span], list[Span]],
    strides: tuple[Fraction, Fraction],
    *,
    whole: bool,
    exact: bool,
) -> Field:
    height, width = lines
    if height is None or width is None:
        sizes = [max(span.last - span.first + 1 for span in axis) for axis in spans]
        return Field((sizes[0], sizes[1]), _floats(strides), None, whole, exact)
    return Field(
        (height.size, width.size), (height.jump, width.jump), (height.start, width.start), whole, exact
    )


def _floats(strides: tuple[Fraction, Fraction]) -> tuple[float, float]:
    return float(strides[0]), float(strides[1])


def _axis(source: Source, axis: int) -> Reach:
    return source.columns if axis else source.rows


def _lines(network: Network, axis: int) -> list[_Line | None]:
    """Fields as if every map went on for ever, None from where units see unequally much."""
    found: list[_Line | None] = []
    for layer in network:
        parts = [_through(found, source, axis) for source in layer.sources]
        found.append(_joined(parts, layer.places_hw[axis]))
    return found


def _through(found: Sequence[_Line | None], source: Source, axis: int) -> _Line | None:
    """What one path adds."""
    before = _Line(1, 1, 0) if source.layer == PICTURE else found[source.layer]
    reach = _axis(source, axis)
    if before is None or not reach.is_even:
        return None
    return _Line(
        before.size + (reach.high - reach.low) * before.jump,
        before.jump * reach.step,
        before.start + reach.low * before.jump,
    )


def _joined(parts: Sequence[_Line | None], places: int) -> _Line | None:
    """The smallest field around those of all paths; None where they drift apart."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    start, end = min(part.start for part in known), max(part.end for part in known)
    jump = max(part.jump for part in known)
    fixed = [part for part in known if part.jump != jump] if places > 1 else []
    if not fixed:
        return _Line(end - start, jump, start)
    # gates look at everything; they hold what all units of the other paths see, or the paths drift
    moving = [part for part in known if part.jump == jump]
    first = min(part.start for part in fixed)
    last = max(part.end for part in fixed)
    reach = (places - 1) * jump
    held = all(first <= one.start and one.end + reach <= last for one in moving)
    return _Line(end - start, 0, start) if held and not any(one.jump for one in fixed) else None


def _strides(network: Network) -> list[tuple[Fraction, Fraction]]:
    """Pixels from one unit to the next, on average."""
    found: list[tuple[Fraction, Fraction]] = []
    for layer in network:
        best = (Fraction(0), Fraction(0))
        for source in layer.sources:
            before = (Fraction(1), Fraction(1)) if source.layer == PICTURE else found[source.layer]
            here = (
                before[0] * Fraction(source.rows.step, source.rows.per),
                before[1] * Fraction(source.columns.step, source.columns.per),
            )
            best = (max(best[0], here[0]), max(best[1], here[1]))
        found.append(best)
    return found


# -- exact patches ----------------------------------------------------------------------------


def spans_of(network: Network) -> tuple[list[list[Span]], list[list[Span]]]:
    """For each layer the pixels that each of its rows, and each of its columns, truly sees.

    Padding is nothing to see, at any depth: what a unit sees of a map is cut to the map before it is
    followed further.
    """
    return _spans(network, 0), _spans(network, 1)


def _spans(network: Network, axis: int) -> list[list[Span]]:
    picture = [Span(pixel, pixel) for pixel in range(network.input_hwc[axis])]
    found: list[list[Span]] = []
    for layer in network:
        parts = [
            _spans_through(
                picture if source.layer == PICTURE else found[source.layer],
                _axis(source, axis),
                layer.places_hw[axis],
            )
            for source in layer.sources
        ]
        if len(parts) == 1:
            found.append(parts[0])
        else:
            found.append(
                [_around([part[unit] for part in parts]) for unit in range(layer.places_hw[axis])]
            )
    return found


def _spans_through(before: Sequence[Span], reach: Reach, places: int) -> list[Span]:
    if reach == Reach() and places == len(before):
        return list(before)
    forwards = _moves_forwards(before)
    if reach.step == 0:
        return [_seen(before, reach, 0, forwards=forwards)] * places
    return [_seen(before, reach, unit, forwards=forwards) for unit in range(places)]


def _moves_forwards(spans: Sequence[Span]) -> bool:
    """Whether no unit sees less far than the one before: not so where dilation meets padding."""
    some = [span for span in spans if span.first <= span.last]
    steps = pairwise(some)
    return len(some) == len(spans) and all(a.first <= b.first and a.last <= b.last for a, b in steps)


def _seen(before: Sequence[Span], reach: Reach, unit: int, *, forwards: bool) -> Span:
    units = reach.within(unit, len(before))
    if not units:
        return NOTHING
    if forwards:
        return Span(before[units[0]].first, before[units[-1]].last)
    return _around([before[one] for one in units])


def _around(spans: Sequence[Span]) -> Span:
    some = [span for span in spans if span.first <= span.last]
    if not some:
        return NOTHING
    return Span(min(span.first for span in some), max(span.last for span in some))


@dataclass(frozen=True, slots=True)
class Patch:
    """What one unit sees of the picture.

    `box_xyxy`: the exact patch, pixels, ends exclusive; None where it sees nothing (all padding).
    `padded_xyxy`: the same with the padding that it covers, so it may reach beyond the picture.
    """

    layer: str
    unit_yx: tuple[int, int]
    box_xyxy: tuple[int, int, int, int] | None
    padded_xyxy: tuple[int, int, int, int]
    exact: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; boxes are (x0, y0, x1, y1) with exclusive ends."""
        return {
            "layer": self.layer,
            "unit_yx": list(self.unit_yx),
            "box_xyxy": None if self.box_xyxy is None else list(self.box_xyxy),
            "padded_xyxy": list(self.padded_xyxy),
            "exact": self.exact,
        }


def patch_of(network: Network, layer: int, unit_yx: tuple[int, int]) -> Patch:
    """The input patch of unit (y, x) of a layer; a `UsageError` for a unit that there is not."""
    chosen = network.layers[layer]
    for name, value, count in zip(("row", "column"), unit_yx, chosen.places_hw, strict=True):
        if not 0 <= value < count:
            raise UsageError(
                f"{chosen.name} has no {name} {value}", expected=f"a {name} from 0 to {count - 1}"
            )
    rows, columns = spans_of(network)
    whole = [_whole(network, both) for both in zip(rows, columns, strict=True)]
    y, x = rows[layer][unit_yx[0]], columns[layer][unit_yx[1]]
    seen = y.first <= y.last and x.first <= x.last
    tall, wide = (_padded(network, layer, axis, unit_yx[axis]) for axis in (0, 1))
    return Patch(
        layer=chosen.name,
        unit_yx=unit_yx,
        box_xyxy=(x.first, y.first, x.last + 1, y.last + 1) if seen else None,
        padded_xyxy=(wide.first, tall.first, wide.last + 1, tall.last + 1),
        exact=_exact(network, whole)[layer],
    )


def _padded(network: Network, layer: int, axis: int, unit: int) -> Span:
    """Followed back to the picture as if padding went on for ever."""
    wanted: dict[int, Span] = {layer: Span(unit, unit)}
    for index in range(layer, -1, -1):
        span = wanted.pop(index, None)
        if span is None:
            continue
        for source in network.layers[index].sources:
            part = Span(*_axis(source, axis).of(*span))
            wanted[source.layer] = _around([wanted.get(source.layer, NOTHING), part])
    return wanted.get(PICTURE, NOTHING)


def find_unit(network: Network, text: str) -> tuple[int, tuple[int, int]]:
    """`conv2:3,4` as (index of the layer, (y, x)); `conv2` alone is its middle unit.

    Names that end alike are told apart by more of the name; `#7` is the seventh layer.
    """
    name, _, place = text.partition(":")
    index = _find_layer(network, name.strip())
    layer = network.layers[index]
    if not place.strip():
        return index, (layer.places_hw[0] // 2, layer.places_hw[1] // 2)
    parts = place.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise UsageError(
            f"cannot read the unit {place!r} in {text!r}", expected="LAYER:ROW,COLUMN, such as conv2:3,4"
        )
    return index, (int(parts[0]), int(parts[1]))


def _find_layer(network: Network, name: str) -> int:
    if name.startswith("#") and name[1:].isdigit() and 1 <= int(name[1:]) <= len(network.layers):
        return int(name[1:]) - 1
    for index, layer in enumerate(network):
        if layer.name == name:
            return index
    raise UnknownNameError("layer", name, [layer.name for layer in network])
