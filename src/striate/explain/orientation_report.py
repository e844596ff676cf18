"""The oriented-bar experiment as sentences and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from striate.explain.orientation import Experiment, LayerTuning
from striate.explain.shades import shaded
from striate.explain.units import UnitTuning
from striate.figures import Bars, Curve, Figure, Gallery, GalleryItem, Lines, Section, Table
from striate.pictures.draw import enlarge

__all__ = ["hierarchy_section", "hierarchy_statement", "unit_section", "unit_statement"]

_BINS = 8
_SELECTIVE = 0.2
"""Selectivity from which a unit is called oriented."""


def degrees(value: float | None) -> str:
    """An angle for a sentence or a cell."""
    return "–" if value is None else f"{value:.0f}°"


def pixels(value: float | None) -> str:
    """A length for a sentence or a cell."""
    return "–" if value is None else f"{value:.1f} px"


def unit_statement(found: UnitTuning) -> str:
    """What one unit is like, in two sentences.

    "stage1.conv:12 answers most to a light bar of 1.5 px at 45° (half width 19°, selectivity 0.63). …"
    """
    name, bar = found.unit.name, found.bar
    if bar.peak_deg is None or bar.selectivity is None:
        return (
            f"{name} does not answer to grey bars of any angle: no bar lifts it above an even picture."
        )
    light = "light" if found.light else "dark"
    width = (
        "no half height" if bar.half_width_deg is None else f"half width {degrees(bar.half_width_deg)}"
    )
    return (
        f"{name} answers most to a {light} bar of {pixels(found.width_px)} at {degrees(bar.peak_deg)} "
        f"({width}, selectivity {bar.selectivity:.2f}). {_kind(found)}, and keeps half its answer while "
        f"the bar moves over {pixels(found.tolerance_px)} of the {pixels(found.window.diameter)} that "
        "it was shown."
    )


def _kind(found: UnitTuning) -> str:
    """Whether the angle matters; selectivity is low too where two angles far apart are liked."""
    responses = found.bar.responses
    if (found.bar.selectivity or 0.0) >= _SELECTIVE:
        return "It answers to one angle most"
    if min(responses) < max(responses) / 2:
        return "It answers to several angles, not to those between"
    return "It hardly minds the angle"


def hierarchy_statement(layers: Sequence[LayerTuning]) -> str:
    """How the layers differ, from the numbers; "" for fewer than two that answer."""
    known = [one for one in layers if one.answering and one.median_selectivity is not None]
    if len(known) < 2:
        return ""
    first, last = known[0], known[-1]
    names = f"From {first.layer.name} to {last.layer.name}"
    sees = f"what a unit sees grows from {_sees(first)} to {_sees(last)} pixels"
    if first.extent.size_hw == last.extent.size_hw:
        sees = f"all units see {_sees(first)} pixels"
    moves = _change(first.median_tolerance_px, last.median_tolerance_px, "px", 1)
    tuned = _change(first.median_selectivity, last.median_selectivity, "", 2)
    return (
        f"{names}, {sees}. The place over which the median unit keeps half its answer {moves}, and its "
        f"selectivity for the angle {tuned}."
    )


def _sees(one: LayerTuning) -> str:
    return f"{one.extent.size_hw[0]} × {one.extent.size_hw[1]}"


def _change(before: float | None, after: float | None, unit: str, places: int) -> str:
    """ "grows from 1.2 to 7.0 px": what the numbers say, whichever way."""
    if before is None or after is None:
        return "cannot be compared"
    unit = f" {unit}" if unit else ""
    ends = f"from {before:.{places}f} to {after:.{places}f}{unit}"
    if max(before, after) < 1.15 * min(before, after):
        return f"stays much the same ({ends})"
    return f"{'grows' if after > before else 'falls'} {ends}"


# -- figures ----------------------------------------------------------------------------------


def hierarchy_section(layers: Sequence[LayerTuning], experiment: Experiment) -> Section:
    """All layers beside each other."""
    names = [one.layer.name for one in layers]
    places = list(range(1, len(layers) + 1))
    table = Table(
        "Layer by layer",
        "Medians over the channels that answer to any bar. Seen: the part of the picture that reaches "
        "the unit in the middle, measured. Oriented: channels with a selectivity of at least "
        f"{_SELECTIVE}. Half width: – where most channels nowhere fall to half.",
        ("layer", "seen", "channels", "answer", "oriented", "half width", "selectivity", "tolerance"),
        [
            (
                f"{place} {one.layer.name}",
                f"{one.extent.size_hw[0]} × {one.extent.size_hw[1]} px",
                one.layer.channels,
                one.answering,
                int((one.selectivities >= _SELECTIVE).sum()),
                degrees(one.median_half_width_deg),
                "–" if one.median_selectivity is None else f"{one.median_selectivity:.2f}",
                pixels(one.median_tolerance_px),
            )
            for place, one in zip(places, layers, strict=True)
        ],
    )
    figures: list[Figure] = [table]
    if len(layers) > 1:
        figures += [
            _over_layers(
                "Selectivity", places, [one.selectivities for one in layers], "1 − circular variance"
            ),
            _over_layers("Position tolerance", places, [one.tolerances_px for one in layers], "pixels"),
        ]
    figures += [
        _preferred(one) for one in (layers[0], layers[-1])[: min(2, len(layers))] if one.answering
    ]
    words = hierarchy_statement(layers) or f"The layers {', '.join(names)} under bars."
    ground = f"Grey level {experiment.ground} around the bars; {len(_steps(experiment))} angles."
    return Section("From layer to layer", f"{words} {ground}", figures)


def _steps(experiment: Experiment) -> range:
    return range(max(2, round(180 / experiment.step_deg)))


def _over_layers(title: str, places: Sequence[int], values: Sequence[np.ndarray], label: str) -> Lines:
    """Median and middle half of the channels, layer after layer."""
    quartiles = np.array(
        [
            np.nanquantile(one, (0.5, 0.25, 0.75)) if np.isfinite(one).any() else (np.nan,) * 3
            for one in values
        ]
    )
    middle, low, high = quartiles.T.tolist()
    curve = Curve("median", places, middle, low, high)
    return Lines(title, "The band holds the middle half of the channels.", [curve], "layer", label)


def _preferred(one: LayerTuning) -> Bars:
    """How many oriented channels like which angle."""
    peaks = one.peaks_deg[one.selectivities >= _SELECTIVE]
    step = 180 / _BINS
    counts = Counter((np.floor((peaks + step / 2) / step).astype(int) % _BINS).tolist())
    return Bars(
        f"Preferred angles in {one.layer.name}",
        f"{len(peaks)} oriented channels, counted within ±{step / 2:g}° of each angle.",
        [f"{step * at:g}°" for at in range(_BINS)],
        [float(counts[at]) for at in range(_BINS)],
        "channels",
    )


def unit_section(found: UnitTuning) -> Section:
    """Everything measured on one unit."""
    if found.silent:
        return Section(found.unit.name, unit_statement(found), [])
    return Section(
        found.unit.name,
        unit_statement(found),
        [_pictures(found), _tuning(found), _positions(found), _facts(found)],
    )


def _tuning(found: UnitTuning) -> Lines:
    curves = [_closed("bar", found.bar.angles_deg, found.bar.responses)]
    if found.grating.peak_deg is not None:
        curves.append(_closed("grating", found.grating.angles_deg, found.grating.responses))
    return Lines(
        "Tuning curve",
        "The highest answer over all places of the bar, or phases of the grating, as a share of the "
        "best. 0° lies, 90° stands.",
        curves,
        "angle in degrees",
        "share of the best",
        y_range=(0.0, 1.05),
    )


def _closed(name: str, angles_deg: Sequence[float], responses: Sequence[float]) -> Curve:
    """As shares of the best, with 180° as 0° again."""
    top = max(responses)
    shares = [one / top for one in responses]
    return Curve(name, [*angles_deg, 180.0], [*shares, shares[0]])


def _positions(found: UnitTuning) -> Lines:
    top = max(found.across)
    curve = Curve("best bar", found.offsets_px, [one / top for one in found.across])
    half = Curve("half", [found.offsets_px[0], found.offsets_px[-1]], [0.5, 0.5])
    return Lines(
        "Answer against place",
        "The best bar, moved at right angles to itself; at least half is kept over "
        f"{pixels(found.tolerance_px)}.",
        [curve, half],
        "pixels from the middle of what it sees",
        "share of the best",
        y_range=(0.0, 1.05),
    )


def _pictures(found: UnitTuning) -> Gallery:
    low, high = found.map_responses.max(), found.map_responses.min()
    items = [
        GalleryItem(
            found.best_bar, "best bar", f"{pixels(found.width_px)} at {degrees(found.bar.peak_deg)}"
        ),
    ]
    if found.grating.peak_deg is not None:
        note = f"{pixels(found.period_px)} a stripe at {degrees(found.grating.peak_deg)}"
        items.append(GalleryItem(found.best_grating, "best grating", note))
    if low > high:
        rows = f"rows {found.map_y[0]:.0f}–{found.map_y[-1]:.0f}"
        note = f"{rows}, columns {found.map_x[0]:.0f}–{found.map_x[-1]:.0f}"
        items.append(
            GalleryItem(enlarge(shaded(found.map_responses), 24), "where a short bar counts", note)
        )
    return Gallery(
        "What it likes, and where",
        "The map shows the answer to a short bar at each place of the picture: the darker, the "
        "stronger.",
        items,
    )


def _facts(found: UnitTuning) -> Table:
    bar, grating, extent = found.bar, found.grating, found.extent
    kind = "–"
    if found.modulation is not None:
        kind = f"{found.modulation:.2f}: {'simple' if found.modulation > 1 else 'complex'}"
    rows = [
        ("peak", degrees(bar.peak_deg), degrees(grating.peak_deg)),
        ("half width at half height", degrees(bar.half_width_deg), degrees(grating.half_width_deg)),
        ("selectivity (1 − circular variance)", _share(bar.selectivity), _share(grating.selectivity)),
        ("best width, period", pixels(found.width_px), pixels(found.period_px)),
        ("answer above an even picture", f"{max(bar.responses):.3g}", f"{max(grating.responses):.3g}"),
        ("depends on phase (F1/F0)", "–", kind),
        ("sees", f"rows {extent.top}–{extent.bottom}, columns {extent.left}–{extent.right}", ""),
    ]
    return Table("In numbers", "", ("", "bar", "grating"), rows)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
