"""Latency of a loaded detector, file after file: `detect_one.py RUN BACKEND CALLS PICTURE…`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import striate


def main() -> None:
    run, backend, calls, pictures = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    model = striate.load(run, backend="openvino" if backend == "openvino" else "onnxruntime")
    for number in range(10):
        model.predict(pictures[number % len(pictures)])
    times, found = [], 0
    for number in range(calls):
        began = time.perf_counter()
        answer: Any = model.predict(pictures[number % len(pictures)])
        times.append(time.perf_counter() - began)
        found += len(answer)
    print(json.dumps({"times_s": times, "detections": found / calls}))


if __name__ == "__main__":
    main()
