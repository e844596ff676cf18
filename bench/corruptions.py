"""The corruptions of Hendrycks & Dietterich: speed and fidelity beside the package imagecorruptions.

The package needs an old NumPy, so it has an environment of its own, made beside the other peers' one;
`STRIATE_BENCH_CORRUPTIONS` names one that is there, or its Python.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.outcome import Goal, Outcome, Row, spread
from bench.peers_environment import SCRIPTS, environment
from bench.processes import ask
from bench.workbench import Workbench
from striate.stress.changes import SEVERITIES
from striate.stress.corruptions import COMMON, NAMES, CorruptionName, corrupt

Pixels = NDArray[np.uint8]

OVERRIDE = "STRIATE_BENCH_CORRUPTIONS"
_REQUIREMENTS = SCRIPTS / "imagecorruptions.txt"
FIXED: tuple[CorruptionName, ...] = (
    "defocus_blur",
    "zoom_blur",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg_compression",
    "gaussian_blur",
    "saturate",
)
"""Those that leave nothing to chance: their answers must agree."""


def run(bench: Workbench) -> Outcome:
    python = environment(
        ".venv-peers-corruptions",
        _REQUIREMENTS,
        override=OVERRIDE,
        told="about 0.5 GB",
        say=bench.say,
        closed=True,
    )
    pictures = {
        "224 px": _photos(224, bench.times(16, 2)),
        "32 px": _photos(32, bench.times(512, 8)),
    }
    few = {label: some[: bench.times(4, 1)] for label, some in pictures.items()}
    given, answers = bench.folder / "corruptions.npz", bench.folder / "answers.npz"
    np.savez(given, **few)  # type: ignore[arg-type]  # its stub takes the names for its flags
    bench.say("imagecorruptions")
    peer = ask([str(python), str(SCRIPTS / "imagecorruptions_times.py"), str(given), "3", str(answers)])
    bench.say("striate")
    ours = _our_times(pictures, bench.times(5, 1))
    rows: list[Row] = []
    for label in pictures:
        rows += _rows_of(label, ours, peer["ms_each"])
    sum_s = sum(statistics.median(ours[f"32 px/{name}"]) for name in COMMON) * 5 * 10_000 / 1000
    rows.append(Row("10 000 pictures of 32 px × 15 × 5", sum_s, "s", Goal("at most", 180, "s")))
    away = _differences(few, answers)
    worst = max(away, key=lambda key: away[key])
    rows.append(
        Row(
            f"mean difference where nothing is drawn, worst ({worst})",
            away[worst],
            "grey levels",
            Goal("at most", 1.0, "grey levels"),
        )
    )
    details = {
        "ms_a_picture": {key: spread(found) for key, found in ours.items()},
        "peer_ms_a_picture": {key: spread(found) for key, found in peer["raw"].items()},
        "mean_difference_grey_levels": {key: round(value, 4) for key, value in away.items()},
        "peer_requirements": _REQUIREMENTS.read_text("utf-8").splitlines()[1:],
    }
    return Outcome(rows, details)


def _rows_of(label: str, ours: Mapping[str, list[float]], theirs: Mapping[str, float]) -> list[Row]:
    """A row for each corruption, and their geometric mean over the fifteen with the goal."""
    mine = {name: statistics.median(ours[f"{label}/{name}"]) for name in NAMES}
    ratios = {name: theirs[f"{label}/{name}"] / mine[name] for name in NAMES}
    rows = [
        Row(
            f"{name}, {label}",
            mine[name],
            "ms",
            peer=theirs[f"{label}/{name}"],
            peer_name="imagecorruptions",
            ratio=ratios[name],
        )
        for name in NAMES
    ]
    mean = {
        who: statistics.geometric_mean(times)
        for who, times in {
            "striate": [mine[name] for name in COMMON],
            "peer": [theirs[f"{label}/{name}"] for name in COMMON],
        }.items()
    }
    ratio = statistics.geometric_mean([ratios[name] for name in COMMON])
    title = f"15 corruptions, {label}, geometric mean"
    goal = Goal("at least", 3.0)
    rows.append(Row(title, mean["striate"], "ms", goal, mean["peer"], "imagecorruptions", ratio))
    return rows


def _our_times(pictures: Mapping[str, Pixels], turns: int) -> dict[str, list[float]]:
    """Milliseconds of a picture, mean over severities; tables and textures are made before."""
    found: dict[str, list[float]] = {}
    for label, some in pictures.items():
        seeds = np.arange(len(some))
        for name in NAMES:
            for severity in SEVERITIES:
                corrupt(some[:1], name, severity, seeds[:1], parameters="imagenet")
            found[f"{label}/{name}"] = [_turn(some, name, seeds) for _ in range(turns)]
    return found


def _turn(pictures: Pixels, name: CorruptionName, seeds: NDArray[np.int64]) -> float:
    began = time.perf_counter()
    for severity in SEVERITIES:
        corrupt(pictures, name, severity, seeds, parameters="imagenet")
    return 1000 * (time.perf_counter() - began) / len(SEVERITIES) / len(pictures)


def _differences(pictures: Mapping[str, Pixels], answers: Path) -> dict[str, float]:
    """Mean absolute difference from the package's answers, the worst severity of each."""
    theirs, one = np.load(answers), np.zeros(1, np.int64)
    found: dict[str, float] = {}
    for label, some in pictures.items():
        for name in FIXED:
            found[f"{name}, {label}"] = max(
                float(
                    np.abs(
                        corrupt(some[:1], name, severity, one, parameters="imagenet")[0].astype(float)
                        - theirs[f"{label}/{name}/{severity}"]
                    ).mean()
                )
                for severity in SEVERITIES
            )
    return found


def _photos(side: int, count: int) -> Pixels:
    """Pieces of scikit-image's astronaut, made `side` × `side`."""
    from skimage import data

    from striate.pictures import fit

    portrait = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image leaves it untyped
    size = min(448, 14 * side)
    corners = [divmod(number, 8) for number in range(count)]
    pieces = [portrait[8 * (row % 8) :, 8 * column :][:size, :size] for row, column in corners]
    return np.stack([fit(piece, (side, side), how="squash").pixels for piece in pieces])
