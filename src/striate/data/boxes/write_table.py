"""Boxes as one table: boxes.csv, classes.csv and images."""

from __future__ import annotations

import csv
import io
import json

from striate.data.boxes.forms import SHORT, Job, split_word
from striate.data.boxes.numbers import plain
from striate.data.boxes.table import CLASSES, EXTRAS
from striate.data.boxes.truth import Box

__all__ = ["write_table"]


def write_table(job: Job) -> None:
    """A row a box; a picture without objects has one without numbers. Unused columns are left out."""
    boxes = [box for picture in job.pictures for box in picture.boxes]
    columns = ["path", "xmin", "ymin", "xmax", "ymax", "label"]
    further = {
        "split": any(picture.split for picture in job.pictures),
        "angle": any(box.angle_deg for box in boxes),
        "crowd": any(box.crowd for box in boxes),
        "difficult": any(box.difficult for box in boxes),
        EXTRAS: any(box.extras for box in boxes),
    }
    columns += [name for name, wanted in further.items() if wanted]
    rows = []
    for picture in job.pictures:
        word = split_word(job, picture.split)
        path = f"images/{word}/{picture.name}" if word else f"images/{picture.name}"
        job.put(picture, path)
        place = {"path": path, "split": SHORT[picture.split] if picture.split else ""}
        rows += [place | _cells(box) for box in picture.boxes] or [place]
    job.save("boxes.csv", _table(columns, [[row.get(name, "") for name in columns] for row in rows]))
    numbered = [[name, str(number)] for number, name in enumerate(job.names)]
    job.save(CLASSES, _table([], numbered))


def _cells(box: Box) -> dict[str, str]:
    x0, y0, x1, y1 = (plain(value) for value in box.box_xyxy)
    return {
        "xmin": x0,
        "ymin": y0,
        "xmax": x1,
        "ymax": y1,
        "label": box.label,
        "angle": plain(box.angle_deg) if box.angle_deg else "",
        "crowd": "1" if box.crowd else "",
        "difficult": "1" if box.difficult else "",
        EXTRAS: json.dumps(dict(box.extras), ensure_ascii=False) if box.extras else "",
    }


def _table(header: list[str], rows: list[list[str]]) -> str:
    buffer = io.StringIO(newline="")
    plainly = csv.writer(buffer, lineterminator="\n")
    safely = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    if header:
        plainly.writerow(header)
    for row in rows:
        # a row that begins like a comment is one, unless it begins with a quotation mark
        (safely if row[0].startswith(("#", "//")) else plainly).writerow(row)
    return buffer.getvalue()
