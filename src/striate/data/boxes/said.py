"""What annotation files say, before it is judged or mended; each statement with its file and line."""

from __future__ import annotations

from dataclasses import dataclass, field

from striate.types import Problem, SizeHW, Split

__all__ = ["Said", "SaidBox", "SaidPicture", "broken"]

LEAST = 1e-18
"""No edge in pixels and no angle in degrees below this was ever measured: it is read as 0, so that all
that was read can be written as corners, and reads the same."""


@dataclass(slots=True)
class SaidBox:
    """One object as a file tells it: edges in pixels, perhaps flipped, empty or outside.

    `file`, `line`: where it is told. `what`: words that find it there, such as "annotation 17".
    """

    label: str
    box_xyxy: tuple[float, float, float, float]
    file: str
    line: int | None
    what: str = "the box"
    angle_deg: float = 0.0
    crowd: bool = False
    difficult: bool = False
    extras: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = map(_measured, self.box_xyxy)
        self.box_xyxy, self.angle_deg = (x0, y0, x1, y1), _measured(self.angle_deg)


def _measured(value: float) -> float:
    return value if abs(value) >= LEAST else 0.0


@dataclass(slots=True)
class SaidPicture:
    """One picture as files tell it: `key` is its path in the data set, `path` that of the system.

    `stated_hw`: the size that the annotation claims. `file`, `line`: where it is told.
    """

    key: str
    path: str
    split: Split | None
    file: str
    line: int | None = None
    stated_hw: SizeHW | None = None
    boxes: list[SaidBox] = field(default_factory=list)


@dataclass(slots=True)
class Said:
    """All that was said. `names`: classes in the order of the format; empty if it has none.

    `counts_from_one`: the format counts pixels from 1 (Pascal VOC), so a 0 reaches one pixel outside.
    """

    root: str
    layout: str
    names: tuple[str, ...] = ()
    pictures: list[SaidPicture] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts_from_one: bool = False


def broken(file: str, line: int | None, reason: str, repair: str = "mend or remove it") -> Problem:
    """A statement that cannot be understood, and is left out."""
    return Problem("annotation-broken", "error", file, reason, repair, line=line)
