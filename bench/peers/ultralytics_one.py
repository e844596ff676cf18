"""Latency of an exported YOLO detector: `ultralytics_one.py MODEL.onnx HEIGHT WIDTH CALLS PICTURE…`."""

import json
import sys
import time

from ultralytics import YOLO


def main() -> None:
    path, height, width, calls = sys.argv[1], *(int(word) for word in sys.argv[2:5])
    pictures = sys.argv[5:]
    model = YOLO(path, task="detect")
    size = (height, width)
    for number in range(10):
        model(pictures[number % len(pictures)], imgsz=size, verbose=False)
    times, found = [], 0
    for number in range(calls):
        began = time.perf_counter()
        answer = model(pictures[number % len(pictures)], imgsz=size, verbose=False)
        times.append(time.perf_counter() - began)
        found += len(answer[0].boxes)
    print(json.dumps({"times_s": times, "detections": found / calls}))


if __name__ == "__main__":
    main()
