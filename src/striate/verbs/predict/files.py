"""Detections as files that other tools read: COCO JSON, YOLO text, CSV; and pictures with them drawn."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from striate.ops.boxes import xyxy_to_cxcywh, xyxy_to_xywh
from striate.ops.rotated import rotated_to_corners
from striate.pictures.read import MAX_PIXELS, probe, read
from striate.pictures.resize import resize
from striate.pictures.write import write
from striate.runs.atomic import write_text
from striate.tasks.detect.render import render_detections
from striate.tasks.detect.types import Detections
from striate.types import Picture, SizeHW
from striate.verbs.predict.choice import Choice, detections_of
from striate.verbs.predict.outputs import FreeNames, shown_path

if TYPE_CHECKING:
    from striate.verbs.model import Answer

__all__ = [
    "CocoFile",
    "CsvDetections",
    "DrawnDetections",
    "YoloFolder",
    "picture_of",
]


def picture_of(answer: Answer) -> Picture:
    """The picture that was asked about, at full size."""
    return read(answer.path, max_pixels=2**40)


class CocoFile:
    """A COCO data set in one JSON file, each annotation with its `score`.

    Its list `annotations` is what COCO calls a results list. Pictures in which nothing was found are
    there too; those that could not be read are not. Turned boxes have an `angle`, degrees clockwise,
    and their corners as `segmentation`.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._path, self._names = path, names
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, answer: Answer) -> None:
        found = detections_of(answer)
        if found is None:
            return
        number = len(self._images) + 1
        height, width = probe(answer.path).size_hw
        self._images.append(
            {"id": number, "file_name": shown_path(answer.path), "width": width, "height": height}
        )
        boxes = xyxy_to_xywh(found.boxes_xyxy.astype(np.float64)).round(3).tolist()
        corners = (
            None if found.angles_deg is None else rotated_to_corners(found.boxes_xyxy, found.angles_deg)
        )
        for row, box in enumerate(boxes):
            one: dict[str, Any] = {
                "id": len(self._annotations) + 1,
                "image_id": number,
                "category_id": int(found.labels[row]) + 1,
                "bbox": box,
                "area": round(box[2] * box[3], 3),
                "iscrowd": 0,
                "score": round(float(found.scores[row]), 6),
            }
            if found.angles_deg is not None and corners is not None:
                one["angle"] = round(float(found.angles_deg[row]), 3)
                one["segmentation"] = [corners[row].round(3).ravel().tolist()]
            self._annotations.append(one)

    def close(self) -> None:
        categories = [{"id": row + 1, "name": name} for row, name in enumerate(self._names)]
        whole = {
            "info": {"description": "written by striate predict"},
            "images": self._images,
            "categories": categories,
            "annotations": self._annotations,
        }
        write_text(self._path, json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n")


class YoloFolder:
    """`labels/NAME.txt`, a line an object: class, middle, width, height as shares of the picture, score;
    of turned boxes class, the four corners, score. `data.yaml` has the names of the classes."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names = folder, names
        self._free = FreeNames()

    def add(self, answer: Answer) -> None:
        found = detections_of(answer)
        if found is not None:
            lines = yolo_lines(found, probe(answer.path).size_hw)
            write_text(self._folder / "labels" / self._free.free(answer.path, ".txt"), "".join(lines))

    def close(self) -> None:
        names = [f"  {row}: {json.dumps(name)}\n" for row, name in enumerate(self._names)]
        write_text(self._folder / "data.yaml", "names:\n" + "".join(names))


def yolo_lines(found: Detections, size_hw: SizeHW) -> list[str]:
    """A line for each detection, best first."""
    height, width = size_hw
    boxes = found.boxes_xyxy.astype(np.float64)
    if found.angles_deg is None:
        places = xyxy_to_cxcywh(boxes) / [width, height, width, height]
    else:
        places = rotated_to_corners(boxes, found.angles_deg).reshape(-1, 8)
        places = places / ([width, height] * 4)
    rows = zip(found.labels.tolist(), places.tolist(), found.scores.tolist(), strict=True)
    return [
        f"{label} {' '.join(f'{one:.6f}' for one in (*place, score))}\n" for label, place, score in rows
    ]


class CsvDetections:
    """A CSV file with a row for each detection, and one without a box for a picture that has none or
    could not be read. It appears under its name when it is closed."""

    def __init__(self, path: Path, *, turned: bool = False) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._columns = ["path", "label", "score", "left", "top", "right", "bottom"]
        self._columns += ["angle_deg"] if turned else []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = self._beside.open("x", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, [*self._columns, "error"], restval="")
        self._writer.writeheader()

    def add(self, answer: Answer) -> None:
        found, path = detections_of(answer), shown_path(answer.path)
        if found is None:
            self._writer.writerow({"path": path, "error": str(answer.error)})
            return
        rows = found.to_dict()["detections"]
        for row in rows:
            ends = dict(zip(("left", "top", "right", "bottom"), row.pop("box_xyxy"), strict=True))
            self._writer.writerow({"path": path, **row, **ends})
        if not rows:
            self._writer.writerow({"path": path})

    def close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._beside.replace(self._path)


def _readable(picture: Picture, found: Detections) -> tuple[Picture, Detections]:
    """Both, scaled down where the picture is larger than any that is read again without asking."""
    scale = (MAX_PIXELS / (picture.shape[0] * picture.shape[1])) ** 0.5
    if scale >= 1:
        return picture, found
    size_hw = max(1, int(picture.shape[0] * scale)), max(1, int(picture.shape[1] * scale))
    factor = np.tile([size_hw[1] / picture.shape[1], size_hw[0] / picture.shape[0]], 2)
    boxes = (found.boxes_xyxy * factor).astype(np.float32)
    return resize(picture, size_hw), replace(found, boxes_xyxy=boxes)


class DrawnDetections:
    """Copies of the pictures with what is shown of their detections, in a folder of their own."""

    def __init__(self, folder: Path, choice: Choice, *, overwrite: bool = False) -> None:
        self._folder, self._choice, self._overwrite = folder, choice, overwrite
        self._free = FreeNames()
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, answer: Answer) -> None:
        found = detections_of(answer)
        if found is None:
            return
        jpeg = Path(os.fsdecode(answer.path)).suffix.lower() in (".jpg", ".jpeg")
        name = self._free.free(answer.path, ".jpg" if jpeg else ".png")
        picture, shown = _readable(picture_of(answer), self._choice.shown(found))
        write(render_detections(picture, shown), self._folder / name, overwrite=self._overwrite)

    def close(self) -> None:
        """Every picture was written at once."""
