"""The same picture through bare ONNX Runtime: `predict_bare.py GRAPH PICTURE CALLS SIDE FIT DECODE`.

DECODE is "striate" for striate's own reader and resize, which honour EXIF, colour profiles and limits,
or "pillow" for the three lines that one would write instead.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
from PIL import Image

from striate.pictures import Fit, fit, read


def through_striate(side: int, how: Fit) -> Callable[[Path], Any]:
    return lambda path: fit(read(path, at_least_hw=(side, side)), (side, side), how=how).pixels


def through_pillow(side: int) -> Callable[[Path], Any]:
    def decode(path: Path) -> Any:
        image = Image.open(path)
        image.draft("RGB", (side, side))
        return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))

    return decode


def main() -> None:
    graph, picture, calls, side = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    how = cast(Fit, sys.argv[5])
    decode = through_striate(side, how) if sys.argv[6] == "striate" else through_pillow(side)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def predict() -> Any:
        return session.run(["probabilities"], {name: decode(picture)[None]})[0][0]

    for _ in range(20):
        predict()
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        probabilities = predict()
        int(probabilities.argmax())
        times.append(time.perf_counter() - began)
    print(json.dumps({"times_s": times, "scores": probabilities.tolist()}))


if __name__ == "__main__":
    main()
