"""Noise: Gaussian, of photons (shot), of bad pixels (impulse), and in proportion to light (speckle)."""

from __future__ import annotations

import numpy as np

from striate.stress.corruptions.chance import Chance, normals, poisson_greys
from striate.stress.corruptions.finish import floored
from striate.stress.corruptions.tables import Parameters
from striate.types import PictureArray

__all__ = ["gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise"]


def gaussian_noise(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Normal noise on every value. Parameters: its standard deviation (white is 1)."""
    noise = normals(chance, pictures.shape[1:])
    noise *= 255.0 * parameters[0]
    noise += pictures
    return floored(noise)


def shot_noise(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Poisson noise. Parameters: photons that a white pixel catches on average."""
    return poisson_greys(pictures, int(parameters[0]), chance)


def impulse_noise(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Salt and pepper, each value on its own. Parameters: the share that is hit, half of it white."""
    limit = round(parameters[0] * 2**32)
    found = pictures.copy()
    for one, into in zip(chance, found, strict=True):
        drawn = one.integers(0, 2**32, size=into.shape, dtype=np.uint32)
        np.putmask(into, drawn < limit, 255)
        np.putmask(into, drawn < limit // 2, 0)
    return found


def speckle_noise(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """x + x·noise. Parameters: the standard deviation of the noise."""
    noise = normals(chance, pictures.shape[1:])
    noise *= parameters[0]
    noise += 1.0
    noise *= pictures
    return floored(noise)
