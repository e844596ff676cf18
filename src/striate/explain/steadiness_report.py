"""Shift, rotation and scale as sentences and figures: what was found, not what should be."""

from __future__ import annotations

from collections.abc import Sequence

from striate.explain.equivariance import LayerMotion
from striate.explain.steadiness import Axis, AxisName, Level, Moved
from striate.figures import Curve, Figure, Gallery, GalleryItem, Lines, Section, Table
from striate.metrics.plain import percent
from striate.runs.markup import number
from striate.types import Picture

__all__ = ["axis_section", "method_section", "motion_section", "motion_statements", "moved_statements"]

_EXACT, _MOSTLY = 0.99, 0.9
"""Correlations from which a map moves along (nearly) exactly, and mostly."""
_MOST_CURVES = 6
_BORDERS = {
    "reflect": "What comes in from beyond the edge is the picture mirrored.",
    "grey": "What comes in from beyond the edge is grey (127).",
}


# -- the answer -------------------------------------------------------------------------------


def moved_statements(moved: Moved) -> list[str]:
    """One sentence a kind of move, from the numbers.

    "Turned by −10 to 10°, it gives the same answer for at least 90 % of the pictures; at 45° for 40 %."
    """
    height, width = moved.size_hw
    return [
        _range(moved, "right", "Shifted sideways", f" px of {width}", width / 8),
        _range(moved, "down", "Shifted up or down", f" px of {height}", height / 8),
        _range(moved, "rotation", "Turned", "°", 45),
        _range(moved, "scale", "Scaled", "", 1.7),
    ]


def _range(moved: Moved, name: AxisName, what: str, unit: str, probe: float) -> str:
    """How far the answer stays, and what remains of it at `probe` or farther out."""
    axis = moved.axis(name)
    low, high = axis.ends(moved.steady)
    lost = [one for one in axis.levels if one.value > axis.rest and not moved.steady(one)]
    lost = lost or [one for one in axis.levels if not moved.steady(one)]
    if not lost and low == high:
        return f"{what}: the picture is too small for that."
    if low == high:
        first = lost[0]
        start = f"{_value(axis, first.value)}{unit}"
        return f"{what}, {_not_kept(moved)} from {start} on: {_kept(moved, first)}."
    ends = f"{what} by {_value(axis, low)} to {_value(axis, high)}{unit}, {_is_kept(moved)}"
    if not lost:
        return f"{ends}, which is all that was tried."
    outer = next((one for one in lost if one.value >= probe), lost[-1])
    short = unit.split(" of ", maxsplit=1)[0]
    return f"{ends}; at {_value(axis, outer.value)}{short} {_kept(moved, outer)}."


def _is_kept(moved: Moved) -> str:
    if moved.judge.shares:
        return "it gives the same answer for at least 90 % of the pictures"
    return "its numbers move by no more than they are off unmoved"


def _not_kept(moved: Moved) -> str:
    if moved.judge.shares:
        return "it gives the same answer for less than 90 % of the pictures"
    return "its numbers move by more than they are off unmoved"


def _value(axis: Axis, value: float) -> str:
    return f"×{value:g}" if axis.name == "scale" else number(value)


def _kept(moved: Moved, level: Level) -> str:
    if moved.judge.shares:
        return f"for {percent(level.likeness[0], level.likeness_intervals[0])}"
    changes = zip(level.likeness, moved.unmoved.quality, moved.judge.names, strict=True)
    return "; ".join(
        f"{name} by {number(change, 3)} (it is off by {number(error, 3)})"
        for change, error, name in changes
    )


_TITLES: dict[AxisName, tuple[str, str]] = {
    "right": ("Shift sideways", "pixels to the right"),
    "down": ("Shift up and down", "pixels down"),
    "rotation": ("Rotation", "degrees against the clock"),
    "scale": ("Scale", "times as large"),
}


def axis_section(moved: Moved, examples: Sequence[tuple[str, Picture]]) -> Section:
    """The curves of all moves. `examples`: a picture moved, with words."""
    items = [GalleryItem(picture, words) for words, picture in examples]
    words = zip((_TITLES[one.name][0] for one in moved.axes), moved_statements(moved), strict=True)
    figures: list[Figure] = [
        Table("In short", "", ("move", "what was found"), list(words)),
        Gallery("How far is that", f"One of the pictures, moved. {_BORDERS[moved.border]}", items),
    ]
    for axis in moved.axes:
        figures += _charts(moved, axis)
    return Section("The answer", "", figures)


def _charts(moved: Moved, axis: Axis) -> list[Figure]:
    """One chart of two curves for classes; for numbers one of error and change a target."""
    title, label = _TITLES[axis.name]
    xs = [one.value for one in axis.levels]
    found: list[Figure] = []
    for k, target in enumerate(moved.judge.names):
        curves = [
            Curve(
                moved.judge.likeness_name,
                xs,
                [one.likeness[k] for one in axis.levels],
                [one.likeness_intervals[k][0] for one in axis.levels],
                [one.likeness_intervals[k][1] for one in axis.levels],
            ),
            Curve(
                moved.judge.quality_name,
                xs,
                [one.quality[k] for one in axis.levels],
                [one.quality_intervals[k][0] for one in axis.levels],
                [one.quality_intervals[k][1] for one in axis.levels],
            ),
        ]
        shares = moved.judge.shares
        name = title if shares else f"{title}: {target}"
        y_range = (0.0, 1.0) if shares else None
        unit = "share of the pictures" if shares else "in its own unit"
        found.append(Lines(name, "", curves, label, unit, y_range=y_range))
    return found


# -- the layers -------------------------------------------------------------------------------


def motion_statements(layers: Sequence[LayerMotion], moved: Moved) -> list[str]:
    """Equivariance of the maps, and where invariance comes in, from the numbers."""
    maps = [one for one in layers if one.along_at_stride is not None]
    said = [_equivariance(maps)] if maps else []
    first, last = layers[0], layers[-1]
    at = _far(first.shifts)
    level = moved.axis("right").at(at)
    answer = f", and the answer is the same {_kept(moved, level)}" if moved.judge.shares else ""
    if first is last:
        said.append(
            f"After {at} px {first.layer.name} correlates with its unmoved self by "
            f"{_still(first, at)}{answer}."
        )
        return said
    before, after = (one.still[one.shifts.index(at)] for one in (first, last))
    grows = "grows" if after > before + 0.02 else "falls" if after < before - 0.02 else "stays as it is"
    middle = maps[-1] if maps and maps[-1] is not first else None
    through = f", {middle.layer.name} by {_still(middle, at)}" if middle is not None else ""
    said.append(
        f"Invariance {grows} on the way: after {at} px, {first.layer.name} correlates with its unmoved "
        f"self by {_still(first, at)}{through}, {last.layer.name} by {_still(last, at)}{answer}."
    )
    return said


def _equivariance(maps: Sequence[LayerMotion]) -> str:
    values = [one.along_at_stride or 0.0 for one in maps]
    worst = maps[values.index(min(values))].layer.name
    if len(maps) == 1:
        way = "moves along" if values[0] >= _MOSTLY else "does not quite move along"
        return (
            f"Equivariance: the one map, {worst}, {way} with the picture (correlation {values[0]:.3f})."
        )
    along = sum(one >= _MOSTLY for one in values)
    exact = sum(one >= _EXACT for one in values)
    if along == len(maps):
        how = f"all {along} maps move along, {exact if exact < along else 'all'} of them exactly"
    else:
        how = f"{along} of {len(maps)} maps move along"
    return (
        f"Equivariance: when the picture moves by a layer's own step, {how} (correlations "
        f"{min(values):.3f} to {max(values):.3f}, lowest in {worst})."
    )


def _far(shifts: Sequence[int]) -> int:
    """The shift that layers are compared at: about an eighth of the width."""
    return shifts[max(0, len(shifts) - 3)]


def _still(one: LayerMotion, at: int) -> str:
    return f"{one.still[one.shifts.index(at)]:.2f}"


def motion_section(layers: Sequence[LayerMotion], moved: Moved) -> Section:
    """Layer by layer: does it move along, does it stay."""
    at = _far(layers[0].shifts)
    table = Table(
        "Layer by layer",
        "Step: pixels for which the map moves on by one place, measured. Moves along: correlation of "
        "the moved picture's map with the moved map of the picture; padding at the edges counts against "
        "it. Stays: with the map as it was.",
        (
            "layer",
            "places",
            "step",
            "moves along by a step",
            f"moves along by {at} px",
            f"stays, {at} px",
        ),
        [
            (
                one.layer.name,
                f"{one.layer.places_hw[0]} × {one.layer.places_hw[1]}" if one.layer.is_map else "none",
                "–" if one.stride is None else f"{one.stride} px",
                "–" if one.along_at_stride is None else f"{one.along_at_stride:.3f}",
                _cell(one.along[one.shifts.index(at)]),
                _cell(one.still[one.shifts.index(at)]),
            )
            for one in layers
        ],
    )
    maps = _some([one for one in layers if one.stride is not None])
    figures: list[Figure] = [table]
    if maps:
        curves = [Curve(one.layer.name, one.shifts, one.along) for one in maps]
        figures.append(
            Lines(
                "Moves along (equivariance)",
                "Between two places of a map, a weighed mean of both is compared.",
                curves,
                "pixels to the right",
                "correlation",
            )
        )
    stays = [Curve(one.layer.name, one.shifts, one.still) for one in _some(list(layers))]
    figures.append(
        Lines(
            "Stays (invariance)",
            "1 is a layer that does not notice.",
            stays,
            "pixels to the right",
            "correlation",
        )
    )
    return Section("The layers", " ".join(motion_statements(layers, moved)), figures)


def _cell(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN


def _some(layers: list[LayerMotion]) -> list[LayerMotion]:
    """As many as can be told apart, first and last among them."""
    if len(layers) <= _MOST_CURVES:
        return layers
    return [layers[round(at * (len(layers) - 1) / (_MOST_CURVES - 1))] for at in range(_MOST_CURVES)]


def method_section(moved: Moved, layer_pictures: int) -> Section:
    """Terms of the measurement."""
    height, width = moved.size_hw
    rows = [
        ("what moves", f"the picture as the network sees it, {height} × {width} pixels"),
        ("truth", "is taken to stay what it was"),
        ("shift", "by whole pixels, exactly"),
        ("rotation, scale", "about the middle, bilinear; smaller ones are averaged first"),
        ("beyond the edge", _BORDERS[moved.border]),
        ("intervals", f"95 %, bootstrap over {moved.pictures} pictures"),
        ("layers", f"{layer_pictures} of the pictures, moved right; channels count from their means"),
        (
            "beware",
            "a move takes content out of the frame and brings mirrored or grey content in; part of each "
            "fall is that, not the network",
        ),
    ]
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), rows)])
