"""Hand-made features: HOG against OpenCV and scikit-image, Haar faces, and what the arithmetic takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np

from bench.outcome import Goal, Outcome, Row, spread
from bench.processes import in_turns
from bench.workbench import Workbench

_CELL, _BINS = 8, 9


def run(bench: Workbench) -> Outcome:
    picture = _photo()
    hog = _hog_timings(picture, bench.times(30, 3))
    haar = _haar_timings(picture, bench.times(30, 3))
    layers = _layer_timings(bench)
    fastest = min(
        (name for name in hog if name != "striate"), key=lambda name: statistics.median(hog[name])
    )
    ours, theirs = (statistics.median(hog[name]) for name in ("striate", fastest))
    rows = [
        Row(
            "HOG of 480×640, 8 px cells, 2×2 blocks, 9 bins",
            1000 * ours,
            "ms",
            Goal("at most", 1.2),
            1000 * theirs,
            fastest,
            ours / theirs,
        ),
        Row(
            "Haar faces in 480×640",
            1000 * statistics.median(haar),
            "ms",
            Goal("at most", 100, "ms"),
        ),
        *(
            Row(name, statistics.median(seconds), "s", Goal("at most", limit, "s"))
            for (name, limit), seconds in layers.items()
        ),
    ]
    details = {
        "hog_s": {name: spread(seconds) for name, seconds in hog.items()},
        "haar_s": spread(haar),
        "layers_s": {name: spread(seconds) for (name, _), seconds in layers.items()},
    }
    return Outcome(rows, details)


def _photo() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """scikit-image's astronaut, whose face looks ahead, at 480×640."""
    from skimage import data

    from striate.pictures import fit

    portrait = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it untyped
    return fit(portrait, (480, 640), how="pad").pixels


def _hog_timings(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], times: int
) -> Mapping[str, list[float]]:
    import cv2
    from skimage.feature import hog as skimage_hog

    from striate.features.hog import hog

    height, width = picture.shape[:2]
    two, one = (2 * _CELL, 2 * _CELL), (_CELL, _CELL)

    def opencv() -> object:
        return cv2.HOGDescriptor((width, height), two, one, one, _BINS).compute(picture)

    def scikit_image() -> object:
        return skimage_hog(
            picture, _BINS, one, (2, 2), block_norm="L2-Hys", channel_axis=2, feature_vector=True
        )

    calls: Mapping[str, Callable[[], object]] = {
        "striate": lambda: hog(picture, cell=_CELL),
        "OpenCV": opencv,
        "scikit-image": scikit_image,
    }
    return _timed(calls, times)


def _haar_timings(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], times: int) -> list[float]:
    from striate.features.cascades import detect_objects

    assert len(detect_objects(picture).boxes_xyxy), "no face was found in the astronaut's portrait"
    return _timed({"haar": lambda: detect_objects(picture)}, times)["haar"]


def _timed(calls: Mapping[str, Callable[[], object]], times: int) -> dict[str, list[float]]:
    """Seconds of each call, in turns; each is called once more just before, so that none pays for what
    another left in the processor's cache."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(times):
        for name, call in calls.items():
            call()
            began = time.perf_counter()
            call()
            found[name].append(time.perf_counter() - began)
    return found


def _layer_timings(bench: Workbench) -> dict[tuple[str, float], list[float]]:
    commands = {
        ("striate layers resnet152", 3.0): [*bench.striate, "layers", "resnet152"],
        ("striate layers of a typed list", 0.5): [*bench.striate, "layers", "32x32x3 conv10 5x5 p2"],
    }
    env = {name: bench.env() for name, _ in commands}
    named = {name: words for (name, _), words in commands.items()}
    timings = in_turns(named, times=bench.times(9, 2), env=env)
    return {key: [one.wall_s for one in timings[key[0]]] for key in commands}
