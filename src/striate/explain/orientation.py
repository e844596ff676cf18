"""Hubel and Wiesel's experiment on a trained run: bars and gratings at all angles, to any unit.

Hubel & Wiesel, "Receptive fields of single neurones in the cat's striate cortex", J. Physiol. 148
(1959). A unit is a channel of a layer at one place of its map; it is shown bars of a few widths, light
and dark, at all angles and at places all across what it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.explain.inside import Inside, Layer
from striate.explain.recording import Extent, Recorder, extents
from striate.explain.stimuli import GROUND, Window, angles, bars, blank
from striate.explain.tuning import Curve, above_blank, span_at_half
from striate.types import Array, SizeHW

__all__ = [
    "SILENT",
    "Experiment",
    "LayerTuning",
    "Sweep",
    "hierarchy_layers",
    "tune_layers",
    "window_of",
]

Listen = Callable[[int, int], None]

_PLACES = 25
"""Places across a window at most."""
_SMALLEST = 5.0
"""Diameter of the smallest window, pixels: below, angles cannot be told apart."""
SILENT = 1e-6
_MOST_LAYERS = 12


@dataclass(frozen=True, slots=True)
class Experiment:
    """Equal terms for all units: step between angles in degrees, and the grey level around a bar."""

    step_deg: float = 7.5
    ground: int = GROUND

    def widths(self, window: Window) -> tuple[float, ...]:
        """Of bars, pixels: a sixteenth, an eighth and a quarter of the window, none under a pixel."""
        return _spread([max(1.0, window.diameter / part) for part in (16, 8, 4)])

    def periods(self, window: Window) -> tuple[float, ...]:
        """Of gratings, pixels: an eighth of the window to all of it, none under three pixels."""
        return _spread([max(3.0, window.diameter / part) for part in (8, 4, 2, 1)])

    @property
    def lights(self) -> tuple[bool, ...]:
        """Light bars and dark ones, as far as the ground leaves room for them."""
        return tuple(
            light for light, room in ((True, self.ground < 255), (False, self.ground > 0)) if room
        )


def _spread(values: Sequence[float]) -> tuple[float, ...]:
    """Without those that are nearly equal to the one before."""
    kept: list[float] = []
    for value in values:
        if not kept or value >= 1.3 * kept[-1]:
            kept.append(value)
    return tuple(kept)


@dataclass(frozen=True, slots=True)
class LayerTuning:
    """All channels of a layer under bars, in channel order; NaN for those that are silent.

    `peaks_deg`, `half_widths_deg` (NaN too where there is no half height), `selectivities`,
    `tolerances_px`: over how many pixels the best bar may move and keep half its answer. `strengths`:
    the answer to the best bar, above that to an even picture.
    """

    layer: Layer
    extent: Extent
    window: Window
    peaks_deg: Array
    half_widths_deg: Array
    selectivities: Array
    tolerances_px: Array
    strengths: Array

    @property
    def answering(self) -> int:
        """Channels that answer to any bar."""
        return int(np.isfinite(self.selectivities).sum())

    @property
    def median_half_width_deg(self) -> float | None:
        """Of the channels that answer; None where most have no half height."""
        there = np.isfinite(self.selectivities)
        widths = np.where(np.isfinite(self.half_widths_deg), self.half_widths_deg, np.inf)[there]
        return _median(widths)

    @property
    def median_selectivity(self) -> float | None:
        return _median(self.selectivities)

    @property
    def median_tolerance_px(self) -> float | None:
        return _median(self.tolerances_px)

    @property
    def sharpest(self) -> int | None:
        """The most selective of the channels that answer as strongly as most; None in a silent layer."""
        if not self.answering:
            return None
        strong = self.strengths >= np.nanmedian(self.strengths)
        return int(np.nanargmax(np.where(strong, self.selectivities, -1.0)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: medians, then every channel."""
        numbers = {
            "peak_deg": self.peaks_deg,
            "half_width_deg": self.half_widths_deg,
            "selectivity": self.selectivities,
            "tolerance_px": self.tolerances_px,
            "strength": self.strengths,
        }
        return {
            **self.layer.to_dict(),
            "sees": self.extent.to_dict(),
            "window_px": self.window.diameter,
            "answering": self.answering,
            "median_half_width_deg": self.median_half_width_deg,
            "median_selectivity": self.median_selectivity,
            "median_tolerance_px": self.median_tolerance_px,
            "units": {name: _known(values) for name, values in numbers.items()},
        }


def _median(values: Array) -> float | None:
    """Of those that are a number, infinity among them; None for none, or where it is infinite."""
    known = values[~np.isnan(values)]
    middle = float(np.median(known)) if len(known) else np.inf
    return middle if np.isfinite(middle) else None


def _known(values: Array) -> list[float | None]:
    return [float(one) if np.isfinite(one) else None for one in values]


def hierarchy_layers(inside: Inside, *, most: int = _MOST_LAYERS) -> list[Layer]:
    """The layers to compare, from first to last: after each non-linearity, and the last hidden one.

    A graph with fewer than three non-linearities gives all its layers but the outputs, and one without
    any the first output. Of more than `most`, so many are taken evenly.
    """
    hidden = [one for one in inside.layers if one.tensor not in inside.output_names and one.channels > 1]
    after = [one for one in hidden if one.is_activation]
    chosen = after if len(after) >= 3 else hidden or [inside.layer(inside.output_names[0])]
    features = inside.features
    if features in hidden and features not in chosen:
        chosen = [*chosen, features]
    rows = np.unique(np.linspace(0, len(chosen) - 1, min(most, len(chosen))).round().astype(int))
    return [chosen[row] for row in rows]


def tune_layers(
    inside: Inside,
    layers: Sequence[Layer],
    experiment: Experiment,
    *,
    listen: Listen | None = None,
) -> list[LayerTuning]:
    """Bars to every channel of `layers`, at the place in the middle of each map."""
    seen = extents(Recorder(inside, layers))
    windows = {one.name: window_of(seen[one.name], inside.size_hw) for one in layers}
    groups: dict[Window, list[Layer]] = {}
    for one in layers:  # layers that see the same share the stimuli
        groups.setdefault(windows[one.name], []).append(one)
    turns = angles(experiment.step_deg)
    total = sum(
        len(turns) * len(experiment.widths(window)) * len(experiment.lights) for window in groups
    )
    done = 0
    found: dict[str, LayerTuning] = {}
    for window, group in groups.items():
        sweep = Sweep(Recorder(inside, group), window, experiment)
        for _ in sweep.play():
            done += 1
            if listen is not None:
                listen(done, total)
        found |= {one.name: sweep.tuning(one, seen[one.name]) for one in group}
    return [found[one.name] for one in layers]


def window_of(extent: Extent, size_hw: SizeHW) -> Window:
    """As large as what is seen, at the least so large that angles can be told apart."""
    diameter = max(float(min(extent.size_hw)), min(_SMALLEST, float(max(size_hw))))
    return Window(extent.centre_yx, diameter)


class Sweep:
    """All bars through one window: responses (W, L, A, O, C) by layer, W widths, L lights."""

    def __init__(self, record: Recorder, window: Window, experiment: Experiment) -> None:
        self.record, self.window, self.experiment = record, window, experiment
        self.turns = angles(experiment.step_deg)
        self.offsets = window.offsets(_PLACES)
        self.widths, self.lights = experiment.widths(window), experiment.lights
        shape = (len(self.widths), len(self.lights), len(self.turns), len(self.offsets))
        self.responses = {
            one.name: np.zeros((*shape, one.channels), np.float32) for one in record.layers
        }
        self.rest = {
            name: found[0]
            for name, found in record(blank(record.size_hw, ground=experiment.ground)).items()
        }

    def picture(self, width: int, light: int, turn: int, offsets: Array) -> Array:
        """The stimuli of these indices, at `offsets`."""
        return bars(
            self.record.size_hw,
            self.window,
            float(self.turns[turn]),
            offsets,
            width=self.widths[width],
            light=self.lights[light],
            ground=self.experiment.ground,
        )

    def play(self) -> Iterator[None]:
        """One width, light and angle after the other."""
        for width in range(len(self.widths)):
            for light in range(len(self.lights)):
                for turn in range(len(self.turns)):
                    found = self.record(self.picture(width, light, turn, self.offsets))
                    for name, values in found.items():
                        self.responses[name][width, light, turn] = values
                    yield

    def silent(self, name: str) -> Array:
        """Channels (C,) that no bar lifts above the blank."""
        lifted = self.responses[name].max(axis=(0, 1, 2, 3)) - self.rest[name]
        most = max(float(np.abs(self.responses[name]).max()), 1e-30)
        quiet: Array = lifted <= SILENT * most
        return quiet

    def best(self, name: str, channel: int) -> tuple[int, int, Array]:
        """Width and light that the channel likes best, and its responses (A, O) above the blank."""
        own = above_blank(self.responses[name][..., channel], self.rest[name][channel])
        width, light = np.unravel_index(int(own.max(axis=(2, 3)).argmax()), own.shape[:2])
        return int(width), int(light), own[width, light]

    def tuning(self, layer: Layer, extent: Extent) -> LayerTuning:
        """The measures of all channels."""
        quiet = self.silent(layer.name)
        numbers = np.full((5, layer.channels), np.nan)
        for channel in np.flatnonzero(~quiet).tolist():
            _, _, responses = self.best(layer.name, channel)
            curve = Curve.of(self.turns, responses.max(axis=1))
            across = responses[int(responses.max(axis=1).argmax())]
            measures = (
                curve.peak_deg,
                curve.half_width_deg,
                curve.selectivity,
                span_at_half(self.offsets, across),
                float(responses.max()),
            )
            numbers[:, channel] = [np.nan if one is None else one for one in measures]
        return LayerTuning(layer, extent, self.window, *numbers)
