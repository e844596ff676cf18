"""Small data sets of boxes on disk, in every layout, for the tests of readers and writers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from striate.data.boxes.truth import Box, Boxes
from striate.data.dataset import Dataset, Record
from striate.data.origins import FileOrigin
from striate.types import SizeHW, Split

SIZE_HW: SizeHW = (30, 40)


def picture(path: Path, size_hw: SizeHW = SIZE_HW, *, exif: int | None = None) -> Path:
    """A picture file with noise that depends on its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.name.encode()))
    image = Image.fromarray(rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8))
    if exif is None:
        image.save(path)
    else:
        tags = Image.Exif()
        tags[0x0112] = exif
        image.save(path, exif=tags)
    return path


def text(path: Path, content: str | bytes) -> Path:
    """A file with `content`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def coco(
    root: Path,
    annotations: list[dict[str, Any]],
    *,
    images: list[dict[str, Any]] | None = None,
    categories: list[dict[str, Any]] | None = None,
    name: str = "annotations/instances_train.json",
    indent: int | None = 1,
) -> Path:
    """A COCO file about pictures 1 (a.png) and 2 (b.png), classes 1 (cat) and 2 (dog)."""
    usual = [
        {"id": number, "file_name": file, "height": 30, "width": 40}
        for number, file in ((1, "a.png"), (2, "b.png"))
    ]
    document = {
        "images": usual if images is None else images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
        if categories is None
        else categories,
    }
    for file in ("a.png", "b.png"):
        picture(root / "train" / file)
    return text(root / name, json.dumps(document, indent=indent))


def annotation(number: int, bbox: Any, **further: Any) -> dict[str, Any]:
    """An annotation of picture 1, class 1."""
    return {"id": number, "image_id": 1, "category_id": 1, "bbox": bbox, "iscrowd": 0} | further


def voc(path: Path, *objects: str, size_hw: SizeHW = SIZE_HW, filename: str = "") -> Path:
    """A VOC file with `objects` as they are."""
    size = f"<size><width>{size_hw[1]}</width><height>{size_hw[0]}</height><depth>3</depth></size>"
    head = f"<filename>{filename or path.stem + '.png'}</filename>\n{size}\n"
    return text(path, f"<annotation>\n{head}" + "\n".join(objects) + "\n</annotation>\n")


def voc_object(name: str, xmin: object, ymin: object, xmax: object, ymax: object, more: str = "") -> str:
    """An <object> on one line."""
    sides = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    return f"<object><name>{name}</name>{more}<bndbox>{sides}</bndbox></object>"


def made(
    root: Path,
    boxes: dict[str, tuple[Box, ...]],
    *,
    names: tuple[str, ...] = (),
    splits: dict[str, Split | None] | None = None,
    size_hw: SizeHW = SIZE_HW,
) -> Dataset[tuple[Box, ...]]:
    """A data set of picture files with these boxes."""
    records = []
    for key, target in boxes.items():
        path = root / key
        if not path.exists():
            picture(path, size_hw)
        split = (splits or {}).get(key)
        records.append(Record(key, FileOrigin(path), target, split))
    found = sorted({box.label for target in boxes.values() for box in target})
    return Dataset(tuple(records), names or tuple(found), str(root), "made for a test")


def seen(dataset: Dataset[tuple[Box, ...]], *, flags: bool = False) -> dict[str, Any]:
    """What a round trip must keep, by the picture's name: split, and of each box label, edges, angle."""
    return {
        Path(record.key).stem: (
            record.split,
            [
                (box.label, box.box_xyxy, box.angle_deg, *((box.crowd, box.difficult) if flags else ()))
                for box in record.target
            ],
        )
        for record in dataset
    }


def only_problem(dataset: Dataset[Boxes], kind: str) -> tuple[str, int | None, str]:
    assert [problem.kind for problem in dataset.problems] == [kind]
    problem = dataset.problems[0]
    assert problem.repair
    return problem.key, problem.line, problem.reason
