"""What a report shows, as data: tasks say what, `runs` draws it (SVG in HTML, no plotting library).

All arrays are NumPy or plain sequences; every figure has a title and a caption that says what a
reader should see in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from striate.types import Array, Picture

__all__ = [
    "Bars",
    "Curve",
    "Figure",
    "Gallery",
    "GalleryItem",
    "Lines",
    "Matrix",
    "Scatter",
    "Section",
    "Table",
]


@dataclass(frozen=True, slots=True)
class Curve:
    """One named line: x and y of equal length; `low`/`high` an optional band."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves on one pair of axes."""

    title: str
    caption: str
    curves: Sequence[Curve]
    x_label: str
    y_label: str
    diagonal: bool = False
    """Draw y = x, the ideal of a reliability plot."""
    y_range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """Named bars, with optional interval ends per bar."""

    title: str
    caption: str
    names: Sequence[str]
    values: Sequence[float]
    x_label: str
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts (R, C), for example a confusion: row = truth, column = answer."""

    title: str
    caption: str
    values: Array
    row_names: Sequence[str]
    column_names: Sequence[str]
    row_label: str
    column_label: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Points, with y = x drawn when `diagonal`."""

    title: str
    caption: str
    x: Sequence[float]
    y: Sequence[float]
    x_label: str
    y_label: str
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """A picture and the words beneath it; `tone` colours the frame."""

    picture: Picture
    title: str
    note: str = ""
    tone: Literal["good", "bad", "plain"] = "plain"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures in a grid."""

    title: str
    caption: str
    items: Sequence[GalleryItem]
    empty: str = "Nothing to show."
    large: bool = False
    """Pictures twice as large: for those with much in them."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text or numbers under column names."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]


Figure: TypeAlias = Lines | Bars | Matrix | Scatter | Gallery | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A headed part of a report."""

    title: str
    intro: str
    figures: Sequence[Figure] = field(default_factory=tuple)
