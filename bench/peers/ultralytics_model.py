"""Write an untrained YOLO11n classifier: `ultralytics_model.py OUT.pt CLASSES`. Nothing is fetched."""

import json
import sys

from ultralytics import YOLO
from ultralytics.nn.tasks import ClassificationModel


def main() -> None:
    out, classes = sys.argv[1], int(sys.argv[2])
    model = YOLO("yolo11n-cls.yaml")
    model.model = ClassificationModel("yolo11n-cls.yaml", nc=classes, verbose=False)
    model.model.task, model.model.args = model.task, dict(model.overrides)
    model.model.names = {number: f"class{number}" for number in range(classes)}
    model.save(out)
    print(json.dumps({"parameters": sum(p.numel() for p in model.model.parameters())}))


if __name__ == "__main__":
    main()
