"""Export the untrained YOLO detector that costs as much as ours: nothing is fetched.

    ultralytics_detector.py FOLDER MULTIPLY_ADDS HEIGHT WIDTH CLASSES

Of some architectures and input sizes of about that shape, in multiples of 32, the one whose
multiply-adds are nearest; among those within 3 %, the one whose input is nearest to HEIGHT×WIDTH.
"""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode
from ultralytics import YOLO
from ultralytics.nn.tasks import DetectionModel

NAMES = ("yolo11n", "yolov8n", "yolo11s", "yolov8s", "yolo11m", "yolov8m")
PROBE = 320
LIKE = 0.03


def build(name: str, classes: int) -> DetectionModel:
    torch.manual_seed(0)
    return DetectionModel(f"{name}.yaml", nc=classes, verbose=False).eval()


def multiply_adds(network: torch.nn.Module, height: int, width: int) -> int:
    """As torch counts them: two operations are one multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, height, width))
    return counter.get_total_flops() // 2


def candidates(
    wanted: int, height: int, width: int, classes: int
) -> Iterator[tuple[float, float, str, int, int]]:
    """(distance in cost, distance in area, name, height, width); cost goes with the area."""
    for name in NAMES:
        a_pixel = multiply_adds(build(name, classes), PROBE, PROBE) / PROBE**2
        for high in range(128, 1281, 32):
            wide = max(32, round(high * width / height / 32) * 32)
            cost = abs(math.log(a_pixel * high * wide / wanted))
            yield cost, abs(math.log(high * wide / (height * width))), name, high, wide


def main() -> None:
    folder = Path(sys.argv[1])
    wanted, height, width, classes = (int(word) for word in sys.argv[2:6])
    found = list(candidates(wanted, height, width, classes))
    like = [one for one in found if one[0] <= LIKE]
    nearest = min(like, key=lambda one: one[1]) if like else min(found)
    _, _, name, high, wide = nearest
    folder.mkdir(parents=True, exist_ok=True)
    network = build(name, classes)
    cost = multiply_adds(network, high, wide)
    model = YOLO(f"{name}.yaml")
    model.model = network
    network.task, network.args = model.task, dict(model.overrides)
    network.names = {number: f"class{number}" for number in range(classes)}
    model.save(folder / f"{name}.pt")
    exported = YOLO(folder / f"{name}.pt").export(format="onnx", imgsz=(high, wide), verbose=False)
    answer = {"path": str(exported), "name": name, "size_hw": [high, wide], "multiply_adds": cost}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
