"""Which filters lie on the picture, and which on maps of the same number."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.explain.feature_maps import filters_of
from striate.explain.inside import Inside


def test_filters_on_the_picture_and_on_maps(made: Any, rng: np.random.Generator) -> None:
    def planes(count: int, each: int) -> Any:
        return [rng.normal(size=(count, each, 3, 3)).astype(np.float32)]

    steps: list[Any] = [
        ("Mul", {"weights": [np.float32(1 / 255)]}),  # normalisation leaves a picture
        ("Conv", {"weights": planes(3, 3), "name": "/net/stem/Conv"}),
        ("Relu", {"name": "/net/act/Relu"}),
        ("Conv", {"weights": planes(3, 1), "group": 3, "name": "/net/deep/Conv"}),  # depthwise
        ("Conv", {"weights": planes(2, 3), "name": "/net/three/Conv"}),  # on three maps
    ]
    data = made.graph_of(steps, (12, 10))
    found = filters_of(data, Inside(data, threads=1))
    assert [(one.layer.name, one.sees_picture) for one in found] == [
        ("stem", True),
        ("deep", False),
        ("t4", False),
    ]
