"""What each format can carry, and where its writer puts things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from striate.data.boxes.truth import Boxes
from striate.data.dataset import Origin
from striate.types import SizeHW, Split

__all__ = ["FORMS", "SHORT", "Form", "Job", "Placed", "Shape", "split_word"]

Form = Literal["coco", "yolo", "voc", "csv", "dlib", "yolo-obb", "dota"]

SHORT: Mapping[Split | None, str] = MappingProxyType(
    {"train": "train", "validation": "val", "test": "test", None: "unsplit"}
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a format carries. `plain_names`: a class name must fit on a line of text, or into XML."""

    angles: bool = False
    crowd: bool = False
    difficult: bool = False
    extras: bool = False
    plain_names: bool = True


FORMS: Mapping[Form, Shape] = MappingProxyType(
    {
        "coco": Shape(crowd=True, difficult=True, extras=True, plain_names=False),
        "yolo": Shape(plain_names=False),
        "voc": Shape(crowd=True, difficult=True, extras=True),
        "csv": Shape(angles=True, crowd=True, difficult=True, extras=True, plain_names=False),
        "dlib": Shape(crowd=True, difficult=True, extras=True),
        "yolo-obb": Shape(angles=True, plain_names=False),
        "dota": Shape(angles=True, difficult=True),
    }
)
"""The formats that can be written."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture and where it goes: `name` is its new file name, `place` its path in the new folder."""

    origin: Origin
    key: str
    name: str
    size_hw: SizeHW
    split: Split | None
    boxes: Boxes

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.name.rsplit(".", 1)[0]


@dataclass(slots=True)
class Job:
    """What a writer is given: a folder to fill, the pictures in order, the classes in theirs.

    `put(picture, path)` puts the picture at that path in the folder. Extras that do not fit are counted
    in `left`.
    """

    folder: Path
    pictures: Sequence[Placed]
    names: tuple[str, ...]
    put: Callable[[Placed, str], None]
    left: dict[str, int] = field(default_factory=dict)

    def save(self, path: str, text: str) -> None:
        """Write `text` to `path` in the folder, in UTF-8, with \\n as line end."""
        whole = self.folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(text.encode("utf-8"))

    def by_split(self) -> dict[Split | None, list[Placed]]:
        """The pictures of each split that occurs, in the order train, validation, test, none."""
        order: tuple[Split | None, ...] = ("train", "validation", "test", None)
        found = {split: [one for one in self.pictures if one.split == split] for split in order}
        return {split: group for split, group in found.items() if group}

    def leave(self, what: str) -> None:
        """Count something that the format cannot hold."""
        self.left[what] = self.left.get(what, 0) + 1


def split_word(job: Job, split: Split | None) -> str:
    """The word for a split; "" for none where no picture is in any."""
    return "" if split is None and all(one.split is None for one in job.pictures) else SHORT[split]
