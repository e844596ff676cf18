from __future__ import annotations

from pathlib import Path

import pytest

from striate.runs import power
from striate.runs.energy import CpuEstimate, MemoryEstimate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def zone(root: Path, folder: str, name: str, energy: int, limit: int = 262_143_328_850) -> Path:
    (root / folder).mkdir(parents=True)
    (root / folder / "name").write_text(f"{name}\n")
    (root / folder / "energy_uj").write_text(f"{energy}\n")
    (root / folder / "max_energy_range_uj").write_text(f"{limit}\n")
    return root / folder / "energy_uj"


def test_rapl_counts_packages_and_their_memory_once(tmp_path: Path) -> None:
    package = zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    memory = zone(tmp_path, "intel-rapl:0:1", "dram", 500_000)
    cores = zone(tmp_path, "intel-rapl:0:0", "core", 0)
    platform = zone(tmp_path, "intel-rapl:1", "psys", 0)
    clock = Clock()
    found = power.counters(clock=clock, powercap=tmp_path)
    assert [counter.part for counter in found] == ["processor"]  # memory is in it
    assert "with memory" in found[0].method
    for file in (package, memory, cores, platform):
        file.write_text("7000000\n")
    clock.now = 10
    low, stated, high = found[0].joules()
    assert low == stated == pytest.approx(6.0 + 6.5)
    assert high == pytest.approx(12.5 * 1.25)


def test_rapl_without_memory_zones_estimates_memory(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 0)
    found = power.counters(clock=Clock(), powercap=tmp_path)
    assert [counter.part for counter in found] == ["processor", "memory"]
    assert isinstance(found[1], MemoryEstimate)


def test_rapl_goes_round(tmp_path: Path) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 99_000_000, limit=100_000_000)
    clock = Clock()
    counter = power.counters(clock=clock, powercap=tmp_path)[0]
    file.write_text("3000000")
    clock.now = 0.01
    assert counter.joules()[1] == pytest.approx(4.0)


def test_rapl_that_may_have_gone_round_unseen_widens_the_range(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5, limit=1000)
    clock, seconds = Clock(), [0.0]
    fallback = CpuEstimate(cpu_seconds=lambda: seconds[0])
    counter = power.RaplCounter(power._rapl_zones(tmp_path), clock=clock, fallback=fallback)
    clock.now, seconds[0] = 3600.0, 100.0
    assert counter.joules() == pytest.approx((0.0, 1200.0, 100 * 18 * 1.25))


@pytest.mark.parametrize("damage", ["unreadable", "nonsense"])
def test_rapl_that_cannot_be_read_is_estimated(tmp_path: Path, damage: str) -> None:
    file = zone(tmp_path, "intel-rapl:0", "package-0", 0)
    file.unlink()
    if damage == "nonsense":
        file.write_text("?")
    found = power.counters(clock=Clock(), powercap=tmp_path)
    assert isinstance(found[0], CpuEstimate)


class FakeNvml:
    """Fills the C structures it is handed a reference to, as the library does."""

    def __init__(self, *, works: bool = True) -> None:
        self.millijoules, self.works, self.asked = 5_000, works, -1

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, handle: object, /) -> int:
        self.asked = index
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: object, found: object, /) -> int:
        if not self.works:
            return 3  # NVML_ERROR_NOT_SUPPORTED
        found._obj.value = self.millijoules  # type: ignore[attr-defined]
        return 0


def test_nvml(tmp_path: Path) -> None:
    library = FakeNvml()
    found = power.counters(gpus=[3], clock=Clock(), powercap=tmp_path, nvml=lambda: library)
    assert library.asked == 3
    assert found[-1].part == "accelerator"
    library.millijoules += 2_000_000
    assert found[-1].joules() == pytest.approx((1800, 2000, 2000 * 1.1 * 1.25))
    library.works = False
    assert found[-1].joules() == (0, 0, 0)


def test_a_board_that_does_not_tell_is_estimated(tmp_path: Path) -> None:
    clock = Clock()

    def missing() -> power.NvmlLibrary:
        raise OSError("libnvidia-ml.so.1: cannot open shared object file")

    for nvml in (missing, lambda: FakeNvml(works=False)):
        clock.now = 0
        board = power.counters(gpus=[0], gpu_watts=300, clock=clock, powercap=tmp_path, nvml=nvml)[-1]
        clock.now = 10
        assert board.joules() == pytest.approx((500, 1800, 3750))
        assert "300 W" in board.method


def test_this_machine_has_counters() -> None:
    found = power.counters()
    assert {counter.part for counter in found} >= {"processor"}
    assert all(joules >= 0 for counter in found for joules in counter.joules())
