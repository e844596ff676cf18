"""Boxes as lines of text, a file a picture: YOLO, YOLO with corners, DOTA.

Shares and corners are written with as few digits as bring back the same edges; shares with at least six.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext

from striate.data.boxes.corners import (
    DIGITS,
    QUAD,
    Place,
    corners_to_turned,
    shares_to_turned,
    turned_to_corners,
)
from striate.data.boxes.forms import SHORT, Job, Placed, split_word
from striate.data.boxes.numbers import plain, read_number
from striate.data.boxes.sources import UNSPLIT
from striate.data.boxes.truth import Box
from striate.data.boxes.yolo import shares_to_xyxy
from striate.errors import LabelError
from striate.types import SizeHW

__all__ = ["write_dota", "write_yolo", "write_yolo_obb"]

PLACES = (*range(9), 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 36, 40, 48)
LEAST_SHARE_PLACES = 6


def write_yolo(job: Job) -> None:
    """data.yaml, images/train, labels/train and so on; class, middle, width and height a line."""
    _write(job, turned=False)


def write_yolo_obb(job: Job) -> None:
    """As `write_yolo`, with four corners a line."""
    _write(job, turned=True)


def _write(job: Job, *, turned: bool) -> None:
    numbers = {name: i for i, name in enumerate(job.names)}
    described = []
    for split, pictures in job.by_split().items():
        word = split_word(job, split)
        inside = f"/{word}" if word else ""
        described.append(f"{SHORT[split] if split else UNSPLIT}: images{inside}")
        for picture in pictures:
            job.put(picture, f"images{inside}/{picture.name}")
            place = _corner_shares if turned else _shares
            rows = [
                f"{numbers[box.label]} {' '.join(place(box, picture.size_hw))}\n"
                for box in picture.boxes
            ]
            job.save(f"labels{inside}/{picture.stem}.txt", "".join(rows))
    named = [f"  {i}: {json.dumps(name, ensure_ascii=False)}" for i, name in enumerate(job.names)]
    job.save("data.yaml", "\n".join([*described, "names:", *named]) + "\n")


def write_dota(job: Job) -> None:
    """images and labelTxt, in a folder for each split; the corners in pixels, category, difficult."""
    for split, pictures in job.by_split().items():
        word = split_word(job, split)
        above = f"{word}/" if word else ""
        for picture in pictures:
            job.put(picture, f"{above}images/{picture.name}")
            job.save(f"{above}labelTxt/{picture.stem}.txt", "".join(_dota_rows(picture)))
    job.save("classes.txt", "".join(f"{name}\n" for name in job.names))


def _dota_rows(picture: Placed) -> Iterator[str]:
    for box in picture.boxes:
        words = _pixel_corners(box)
        yield f"{' '.join(words)} {box.label} {int(box.difficult)}\n"


# -- numbers that read the same ------------------------------------------------------------------------


def _shares(box: Box, size_hw: SizeHW) -> list[str]:
    with localcontext(prec=DIGITS):
        height, width = (Decimal(value) for value in size_hw)
        x0, y0, x1, y1 = (Decimal(repr(value)) for value in box.box_xyxy)
        exact = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
        for places in PLACES[LEAST_SHARE_PLACES:]:
            words = _rounded(exact, places)
            if shares_to_xyxy(_read(words), size_hw) == box.box_xyxy:
                return words
    raise _inexact(box)


def _corner_shares(box: Box, size_hw: SizeHW) -> list[str]:
    with localcontext(prec=DIGITS):
        scales = [Decimal(size_hw[1]), Decimal(size_hw[0])] * 4
        exact = [value / scale for value, scale in zip(_exact_corners(box), scales, strict=True)]
        for places in PLACES[LEAST_SHARE_PLACES:]:
            words = _rounded(exact, places)
            if _same(box, shares_to_turned(_read(words), size_hw)):
                return words
    raise _inexact(box)


def _pixel_corners(box: Box) -> list[str]:
    exact = _exact_corners(box)
    with localcontext(prec=DIGITS):  # a minute box needs more places than decimal has by default
        for places in PLACES:
            words = _rounded(exact, places)
            if _same(box, corners_to_turned(_read(words))):
                return (
                    [plain(Decimal(word)) for word in words] if places <= LEAST_SHARE_PLACES else words
                )
    raise _inexact(box)


def _read(words: Sequence[str]) -> list[Decimal]:
    return [read_number(word) for word in words]


def _inexact(box: Box) -> LabelError:
    return LabelError(
        f"a box of {box.label!r} cannot be written so that it reads the same: {box.box_xyxy} px, "
        f"turned by {box.angle_deg}°",
        expected="numbers of 1e-18 or more, or 0",
        remedy="round them to the digits that mean something",
    )


def _exact_corners(box: Box) -> list[Decimal]:
    quad = _quad(box)
    if quad:
        return quad
    return [value for point in turned_to_corners(box.box_xyxy, box.angle_deg) for value in point]


def _quad(box: Box) -> list[Decimal]:
    """The corners that were read, if they still are those of the box."""
    text = dict(box.extras).get(QUAD, "")
    try:
        numbers = [Decimal(word) for word in text.split()]
    except ArithmeticError:
        return []
    if len(numbers) != 8:
        return []
    edges, angle, _ = corners_to_turned(numbers)
    return numbers if (edges, angle) == (box.box_xyxy, box.angle_deg) else []


def _same(box: Box, place: Place) -> bool:
    edges, angle, extras = place
    if quad := dict(extras).get(QUAD):
        return quad == dict(box.extras).get(QUAD) and (edges, angle) == (box.box_xyxy, box.angle_deg)
    x0, y0, x1, y1 = edges
    point = x0 == x1 and y0 == y1  # it has no direction
    return edges == box.box_xyxy and (point or angle == box.angle_deg)


def _rounded(exact: Sequence[Decimal], places: int) -> list[str]:
    unit = Decimal(1).scaleb(-places)
    return [format(value.quantize(unit), "f") for value in exact]
