from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import RunError
from striate.runs.energy import (
    CAR_KG_PER_YEAR,
    CpuEstimate,
    EnergyMeter,
    EnergyRecord,
    MemoryEstimate,
    driven_text,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Steady:
    """A part that draws a constant number of watts."""

    part = "processor"
    method = "a steady load"

    def __init__(self, clock: Clock, watts: float = 36.0) -> None:
        self.clock, self.watts, self.last = clock, watts, clock.now

    def joules(self) -> tuple[float, float, float]:
        used = (self.clock.now - self.last) * self.watts
        self.last = self.clock.now
        return used / 2, used, used * 2


def test_an_hour_of_36_watts() -> None:
    clock = Clock()
    meter = EnergyMeter([Steady(clock)], clock=clock)
    clock.now += 1000  # before the start: does not count
    meter.start()
    for _ in range(60):
        clock.now += 60
        meter.sample()
    meter.stop()
    clock.now += 1000  # after the end: does not count
    meter.sample()
    found = meter.snapshot(500)
    assert found.seconds == pytest.approx(3600)
    assert (found.kwh_low, found.kwh, found.kwh_high) == pytest.approx((0.018, 0.036, 0.072))
    assert (found.co2e_low_g, found.co2e_g, found.co2e_high_g) == pytest.approx((9, 18, 36))
    assert found.parts_kwh == pytest.approx({"processor": 0.036})
    assert found.methods == ("processor: a steady load",)
    assert "500 g CO2e/kWh" in found.grid_text()


def test_an_unstated_grid_gives_a_range_and_no_number() -> None:
    clock = Clock()
    meter = EnergyMeter([Steady(clock)], clock=clock)
    meter.start()
    clock.now += 3600
    found = meter.snapshot()
    assert found.co2e_g is None
    # hydropower 24, coal 820 g/kWh
    assert (found.co2e_low_g, found.co2e_high_g) == pytest.approx((0.018 * 24, 0.072 * 820))
    assert "--grid-gco2-per-kwh" in found.grid_text()
    assert found.car_text() == "1.78 m to 243 m"


def test_interruptions_add_up() -> None:
    clock = Clock()
    first = EnergyMeter([Steady(clock)], clock=clock)
    first.start()
    clock.now += 600
    kept = json.loads(json.dumps(first.to_dict()))
    clock.now += 5000  # killed; nobody knows what happened here
    second = EnergyMeter.from_dict(kept, [Steady(clock, watts=72)], clock=clock)
    second.start()
    clock.now += 300
    second.stop()
    second.start()
    clock.now += 300
    found = second.snapshot()
    assert found.seconds == pytest.approx(1200)
    assert found.kwh == pytest.approx((600 * 36 + 600 * 72) / 3.6e6)
    assert found.methods == ("processor: a steady load",)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"seconds": "x", "joules": {}, "methods": []},
        {"seconds": 1, "joules": {"a": [1]}, "methods": []},
        {"seconds": 1, "joules": [], "methods": []},
    ],
)
def test_a_damaged_reading(damaged: dict[str, object]) -> None:
    with pytest.raises(RunError, match="energy reading"):
        EnergyMeter.from_dict(damaged, [])


def test_no_counters_no_energy() -> None:
    meter = EnergyMeter([], clock=Clock())
    meter.start()
    assert meter.snapshot().kwh == 0


def test_stated_watts() -> None:
    seconds = [10.0]
    cpu = CpuEstimate(cpu_seconds=lambda: seconds[0])
    seconds[0] = 12.0
    low, stated, high = cpu.joules()
    assert (low, stated, high) == pytest.approx((8, 24, 45))  # 4, 12 and 18 W × 2 s; a quarter lost
    assert cpu.joules() == (0, 0, 0)
    clock = Clock()
    memory = MemoryEstimate(clock=clock, peak_bytes=lambda: 8_000_000_000)
    clock.now += 10
    assert memory.joules()[1] == pytest.approx(8 * 0.3725 * 10)


def test_this_process_counts() -> None:
    cpu, memory = CpuEstimate(), MemoryEstimate()
    assert sum(math.sqrt(number) for number in range(600_000)) > 0
    assert 0 < cpu.joules()[1] < 1000
    assert 0 < memory.joules()[1] < 1000


def test_the_decks_cars() -> None:
    assert CAR_KG_PER_YEAR == 4500
    assert driven_text(11_250_000) == "2.5 car-years"
    assert driven_text(4_500_000) == "1 car-years"
    assert driven_text(4_500_000 / (11_500 * 1.609344)) == "1 km"
    assert driven_text(0) == "less than 1 cm"


@given(st.floats(0, 1e12))
def test_any_amount_has_its_distance(grams: float) -> None:
    text = driven_text(grams)
    assert text.split()[-1] in ("cm", "m", "km", "car-years")
    assert "e" not in text.replace("car-years", "").replace("less", "") or grams > 1e9


def test_a_record_survives_toml() -> None:
    record = EnergyMeter([], clock=Clock()).snapshot(12)
    assert EnergyRecord.parse(record.to_toml_dict()) == record
