"""One unit under bars, gratings and a short bar everywhere: its whole tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.explain.inside import Inside, Unit
from striate.explain.orientation import SILENT, Experiment, Sweep, window_of
from striate.explain.recording import Extent, Recorder, extents
from striate.explain.stimuli import Window, gratings, short_bars
from striate.explain.tuning import Curve, above_blank, modulation, span_at_half
from striate.types import Array, Picture

__all__ = ["UnitTuning", "tune_unit"]

_PHASES_DEG = np.arange(8) * 45.0
_MAP = 25
_FEWEST = 9
"""Places along a side of a position map at most, and at least: between pixels where it must be."""


@dataclass(frozen=True, slots=True)
class UnitTuning:
    """One unit under bars and gratings.

    `bar`, `grating`: tuning curves at the best width, light and period; the response at an angle is the
    highest over places, or phases. `offsets_px`, `across`: its answer to the best bar against the
    bar's place; `tolerance_px`: over how many pixels at least half of it is kept. `map_responses`
    (R, C): its answer to a short bar at each of `map_y` × `map_x`, pixels. `modulation`: F1/F0.
    `rest`: its answer to an even picture, which all others are counted from.
    """

    unit: Unit
    extent: Extent
    window: Window
    rest: float
    bar: Curve
    width_px: float
    light: bool
    offsets_px: tuple[float, ...]
    across: tuple[float, ...]
    tolerance_px: float
    best_bar: Picture
    grating: Curve
    period_px: float
    modulation: float | None
    best_grating: Picture
    map_y: tuple[float, ...]
    map_x: tuple[float, ...]
    map_responses: Array

    @property
    def silent(self) -> bool:
        """Whether no bar moves it."""
        return self.bar.peak_deg is None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "unit": self.unit.name,
            "layer": self.unit.layer.name,
            "channel": self.unit.channel,
            "place": list(self.unit.place),
            "sees": self.extent.to_dict(),
            "window_px": self.window.diameter,
            "rest": self.rest,
            "bar": {**self.bar.to_dict(), "width_px": self.width_px, "light": self.light},
            "position": {
                "offsets_px": list(self.offsets_px),
                "responses": list(self.across),
                "tolerance_px": self.tolerance_px,
            },
            "grating": {
                **self.grating.to_dict(),
                "period_px": self.period_px,
                "modulation": self.modulation,
            },
            "map": {
                "y": list(self.map_y),
                "x": list(self.map_x),
                "responses": self.map_responses.tolist(),
            },
        }


def tune_unit(inside: Inside, unit: Unit, experiment: Experiment) -> UnitTuning:
    """Bars, gratings and a short bar everywhere, to one unit."""
    layer = unit.layer
    record = Recorder(inside, [layer], {layer.name: unit.place})
    extent = extents(record)[layer.name]
    sweep = Sweep(record, window_of(extent, inside.size_hw), experiment)
    for _ in sweep.play():
        pass
    quiet = bool(sweep.silent(layer.name)[unit.channel])
    width, light, responses = sweep.best(layer.name, unit.channel)
    curve = Curve.of(sweep.turns, responses.max(axis=1), silent=quiet)
    turn = int(responses.max(axis=1).argmax())
    across = responses[turn]
    best = float(sweep.offsets[int(across.argmax())])
    grating = _gratings(sweep, unit)
    rows, columns, mapped = _map(sweep, unit, extent, float(sweep.turns[turn]), width, light)
    return UnitTuning(
        unit=unit,
        extent=extent,
        window=sweep.window,
        rest=float(sweep.rest[layer.name][unit.channel]),
        bar=curve,
        width_px=sweep.widths[width],
        light=sweep.lights[light],
        offsets_px=tuple(sweep.offsets.tolist()),
        across=tuple(across.tolist()),
        tolerance_px=0.0 if quiet else span_at_half(sweep.offsets, across),
        best_bar=sweep.picture(width, light, turn, np.array([best]))[0],
        grating=grating.curve,
        period_px=grating.period,
        modulation=grating.modulation,
        best_grating=grating.picture,
        map_y=tuple(rows.tolist()),
        map_x=tuple(columns.tolist()),
        map_responses=mapped,
    )


@dataclass(frozen=True, slots=True)
class _Grating:
    curve: Curve
    period: float
    modulation: float | None
    picture: Picture


def _gratings(sweep: Sweep, unit: Unit) -> _Grating:
    """The best period, its tuning curve over angles, and how much the phase matters at the peak."""
    record, ground = sweep.record, sweep.experiment.ground
    periods = sweep.experiment.periods(sweep.window)
    name, rest = unit.layer.name, float(sweep.rest[unit.layer.name][unit.channel])

    def shown(period: float, turn: float, phases: Array = _PHASES_DEG) -> Array:
        return gratings(record.size_hw, sweep.window, turn, phases, period=period, ground=ground)

    found = (
        np.stack(
            [
                [record(shown(period, float(turn)))[name][:, unit.channel] for turn in sweep.turns]
                for period in periods
            ]
        ).astype(np.float64)
        - rest
    )  # (periods, A, phases)
    best = int(found.max(axis=(1, 2)).argmax())
    responses = above_blank(found[best], 0.0)
    turn = int(responses.max(axis=1).argmax())
    phase = _PHASES_DEG[[int(responses[turn].argmax())]]
    most = max(float(np.abs(found).max()), abs(rest), 1e-30)
    quiet = float(responses.max()) <= SILENT * most
    return _Grating(
        Curve.of(sweep.turns, responses.max(axis=1), silent=quiet),
        periods[best],
        None if quiet else modulation(found[best, turn]),
        shown(periods[best], float(sweep.turns[turn]), phase)[0],
    )


def _map(
    sweep: Sweep, unit: Unit, extent: Extent, angle_deg: float, width: int, light: int
) -> tuple[Array, Array, Array]:
    """Rows, columns and the answers (R, C) to a short bar there, a quarter beyond what is seen."""
    size_hw = sweep.record.size_hw
    ends = [
        (max(0.0, low - 0.25 * (high - low)), min(float(side), high + 0.25 * (high - low)))
        for low, high, side in (
            (extent.top, extent.bottom, size_hw[0]),
            (extent.left, extent.right, size_hw[1]),
        )
    ]
    axes = []
    for low, high in ends:
        count = int(np.clip(round(high - low), _FEWEST, _MAP))
        edges = np.linspace(low, high, count + 1)
        axes.append((edges[:-1] + edges[1:]) / 2)
    rows, columns = axes
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    thick = sweep.widths[width]
    answers = []
    for part in np.array_split(places, max(1, len(places) // 64)):
        played = short_bars(
            size_hw,
            part,
            angle_deg,
            width=thick,
            length=max(2 * thick, sweep.window.diameter / 3),
            light=sweep.lights[light],
            ground=sweep.experiment.ground,
        )
        answers.append(sweep.record(played)[unit.layer.name][:, unit.channel])
    rest = float(sweep.rest[unit.layer.name][unit.channel])
    mapped = above_blank(np.concatenate(answers), rest).reshape(len(rows), len(columns))
    return rows, columns, mapped
