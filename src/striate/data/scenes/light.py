"""Daylight: from noon through a low sun and dusk to night, and what the weather does to it."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from striate.data.scenes.chance import stream
from striate.data.scenes.settings import SceneSettings

__all__ = ["Light", "make_light"]

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a scene. Colours are sRGB 0..255, `ambient` and `sun` multiply surface colours.

    `sun_xyz`: unit vector towards the sun (or moon), world axes. `shadow`: how dark a cast shadow
    is, 0..1. `lamps`: how far street lamps and windows are lit, 0..1. `fog_per_m`: extinction.
    """

    zenith: Triple
    horizon: Triple
    ambient: Triple
    sun: Triple
    sun_xyz: Triple
    shadow: float
    lamps: float
    stars: float
    fog: Triple
    fog_per_m: float
    snow: float
    wet: float

    def tone(self, normal: Triple) -> float:
        """Lambert's cosine between a world normal and the sun, 0..1."""
        return max(0.0, sum(n * s for n, s in zip(normal, self.sun_xyz, strict=True)))


# daylight: zenith, horizon, ambient, sun, (sun elevation deg, shadow, lamps, stars)
_KEYS: tuple[tuple[float, Triple, Triple, Triple, Triple, tuple[float, float, float, float]], ...] = (
    (0.00, (12, 17, 46), (40, 50, 96), (0.24, 0.27, 0.41), (0.04, 0.05, 0.08), (40, 0.10, 1.0, 1.0)),
    (0.20, (28, 36, 86), (110, 86, 134), (0.32, 0.33, 0.48), (0.06, 0.05, 0.06), (26, 0.12, 0.88, 0.5)),
    (
        0.42,
        (66, 78, 142),
        (243, 152, 116),
        (0.43, 0.40, 0.51),
        (0.24, 0.13, 0.07),
        (20, 0.2, 0.66, 0.06),
    ),
    (0.68, (108, 158, 212), (254, 220, 168), (0.56, 0.54, 0.57), (0.42, 0.32, 0.18), (24, 0.36, 0.1, 0)),
    (1.00, (84, 164, 232), (208, 236, 247), (0.69, 0.71, 0.76), (0.44, 0.40, 0.33), (47, 0.42, 0.0, 0)),
)


def _mix(a: tuple[float, ...], b: tuple[float, ...], t: float) -> tuple[float, ...]:
    return tuple(x + (y - x) * t for x, y in zip(a, b, strict=True))


def _triple(values: tuple[float, ...]) -> Triple:
    return values[0], values[1], values[2]


def _between(daylight: float) -> tuple[Triple, Triple, Triple, Triple, tuple[float, ...]]:
    """The keyframes on both sides of `daylight`, mixed."""
    after = min(len(_KEYS) - 1, max(1, bisect_right([key[0] for key in _KEYS], daylight)))
    low, high = _KEYS[after - 1], _KEYS[after]
    t = (daylight - low[0]) / (high[0] - low[0])
    mixed = [_mix(a, b, t) for a, b in zip(low[1:], high[1:], strict=True)]
    return _triple(mixed[0]), _triple(mixed[1]), _triple(mixed[2]), _triple(mixed[3]), mixed[4]


def make_light(settings: SceneSettings, seed: int) -> Light:
    """The light for `settings`; the sun's direction comes from the seed unless it is set."""
    zenith, horizon, ambient, sun, (height_deg, shadow, lamps, stars) = _between(settings.illumination)
    drawn = stream(seed, "sun").uniform(-62.0, 62.0) + settings.viewpoint_deg * 0.5
    azimuth = math.radians(drawn if settings.light_deg is None else settings.light_deg)
    up = math.radians(height_deg)
    sun_xyz = (math.sin(azimuth) * math.cos(up), math.sin(up), -math.cos(azimuth) * math.cos(up))
    weather = settings.weather
    fog, fog_per_m, snow, wet = horizon, 0.0022, 0.0, 0.0
    if weather != "clear":
        # Clouds take the sun's share away and spread a part of it evenly.
        mean = sum(horizon) / 3
        grey: Triple = (mean * 0.90, mean * 0.94, mean * 1.0)
        strength = {"cloudy": 0.7, "rainy": 0.85, "foggy": 0.9, "snowy": 0.8}[weather]
        horizon = _triple(_mix(horizon, grey, strength))
        dull = sum(zenith) / 3
        zenith = _triple(_mix(zenith, (dull * 0.86, dull * 0.93, dull * 1.02), strength))
        spread = 0.42 if weather in ("foggy", "snowy") else 0.26
        ambient = _triple(tuple(a + spread * sum(sun) / 3 for a in ambient))
        sun = _triple(tuple(0.22 * s for s in sun))
        shadow, stars, fog = shadow * 0.25, stars * 0.1, horizon
        fog_per_m = {"cloudy": 0.004, "rainy": 0.010, "foggy": 0.042, "snowy": 0.012}[weather]
        snow, wet = float(weather == "snowy"), float(weather == "rainy")
        if weather == "rainy":
            ambient = _triple(tuple(0.86 * a for a in ambient))
            lamps = max(lamps, 0.2)
    return Light(zenith, horizon, ambient, sun, sun_xyz, shadow, lamps, stars, fog, fog_per_m, snow, wet)
