"""The versions of this environment, as JSON."""

import json
import platform
from importlib import metadata

NAMES = (
    "fastai",
    "ultralytics",
    "torch",
    "torchvision",
    "onnxruntime",
    "numpy",
    "pillow",
    "opencv-python",
)


def main() -> None:
    found = {"python": platform.python_version()}
    for name in NAMES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    print(json.dumps(found))


if __name__ == "__main__":
    main()
