"""What a machine tells of its energy: RAPL on Linux, NVML on NVIDIA boards. Else, estimates."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from striate.runs.energy import PLUG, Counter, CpuEstimate, MemoryEstimate

__all__ = ["GpuEstimate", "NvmlCounter", "RaplCounter", "counters"]

_POWERCAP = Path("/sys/class/powercap")
_PACKAGE_WATTS_MAX = 1000.0
"""No package draws more; over a longer time than its counter's range allows, a lap may be missed."""


class _Zone:
    """One RAPL zone: microjoules that start again at zero after `range_uj`."""

    def __init__(self, folder: Path) -> None:
        self.name = (folder / "name").read_text().strip()
        self._file = folder / "energy_uj"
        self._range_uj = int((folder / "max_energy_range_uj").read_text())
        self._last_uj = self._read()

    def _read(self) -> int:
        return int(self._file.read_text())

    @property
    def lap_s(self) -> float:
        """Seconds within which the counter cannot go round."""
        return self._range_uj / 1e6 / _PACKAGE_WATTS_MAX

    def joules(self) -> float:
        now = self._read()
        used = now - self._last_uj
        self._last_uj = now
        return (used if used >= 0 else used + self._range_uj) / 1e6


class RaplCounter:
    """The packages of all processors, and their memory where it has zones of its own.

    Where so long passed between two calls that a counter may have gone round unseen, the upper end is
    what a core-second estimate says, if that is more.
    """

    part = "processor"

    def __init__(
        self, zones: Sequence[_Zone], *, clock: Callable[[], float], fallback: CpuEstimate
    ) -> None:
        self._zones = tuple(zones)
        self._clock = clock
        self._fallback = fallback
        self._last = clock()
        memory = " with memory" if self.covers_memory else ""
        self.method = f"measured by RAPL, the whole package{memory} and all that ran on it"

    @property
    def covers_memory(self) -> bool:
        """Are there memory zones? Then memory needs no estimate."""
        return any(zone.name == "dram" for zone in self._zones)

    def joules(self) -> tuple[float, float, float]:
        now = self._clock()
        passed, self._last = now - self._last, now
        used = sum(zone.joules() for zone in self._zones)
        estimate = self._fallback.joules()
        if passed > min(zone.lap_s for zone in self._zones):
            return used, max(used, estimate[1]), max(used * PLUG, estimate[2])
        return used, used, used * PLUG


def _rapl_zones(powercap: Path) -> list[_Zone]:
    """Packages (`intel-rapl:N`) and their `dram` parts; other zones lie within the packages."""
    zones: list[_Zone] = []
    try:
        for folder in sorted(powercap.glob("intel-rapl:*")):
            zone = _Zone(folder)
            top = folder.name.count(":") == 1
            if (top and zone.name.startswith("package")) or (not top and zone.name == "dram"):
                zones.append(zone)
    except (OSError, ValueError):  # often readable by root only
        return []
    return zones


class NvmlLibrary(Protocol):
    """The three functions of NVML that are used; each returns 0 for success."""

    def nvmlInit_v2(self) -> int: ...  # noqa: N802 - NVIDIA's names

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, handle: object, /) -> int: ...  # noqa: N802

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: object, millijoules: object, /) -> int: ...  # noqa: N802


class NvmlCounter:
    """The energy counter of one NVIDIA board (Volta and later).

    `index`: as NVML counts, which `CUDA_VISIBLE_DEVICES` does not change. `OSError` if the board or
    its driver has no such counter.
    """

    part = "accelerator"
    method = "measured by the board (NVML), ±10 %"

    def __init__(self, index: int, library: NvmlLibrary) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByIndex_v2(
            index, ctypes.byref(self._handle)
        ):
            raise OSError(f"NVML knows no device {index}")
        self._last = self._read()

    def _read(self) -> float:
        found = ctypes.c_ulonglong()
        if self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle, ctypes.byref(found)):
            raise OSError("NVML has no energy counter for this device")
        return found.value / 1000

    def joules(self) -> tuple[float, float, float]:
        try:
            now = self._read()
        except OSError:  # the driver went away in mid-run; what was measured stays
            now = self._last
        used, self._last = max(0.0, now - self._last), now
        return used * 0.9, used, used * 1.1 * PLUG


class GpuEstimate:
    """A board that does not tell: stated watts × time. Training draws a third of them to all."""

    part = "accelerator"

    def __init__(self, *, watts: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._watts = watts
        self._clock = clock
        self._last = clock()
        self.method = f"time × {watts:g} W (a sixth to all of it)"

    def joules(self) -> tuple[float, float, float]:
        now = self._clock()
        passed, self._last = now - self._last, now
        return passed * self._watts / 6, passed * self._watts * 0.6, passed * self._watts * PLUG


def counters(
    *,
    gpus: Sequence[int] = (),
    gpu_watts: float = 300.0,
    clock: Callable[[], float] = time.monotonic,
    powercap: Path = _POWERCAP,
    nvml: Callable[[], NvmlLibrary] | None = None,
) -> list[Counter]:
    """The best counters this machine has.

    `gpus`: NVML indices of the boards that the run uses; `gpu_watts`: nominal power of one, W, where
    it does not measure itself (300 W: a large board). RAPL where it is readable, else estimates.
    """
    zones = _rapl_zones(powercap)
    found: list[Counter] = []
    if zones:
        rapl = RaplCounter(zones, clock=clock, fallback=CpuEstimate())
        found.append(rapl)
        if not rapl.covers_memory:
            found.append(MemoryEstimate(clock=clock))
    else:
        found += [CpuEstimate(), MemoryEstimate(clock=clock)]
    for index in gpus:
        try:
            found.append(NvmlCounter(index, (nvml or _load_nvml)()))
        except OSError:
            found.append(GpuEstimate(watts=gpu_watts, clock=clock))
    return found


def _load_nvml() -> NvmlLibrary:
    library: NvmlLibrary = ctypes.CDLL("libnvidia-ml.so.1")
    return library
