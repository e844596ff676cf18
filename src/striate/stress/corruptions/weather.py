"""Weather between the object and the camera: snow, frost on the pane, fog, and spatter on the lens."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from striate.features.opencv import cv2_module
from striate.stress.corruptions.blur import gaussian_taps, trail, zoom_map
from striate.stress.corruptions.chance import Chance, normals
from striate.stress.corruptions.finish import floored
from striate.stress.corruptions.ice import ice_crops
from striate.stress.corruptions.plasma import plasma
from striate.stress.corruptions.tables import Parameters
from striate.types import Array, Picture, PictureArray

__all__ = ["fog", "frost", "snow", "spatter"]

_WATER, _MUD = (175, 238, 238), (63, 42, 20)


def fog(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """A veil of clouds. Parameters: its thickness (white is 1), and the decay of its roughness."""
    thickness, decay = parameters
    veil = plasma(chance, pictures.shape[1:3], decay)
    brightest = pictures.reshape(len(pictures), -1).max(axis=1) / 255.0
    scale = (brightest / (brightest + thickness)).astype(np.float32)[:, None, None]
    veil *= 255.0 * thickness * scale
    values = pictures * scale[..., None]
    values += veil[..., None]
    return floored(values)


def frost(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """A pane with ice: a·picture + b·ice. Parameters: a, b, and the scale of the ice.

    The ice is drawn (see `ice`): the photographs of the published code are not ours to give.
    """
    ice = ice_crops(chance, pictures.shape[1:3], parameters[2])
    values = pictures * np.float32(parameters[0])
    for number, crop in enumerate(ice):
        values[number] += crop * np.float32(parameters[1])
    return floored(values)


def snow(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Falling flakes over a paler picture.

    Parameters: mean and standard deviation of the noise that flakes are made of, its enlargement, the
    threshold of a flake, half length and sigma of its trail, and how much of the colours stays.
    """
    cv2 = cv2_module()
    mean, spread, zoom, threshold, radius, sigma, stays = parameters
    flakes = _flakes(pictures.shape[1:3], mean, spread, zoom, threshold, chance)
    values = pictures.astype(np.float32)
    for number, (layer, one) in enumerate(zip(flakes, chance, strict=True)):
        fallen = np.zeros_like(layer)
        trail(layer, int(radius), sigma, one.uniform(-135.0, -45.0), fallen)
        fallen = np.rint(fallen * 255.0)
        fallen += fallen[::-1, ::-1].copy()
        into = values[number]
        pale = np.maximum(into, (cv2.cvtColor(into, cv2.COLOR_RGB2GRAY) * 1.5 + 127.5)[..., None])
        pale *= 1.0 - stays
        np.multiply(into, stays, out=into)
        np.add(into, pale, out=into)
        np.add(into, fallen[..., None], out=into)
    return floored(values)


def spatter(pictures: PictureArray, parameters: Parameters, chance: Chance) -> PictureArray:
    """Drops of water, or of mud, on the lens.

    Parameters: mean and standard deviation of the noise that drops are made of, its sigma, the
    threshold of a drop, how strong water shows or the sigma of mud's rim, and 0 for water or 1 for mud.
    """
    mean, spread, sigma, threshold, strength, mud = parameters
    cv2 = cv2_module()
    noise = normals(chance, pictures.shape[1:3])
    noise *= spread
    noise += mean
    taps = gaussian_taps(sigma)
    found = np.empty_like(pictures)
    for picture, layer, into in zip(pictures, noise, found, strict=True):
        liquid = cv2.sepFilter2D(
            layer, cv2.CV_32F, taps, taps, None, (-1, -1), 0.0, cv2.BORDER_REPLICATE
        )
        draw = _mud if mud else _water
        into[:] = draw(picture, liquid, threshold, strength)
    return found


def _flakes(
    size_hw: tuple[int, int], mean: float, spread: float, zoom: float, threshold: float, chance: Chance
) -> NDArray[np.float32]:
    """Noise enlarged and thresholded, float32 (B, h, w), 0 … 1. Only the seen middle is drawn."""
    cv2 = cv2_module()
    height, width = size_hw
    tall, wide = math.ceil(height / zoom), math.ceil(width / zoom)
    top, left = (height - tall) // 2, (width - wide) // 2
    flakes = np.zeros((len(chance), height, width), np.float32)
    drawn = normals(chance, (tall, wide))
    drawn *= spread
    drawn += mean
    flakes[:, top : top + tall, left : left + wide] = drawn
    if zoom != 1.0:
        maps = zoom_map((height, width), zoom, len(chance))
        stacked = cv2.remap(flakes.reshape(-1, width), *maps, cv2.INTER_LINEAR)
        flakes = stacked.reshape(flakes.shape)
    flakes[flakes < threshold] = 0.0
    return np.minimum(flakes, 1.0)


def _water(picture: Picture, liquid: Array, threshold: float, strength: float) -> PictureArray:
    """Drops, dark on one side and light on the other by an emboss of their distance to the rim."""
    cv2 = cv2_module()
    drops = np.where(liquid < threshold, 0.0, liquid * 255.0).clip(0, 255).astype(np.uint8)
    distance = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    relief = cv2.equalizeHist(cv2.blur(np.minimum(distance, 20.0), (3, 3)).astype(np.uint8))
    emboss = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32)
    relief = cv2.blur(cv2.filter2D(relief, cv2.CV_8U, emboss), (3, 3))
    shine = drops * relief.astype(np.float32)
    highest = shine.max()
    if highest > 0.0:  # a small picture may have no drop at all
        shine *= strength / highest
    return floored(picture + shine[..., None] * np.array(_WATER, np.float32))


def _mud(picture: Picture, liquid: Array, threshold: float, sigma: float) -> PictureArray:
    cv2 = cv2_module()
    taps = gaussian_taps(sigma)
    covered = (liquid > threshold).astype(np.float32)
    covered = cv2.sepFilter2D(covered, cv2.CV_32F, taps, taps, None, (-1, -1), 0.0, cv2.BORDER_REPLICATE)
    covered[covered < 0.8] = 0.0
    covered = covered[..., None]
    return floored(picture * (1.0 - covered) + covered * np.array(_MUD, np.float32))
