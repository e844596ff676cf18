"""Energy and CO2e of a run: measured where the machine tells, else estimated, always with a range.

What is stated, and from where:

- Processor, measured: Linux powercap (RAPL), the whole package with all that runs on it.
- Processor, estimated: 12 W for each core-second, the value for an unknown processor of Lannelongue,
  Grealey and Inouye, "Green Algorithms: Quantifying the Carbon Footprint of Computation", Advanced
  Science 8 (2021) 2100707; the range 4-18 W spans their table from laptops to desktops.
- Memory: 0.3725 W/GB (same paper) of what the process held at its peak; half to twice that.
- NVIDIA GPU: the board's own energy counter through NVML. On recent boards its sensor looks at a part
  of the time only (Yang, Adámek, Armour, "Part-time Power Measurements", arXiv 2312.02741): ±10 %.
- The plug: power supplies lose 6 to 20 % (80 PLUS, Titanium to plain), so the upper end has a
  quarter on top. Cooling of a data centre and the making of the machine are not counted.
- Grid: 24 and 820 g CO2e/kWh, hydropower's and coal's medians over the life cycle (IPCC AR5, working
  group III, Annex III, table A.III.2), unless the user states the grid. No country is guessed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

from striate.errors import RunError
from striate.settings import Settings

__all__ = [
    "CAR_KG_PER_YEAR",
    "STABLE_DIFFUSION_CARS",
    "STABLE_DIFFUSION_KG",
    "Counter",
    "CpuEstimate",
    "EnergyMeter",
    "EnergyRecord",
    "MemoryEstimate",
    "driven_text",
]

WATTS_PER_CORE = (4.0, 12.0, 18.0)
"""Low, stated, high; W for one busy core."""
WATTS_PER_GB = (0.3725 / 2, 0.3725, 0.3725 * 2)
PLUG = 1.25
"""Highest loss between the plug and the parts, as a factor."""
GRID_LOW, GRID_HIGH = 24.0, 820.0
"""g CO2e/kWh."""

STABLE_DIFFUSION_KG, STABLE_DIFFUSION_CARS = 11_250.0, 2.5
"""Training Stable Diffusion v1, kg CO2e, and the cars that emit as much in a year (P1)."""
CAR_KG_PER_YEAR = STABLE_DIFFUSION_KG / STABLE_DIFFUSION_CARS
CAR_KM_PER_YEAR = 11_500 * 1.609344
"""11 500 miles (US EPA, "Greenhouse Gas Emissions from a Typical Passenger Vehicle", 2018)."""

_JOULES_PER_KWH = 3.6e6


class Counter(Protocol):
    """Energy of one part of the machine."""

    @property
    def part(self) -> str:
        """ "processor", "memory" or "accelerator"."""
        ...

    @property
    def method(self) -> str:
        """How it is known, for a sentence."""
        ...

    def joules(self) -> tuple[float, float, float]:
        """Energy since the previous call (since it was made, at the first): low, stated, high."""
        ...


class CpuEstimate:
    """Processor time × stated watts a core; time of finished child processes counts too."""

    part = "processor"

    def __init__(
        self,
        *,
        cpu_seconds: Callable[[], float] | None = None,
        watts: tuple[float, float, float] = WATTS_PER_CORE,
    ) -> None:
        self._cpu_seconds = cpu_seconds or _cpu_seconds
        self._watts = watts
        self._last = self._cpu_seconds()
        self.method = f"processor time × {watts[1]:g} W a core ({watts[0]:g} to {watts[2]:g})"

    def joules(self) -> tuple[float, float, float]:
        now = self._cpu_seconds()
        used, self._last = max(0.0, now - self._last), now
        low, stated, high = self._watts
        return used * low, used * stated, used * high * PLUG


class MemoryEstimate:
    """Peak memory of the process × stated watts a gigabyte × time."""

    part = "memory"
    method = f"peak memory × {WATTS_PER_GB[1]} W/GB (half to twice)"

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, peak_bytes: Callable[[], int] | None = None
    ) -> None:
        self._clock = clock
        self._peak_bytes = peak_bytes or _peak_bytes
        self._last = clock()

    def joules(self) -> tuple[float, float, float]:
        now = self._clock()
        gigabyte_seconds = (now - self._last) * self._peak_bytes() / 1e9
        self._last = now
        low, stated, high = WATTS_PER_GB
        return gigabyte_seconds * low, gigabyte_seconds * stated, gigabyte_seconds * high * PLUG


class EnergyRecord(Settings):
    """Energy of a run so far, as it stands in `run.toml`."""

    seconds: float
    """Wall-clock time that was metered."""
    kwh: float
    kwh_low: float
    kwh_high: float
    parts_kwh: dict[str, float]
    """The stated value by part of the machine."""
    methods: tuple[str, ...]
    """How each part is known."""
    grid_g_per_kwh: float | None = None
    """Carbon intensity that the user stated."""
    co2e_g: float | None = None
    """Grams; only where the grid is stated."""
    co2e_low_g: float
    co2e_high_g: float

    def grid_text(self) -> str:
        """What the CO2e rests on, as a sentence."""
        if self.grid_g_per_kwh is not None:
            return f"Your electricity, as you stated it: {self.grid_g_per_kwh:g} g CO2e/kWh."
        return (
            f"The grid was not stated, so this spans all hydropower ({GRID_LOW:g} g CO2e/kWh) to all "
            f"coal ({GRID_HIGH:g} g CO2e/kWh). State yours with --grid-gco2-per-kwh."
        )

    def car_text(self) -> str:
        """The run as a drive in an average car (of which 2.5 emit Stable Diffusion v1 in a year)."""
        if self.co2e_g is not None:
            return driven_text(self.co2e_g)
        low, high = driven_text(self.co2e_low_g), driven_text(self.co2e_high_g)
        return low if low == high else f"{low} to {high}"


def driven_text(co2e_g: float) -> str:
    """How far an average car goes for so many grams of CO2e; from one car-year on, in car-years.

    >>> driven_text(11_250_000)
    '2.5 car-years'
    """
    km = co2e_g / 1000 / CAR_KG_PER_YEAR * CAR_KM_PER_YEAR
    if km >= CAR_KM_PER_YEAR:
        return f"{km / CAR_KM_PER_YEAR:.3g} car-years"
    if km >= 1000:
        return f"{round(km, -1):.0f} km"
    if km >= 1:
        return f"{km:.3g} km"
    if km >= 0.001:
        return f"{km * 1000:.3g} m"
    return f"{km * 100_000:.2g} cm" if km >= 0.00001 else "less than 1 cm"


class EnergyMeter:
    """Adds up the energy of a run, over interruptions too.

    `counters`: the parts of the machine, made by `striate.runs.power.counters()` or by hand, just
    before `start`. `clock`: seconds, monotonic. Call `sample` (or `snapshot`) at least once a minute:
    hardware counters overflow.
    """

    def __init__(
        self, counters: Sequence[Counter], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counters = tuple(counters)
        self._clock = clock
        self._since: float | None = None
        self._seconds = 0.0
        self._joules: dict[str, tuple[float, float, float]] = {}
        self._methods: dict[str, None] = {}

    def start(self) -> None:
        """Begin, or go on. What the counters saw before does not count."""
        assert self._since is None, "already started"
        for counter in self._counters:
            counter.joules()
            self._methods[f"{counter.part}: {counter.method}"] = None
        self._since = self._clock()

    def sample(self) -> None:
        """Take what the counters saw since the last time. Cheap; does nothing when stopped."""
        if self._since is None:
            return
        now = self._clock()
        self._seconds, self._since = self._seconds + now - self._since, now
        for counter in self._counters:
            low, stated, high = counter.joules()
            had = self._joules.get(counter.part, (0.0, 0.0, 0.0))
            self._joules[counter.part] = (had[0] + low, had[1] + stated, had[2] + high)

    def stop(self) -> None:
        """Take a last sample and end. `start` may follow."""
        self.sample()
        self._since = None

    def snapshot(self, grid_g_per_kwh: float | None = None) -> EnergyRecord:
        """The energy so far. `grid_g_per_kwh`: the user's electricity, g CO2e/kWh, if stated."""
        self.sample()
        low, stated, high = (
            sum(column) for column in zip((0.0,) * 3, *self._joules.values(), strict=True)
        )
        return _record(
            self._seconds,
            (low / _JOULES_PER_KWH, stated / _JOULES_PER_KWH, high / _JOULES_PER_KWH),
            {part: joules[1] / _JOULES_PER_KWH for part, joules in self._joules.items()},
            tuple(self._methods),
            grid_g_per_kwh,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, for a checkpoint."""
        self.sample()
        return {
            "seconds": self._seconds,
            "joules": {part: list(values) for part, values in self._joules.items()},
            "methods": list(self._methods),
        }

    @classmethod
    def from_dict(
        cls,
        earlier: Mapping[str, Any],
        counters: Sequence[Counter],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> Self:
        """A meter that goes on from `to_dict`; a `RunError` if it is not what that wrote."""
        meter = cls(counters, clock=clock)
        try:
            meter._seconds = float(earlier["seconds"])
            for part, (low, stated, high) in earlier["joules"].items():
                meter._joules[str(part)] = (float(low), float(stated), float(high))
            meter._methods = dict.fromkeys(str(method) for method in earlier["methods"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError("the energy reading of the checkpoint is damaged") from error
        return meter


def _record(
    seconds: float,
    kwh: tuple[float, float, float],
    parts_kwh: dict[str, float],
    methods: tuple[str, ...],
    grid: float | None,
) -> EnergyRecord:
    grid_low, grid_high = (GRID_LOW, GRID_HIGH) if grid is None else (grid, grid)
    return EnergyRecord(
        seconds=seconds,
        kwh=kwh[1],
        kwh_low=kwh[0],
        kwh_high=kwh[2],
        parts_kwh=parts_kwh,
        methods=methods,
        grid_g_per_kwh=grid,
        co2e_g=None if grid is None else kwh[1] * grid,
        co2e_low_g=kwh[0] * grid_low,
        co2e_high_g=kwh[2] * grid_high,
    )


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return 1_000_000_000  # no standard call tells; a gigabyte is what a small training takes
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
