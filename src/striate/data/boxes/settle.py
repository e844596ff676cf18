"""From what files say to truths: every box is looked at, put right or left out, and told of.

Labels are taken to be drawn on the upright picture, which is what every reader of striate gives.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from striate.data.boxes.gallery import Gallery
from striate.data.boxes.numbers import plain
from striate.data.boxes.said import Said, SaidBox, SaidPicture
from striate.data.boxes.truth import Box, Boxes
from striate.data.dataset import Dataset, Record
from striate.data.naming import ordered
from striate.data.origins import FileOrigin
from striate.errors import PictureError
from striate.types import Problem, SizeHW

__all__ = ["settle"]

Severity: TypeAlias = Literal["error", "warning", "note"]


def settle(said: Said, gallery: Gallery, *, repair: bool) -> Dataset[Boxes]:
    """The records that `said` amounts to.

    With `repair`, flipped boxes are turned, boxes that reach outside are clipped, empty ones and copies
    left out, and extras dropped; without, boxes stay as they were said. Both tell the same problems.
    """
    judge = _Judge(said, gallery, repair)
    records = tuple(judge.records())
    found = ordered(box.label for record in records for box in record.target)
    further = tuple(name for name in found if name not in said.names)
    if said.names and further:
        judge.problems.append(_unlisted(said, further))
    problems = (*said.problems, *judge.problems, *judge.summary())
    return Dataset(records, said.names + further, said.root, said.layout, problems)


def _unlisted(said: Said, further: tuple[str, ...]) -> Problem:
    """Labels that the list of classes lacks; they count as classes."""
    reason = f"not in the list of classes, and added to it: {', '.join(further[:5])}"
    reason += f" and {len(further) - 5} more" if len(further) > 5 else ""
    repair = "add them to the list, or mend their spelling"
    return Problem("class-unlisted", "warning", further[0], reason, repair, others=further[1:])


@dataclass(slots=True)
class _Judge:
    said: Said
    gallery: Gallery
    repair: bool
    problems: list[Problem] = field(default_factory=list)
    from_zero: int = 0

    def records(self) -> Iterator[Record[Boxes]]:
        for picture in self._each_once():
            size_hw = self._size(picture)
            target = tuple(self._boxes(picture, size_hw))
            yield Record(picture.key, FileOrigin(picture.path), target, picture.split)

    def summary(self) -> Iterator[Problem]:
        if self.from_zero:
            reason = (
                f"{self.from_zero} boxes begin at 0, where Pascal VOC counts from 1: the program that "
                "wrote them counted from 0; they are read as VOC, one pixel to the left and up"
            )
            where = os.path.basename(self.said.root)  # noqa: PTH119
            yield Problem("counts-from-zero", "note", where, reason, "nothing: a pixel does not matter")

    def _each_once(self) -> Iterator[SaidPicture]:
        """Pictures; one that is told of twice gets the boxes of both."""
        first: dict[str, SaidPicture] = {}
        for picture in self.said.pictures:
            earlier = first.setdefault(picture.key, picture)
            if earlier is picture:
                continue
            earlier.boxes += picture.boxes
            across = (
                f", in {earlier.split} and in {picture.split}" if picture.split != earlier.split else ""
            )
            reason = f"{picture.key} is listed twice{across}; it was read once, with all its boxes"
            if across:
                reason = f"{picture.key} is listed twice{across}; it was kept in {earlier.split}"
            severity: Severity = "error" if across else "warning"
            repair = "remove one of the two"
            self.problems.append(
                Problem("picture-twice", severity, picture.file, reason, repair, line=picture.line)
            )
        yield from first.values()

    def _size(self, picture: SaidPicture) -> SizeHW | None:
        """The size of the upright picture; the stated one where the file cannot be read."""
        stated = picture.stated_hw
        info = self.gallery.info(picture.key)
        if isinstance(info, PictureError):
            return stated
        if stated is None or stated == info.size_hw or min(stated) <= 0:
            return info.size_hw
        told = f"{picture.key} is said to have {stated[1]} × {stated[0]} pixels; it has "
        told += f"{info.size_hw[1]} × {info.size_hw[0]}"
        kind, repair = "size-differs", "restore the picture that was labelled, or label it again"
        if stated == info.stored_size_hw:
            kind = "size-not-upright"
            told += (
                " once turned upright as its EXIF says: its boxes seem drawn on the picture lying down"
            )
            repair = "turn the pixels upright and label them again, or remove the EXIF orientation"
        self.problems.append(Problem(kind, "warning", picture.file, told, repair, line=picture.line))
        return info.size_hw

    def _boxes(self, picture: SaidPicture, size_hw: SizeHW | None) -> Iterator[Box]:
        seen: set[tuple[str, tuple[float, ...], float]] = set()
        for said in picture.boxes:
            box = self._upright(said)
            if box is not None and size_hw is not None:
                box = self._inside(said, box, size_hw)
            if box is not None:
                mark = (said.label, box, said.angle_deg)
                if mark in seen:
                    reason = f"{said.what} ({said.label}) is there already with the same edges"
                    self._tell("box-duplicate", "warning", said, reason, "remove one of the two")
                    box = None
                seen.add(mark)
            if not self.repair:
                yield _box(said, said.box_xyxy, said.extras)
            elif box is not None:
                yield _box(said, box, ())

    def _upright(self, said: SaidBox) -> tuple[float, float, float, float] | None:
        """The edges in their order, or None for a box without area."""
        x0, y0, x1, y1 = said.box_xyxy
        if x0 == x1 or y0 == y1:
            reason = f"{said.what} ({said.label}) has no area: {self._edges(said)}"
            repair = "draw it again, or remove it; training leaves it out"
            self._tell("box-empty", "error", said, reason, repair)
            return None
        if x0 > x1 or y0 > y1:
            reason = f"{said.what} ({said.label}) is turned inside out: {self._edges(said)}"
            self._tell("box-flipped", "warning", said, reason, "swap the edges; training reads it so")
            one = 1.0 if self.said.counts_from_one else 0.0  # first and last pixel both belong to it
            x0, x1 = (x0, x1) if x0 < x1 else (x1 - one, x0 + one)
            y0, y1 = (y0, y1) if y0 < y1 else (y1 - one, y0 + one)
        return x0, y0, x1, y1

    def _inside(
        self, said: SaidBox, box: tuple[float, float, float, float], size_hw: SizeHW
    ) -> tuple[float, float, float, float] | None:
        """The part of the box in the picture, or None; turned boxes stay if their middle is inside."""
        (x0, y0, x1, y1), (height, width) = box, size_hw
        if said.angle_deg:
            middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
            if 0 <= middle_x <= width and 0 <= middle_y <= height:
                return box
            clipped = (0.0, 0.0, 0.0, 0.0)
        else:
            clipped = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
        if clipped == box:
            return box
        size = f"{width} × {height}"
        if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
            reason = (
                f"{said.what} ({said.label}) lies outside the picture of {size}: {self._edges(said)}"
            )
            self._tell("box-outside", "error", said, reason, "draw it again; training leaves it out")
            return None
        if self.said.counts_from_one and min(x0, y0) >= -1 and x1 <= width and y1 <= height:
            self.from_zero += 1
            return clipped
        reason = f"{said.what} ({said.label}) reaches out of the picture of {size}: {self._edges(said)}"
        self._tell("box-outside", "warning", said, reason, "draw it again; training clips it")
        return clipped

    def _edges(self, said: SaidBox) -> str:
        """The edges as the file tells them."""
        x0, y0, x1, y1 = said.box_xyxy
        one = 1 if self.said.counts_from_one else 0
        left, top = plain(x0 + one), plain(y0 + one)
        right, bottom = plain(x1 + one * (x0 == x1)), plain(y1 + one * (y0 == y1))
        return f"x {left} to {right}, y {top} to {bottom}"

    def _tell(self, kind: str, severity: Severity, said: SaidBox, reason: str, repair: str) -> None:
        self.problems.append(Problem(kind, severity, said.file, reason, repair, line=said.line))


def _box(
    said: SaidBox, box: tuple[float, float, float, float], extras: tuple[tuple[str, str], ...]
) -> Box:
    return Box(said.label, box, said.angle_deg, said.crowd, said.difficult, extras)
