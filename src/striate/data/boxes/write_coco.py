"""Boxes as COCO JSON: annotations/instances_train.json and so on, pictures in train/ …"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from striate.data.boxes.coco import EXACT_BOX
from striate.data.boxes.forms import SHORT, Job, Placed
from striate.data.boxes.numbers import EXACT, float_sum
from striate.data.boxes.truth import Box

__all__ = ["write_coco"]

OWN = frozenset({"id", "image_id", "category_id", "bbox", "iscrowd", "difficult", EXACT_BOX})


def write_coco(job: Job) -> None:
    """A file a split; pictures in no split are `instances_default.json`."""
    categories = [{"id": i, "name": name, "supercategory": ""} for i, name in enumerate(job.names, 1)]
    numbers = {name: i for i, name in enumerate(job.names, 1)}
    for split, pictures in job.by_split().items():
        word = "default" if split is None else SHORT[split]
        annotations: list[dict[str, Any]] = []
        for picture_id, picture in enumerate(pictures, 1):
            job.put(picture, f"{word}/{picture.name}")
            for box in picture.boxes:
                annotations.append(_annotation(len(annotations) + 1, picture_id, numbers, box))
        document = {
            "info": {"description": "written by striate"},
            "images": [_image(number, one) for number, one in enumerate(pictures, 1)],
            "annotations": annotations,
            "categories": categories,
        }
        job.save(f"annotations/instances_{word}.json", _lines(document))


def _image(number: int, picture: Placed) -> dict[str, Any]:
    height, width = picture.size_hw
    return {"id": number, "file_name": picture.name, "width": width, "height": height}


def _annotation(number: int, picture_id: int, category_ids: dict[str, int], box: Box) -> dict[str, Any]:
    x0, y0, x1, y1 = box.box_xyxy
    width, height = _extent(x0, x1), _extent(y0, y1)
    found: dict[str, Any] = {
        "id": number,
        "image_id": picture_id,
        "category_id": category_ids[box.label],
        "bbox": [_short(value) for value in (x0, y0, width, height)],
        "area": _short(width * height),
        "iscrowd": int(box.crowd),
        "segmentation": [],
    }
    if box.difficult:
        found["difficult"] = 1
    if float_sum(_decimal(x0), _decimal(width)) != x1 or float_sum(_decimal(y0), _decimal(height)) != y1:
        found[EXACT_BOX] = [_short(value) for value in box.box_xyxy]
    found.update({name: _value(text) for name, text in box.extras if name not in OWN})
    return found


def _extent(low: float, high: float) -> float:
    return float(EXACT.subtract(_decimal(high), _decimal(low)))


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _short(value: float) -> float | int:
    """A whole number without its .0, as most files have it."""
    return int(value) if value == int(value) else value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _lines(document: dict[str, Any]) -> str:
    """JSON with a line for each picture, box and class, so that a line number finds it."""
    parts = []
    for name, value in document.items():
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(one, ensure_ascii=False) for one in value)
            parts.append(f"{json.dumps(name)}: [\n{rows}\n]" if rows else f"{json.dumps(name)}: []")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
