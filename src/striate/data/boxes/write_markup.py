"""Boxes as XML: Pascal VOC, a file a picture, and dlib, a file a split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from striate.data.boxes.dlib import NO_LABEL
from striate.data.boxes.forms import SHORT, Job, Placed, split_word
from striate.data.boxes.numbers import EXACT, plain
from striate.data.boxes.truth import Box
from striate.data.boxes.voc import INCLUSIVE
from striate.types import Split

__all__ = ["write_dlib", "write_voc"]

TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
VOC_OWN = frozenset({"name", "bndbox", "difficult", "crowd", "pose", "truncated"})
DLIB_ATTRIBUTES = ("truncated", "occluded", "pose", "detection_score", "gender", "age")
DLIB_FILES: dict[Split | None, str] = {
    "train": "training.xml",
    "validation": "validation.xml",
    "test": "testing.xml",
    None: "boxes.xml",
}


def write_voc(job: Job) -> None:
    """Annotations, JPEGImages, ImageSets/Main if there are splits, and classes.txt."""
    for picture in job.pictures:
        job.put(picture, f"JPEGImages/{picture.name}")
        job.save(f"Annotations/{picture.stem}.xml", "\n".join(_voc_file(job, picture)) + "\n")
    for split, pictures in job.by_split().items():
        if word := split_word(job, split):
            listed = "".join(f"{picture.stem}\n" for picture in pictures)
            job.save(f"ImageSets/Main/{word}.txt", listed)
    job.save("classes.txt", "".join(f"{name}\n" for name in job.names))


def _voc_file(job: Job, picture: Placed) -> Iterator[str]:
    height, width = picture.size_hw
    yield "<annotation>"
    yield "  <folder>JPEGImages</folder>"
    yield f"  <filename>{escape(picture.name)}</filename>"
    yield f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    yield "  <segmented>0</segmented>"
    for box in picture.boxes:
        yield "  <object>"
        yield f"    <name>{escape(box.label)}</name>"
        extras = dict(box.extras)
        yield f"    <pose>{escape(extras.get('pose', 'Unspecified'))}</pose>"
        yield f"    <truncated>{escape(extras.get('truncated', '0'))}</truncated>"
        yield f"    <difficult>{int(box.difficult)}</difficult>"
        if box.crowd:
            yield "    <crowd>1</crowd>"
        for name, text in box.extras:
            if name in VOC_OWN:
                continue
            if TAG.fullmatch(name) and _holds(text):
                yield f"    <{name}>{escape(text)}</{name}>"
            else:
                job.leave("extras")
        yield f"    <bndbox>{_bndbox(box)}</bndbox>"
        yield "  </object>"
    yield "</annotation>"


def _bndbox(box: Box) -> str:
    x0, y0, x1, y1 = (Decimal(repr(value)) for value in box.box_xyxy)
    left, top = EXACT.add(x0, Decimal(1)), EXACT.add(y0, Decimal(1))
    inclusive = (left == x1 and x0 != x1) or (top == y1 and y0 != y1)
    # as read: a box without width is from a pixel to itself, unless one that is a pixel wide is meant
    right = left if x0 == x1 and not inclusive else x1
    bottom = top if y0 == y1 and not inclusive else y1
    sides = zip(("xmin", "ymin", "xmax", "ymax"), (left, top, right, bottom), strict=True)
    text = "".join(f"<{name}>{plain(value)}</{name}>" for name, value in sides)
    return text + (f"<{INCLUSIVE}>1</{INCLUSIVE}>" if inclusive else "")


def _holds(text: str) -> bool:
    """Whether XML gives `text` back as it is."""
    return bool(text) and text.isprintable() and text == text.strip()


def write_dlib(job: Job) -> None:
    """training.xml, validation.xml, testing.xml, or boxes.xml without splits; images and classes.txt."""
    for split, pictures in job.by_split().items():
        word = split_word(job, split)
        folder = f"images/{SHORT[split]}" if word else "images"
        for picture in pictures:
            job.put(picture, f"{folder}/{picture.name}")
        text = "\n".join(_dlib_file(job, pictures, folder)) + "\n"
        job.save(DLIB_FILES[split], text)
    job.save("classes.txt", "".join(f"{name}\n" for name in job.names))


def _dlib_file(job: Job, pictures: list[Placed], folder: str) -> Iterator[str]:
    yield "<?xml version='1.0' encoding='UTF-8'?>"
    yield "<dataset>"
    yield "<name>written by striate</name>"
    yield "<images>"
    for picture in pictures:
        height, width = picture.size_hw
        name = quoteattr(f"{folder}/{picture.name}")
        yield f"  <image file={name} width='{width}' height='{height}'>"
        for box in picture.boxes:
            yield from _dlib_box(job, box)
        yield "  </image>"
    yield "</images>"
    yield "</dataset>"


def _dlib_box(job: Job, box: Box) -> Iterator[str]:
    x0, y0, x1, y1 = (Decimal(repr(value)) for value in box.box_xyxy)
    width, height = EXACT.subtract(x1, x0), EXACT.subtract(y1, y0)
    places = zip(("top", "left", "width", "height"), (y0, x0, width, height), strict=True)
    words = [f"{name}='{plain(value)}'" for name, value in places]
    words += ["ignore='1'"] if box.crowd else []
    words += ["difficult='1'"] if box.difficult else []
    inside = [] if box.label == NO_LABEL else [f"<label>{escape(box.label)}</label>"]
    for name, text in box.extras:
        if name.startswith("part ") and len(text.split()) == 2 and _holds(name):
            x, y = text.split()
            part = quoteattr(name.removeprefix("part "))
            inside.append(f"<part name={part} x={quoteattr(x)} y={quoteattr(y)}/>")
        elif name in DLIB_ATTRIBUTES and text.isprintable():
            words.append(f"{name}={quoteattr(text)}")
        else:
            job.leave("extras")
    opened = f"    <box {' '.join(words)}"
    yield f"{opened}>{''.join(inside)}</box>" if inside else f"{opened}/>"
