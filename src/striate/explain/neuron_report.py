"""What single channels look for, as sentences and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from striate.explain.inside import Layer
from striate.explain.recording import Extent
from striate.explain.tiles import mosaic
from striate.figures import Figure, Gallery, GalleryItem, Section, Table
from striate.pictures.lettering import spaced
from striate.runs.markup import number
from striate.types import Picture, SizeHW

_SIDE = 288
"""Of what is shown in one frame, pixels."""
_FEW = 10
"""Pictures of a class; of fewer it is told how many there are."""

__all__ = [
    "Channel",
    "LayerView",
    "TopPatch",
    "hierarchy_statement",
    "layer_section",
    "layer_statement",
    "method_section",
    "sheet_rows",
]


@dataclass(frozen=True, slots=True, eq=False)
class TopPatch:
    """A part of a picture that a channel answers to.

    `key`: the picture. `place`: row and column in the channel's map. `extent`: what that unit sees,
    pixels of the prepared picture; `patch` is that part of it and `projection` of the deconvolution,
    None where there is none.
    """

    key: str
    value: float
    place: tuple[int, int]
    extent: Extent
    patch: Picture
    projection: Picture | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        box = self.extent
        return {
            "picture": self.key,
            "value": self.value,
            "place": list(self.place),
            "box_xyxy": [box.left, box.top, box.right, box.bottom],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One channel and what it looks for.

    `says`: the class that an output stands for, "" elsewhere. `favourite`: the class whose pictures it
    prefers, "" where they have none, of which there are `support` pictures; `score`: by how much (see
    `selectivity`). `synthesised`: the
    picture made for it; `strength`: how strong it is there, at most; `at_start`: in the first noise.
    """

    layer: str
    index: int
    says: str = ""
    favourite: str = ""
    score: float | None = None
    support: int = 0
    awake: float | None = None
    patches: tuple[TopPatch, ...] = ()
    synthesised: Picture | None = None
    strength: float | None = None
    at_start: float | None = None

    @property
    def name(self) -> str:
        """As it is typed."""
        return f"{self.layer}:{self.index}"

    @property
    def statement(self) -> str:
        """What was found, in one sentence or two."""
        said = [one for one in (self._prefers(), self._compares()) if one]
        return " ".join(said) or "Nothing was asked of it."

    def _prefers(self) -> str:
        if self.awake == 0:
            return "It is at or below zero in every picture."
        if self.score is None:
            return ""
        if self.favourite:
            few = f", of which there are {self.support} here" if self.support < _FEW else ""
            return (
                f"Strongest for {self.favourite}{few}: its peak is on average {self.score:.1f} standard "
                "deviations above that in other pictures."
            )
        return f"Its strongest pictures are {self.score:.1f} standard deviations above its mean."

    def _compares(self) -> str:
        if self.strength is None:
            return ""
        made = number(self.strength, 3)
        if not self.patches:
            noise = number(self.at_start or 0.0, 3)
            return f"It reaches {made} in the picture made for it, {noise} in noise."
        best = self.patches[0].value
        times = f", {self.strength / best:.1f} times as much" if best > 0 and self.strength > 0 else ""
        return (
            f"It reaches {number(best, 3)} at most in a picture, {made} in the one made for it{times}."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "unit": self.name,
            "layer": self.layer,
            "channel": self.index,
            "class": self.says or None,
            "favourite": self.favourite or None,
            "selectivity": self.score,
            "awake": self.awake,
            "patches": [one.to_dict() for one in self.patches],
            "synthesised": None
            if self.strength is None
            else {"activation": self.strength, "at_start": self.at_start},
        }


@dataclass(frozen=True, slots=True, eq=False)
class LayerView:
    """Some channels of a layer.

    `sees_hw`: what a unit sees, pixels, padding included; `whole`: every unit sees the whole picture.
    `silent`: channels that were at or below zero in all pictures; None without pictures. `typical`: how
    selective the median channel is for its class (see `selectivity`); None without classes. `note`:
    what could not be shown, and why.
    """

    layer: Layer
    sees_hw: SizeHW
    whole: bool
    channels: tuple[Channel, ...]
    silent: int | None = None
    typical: float | None = None
    note: str = ""

    @property
    def sight(self) -> str:
        """What a unit sees, in words."""
        return "the whole picture" if self.whole else f"{self.sees_hw[0]} × {self.sees_hw[1]} pixels"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **self.layer.to_dict(),
            "sees_hw": list(self.sees_hw),
            "whole_picture": self.whole,
            "silent_channels": self.silent,
            "typical_selectivity": None if self.typical is None else round(self.typical, 4),
            "note": self.note or None,
            "units": [one.to_dict() for one in self.channels],
        }


def layer_statement(view: LayerView, pictures: int) -> str:
    """The layer in a sentence."""
    layer = view.layer
    many = f"{layer.channels} channel{'s' if layer.channels > 1 else ''}"
    where = f" on {layer.places_hw[0]} × {layer.places_hw[1]} places" if layer.is_map else ""
    silent = ""
    if view.silent is not None:
        count = "none" if view.silent == 0 else spaced(view.silent)
        verb = "is" if view.silent in (0, 1) else "are"
        silent = f"; {count} of them {verb} silent in all {spaced(pictures)} pictures"
    return f"{layer.name} ({layer.kind}) has {many}{where}, each sees {view.sight}{silent}."


def hierarchy_statement(views: Sequence[LayerView]) -> str:
    """Whether channels tell classes apart better from layer to layer; "" where that is not known."""
    known = [(view.layer.name, view.typical) for view in views if view.typical is not None]
    if len(known) < 2:
        return ""
    (lowest, start), *higher = known
    steps = f"{start:.2f} standard deviations in {lowest}"
    steps += "".join(f", {value:.2f} in {name}" for name, value in higher)
    highest, end = known[-1]
    how = "tell classes apart better" if end > start else "do not tell classes apart better"
    return (
        f"Channels {how} in {highest} than in {lowest}: the median channel's peak is higher for its own "
        f"class by {steps}."
    )


def layer_section(view: LayerView, title: str, pictures: int) -> Section:
    """Each channel as a row: the picture made for it, its patches, and their deconvolution."""
    figures: list[Figure] = [_gallery(one) for one in view.channels]
    if not any(one.patches for one in view.channels):
        figures = [_made_only(view.channels)]
    intro = layer_statement(view, pictures) + (f" {view.note}" if view.note else "")
    return Section(title, intro, figures)


def _gallery(channel: Channel) -> Figure:
    title = f"{channel.name} · {channel.says}" if channel.says else channel.name
    return Gallery(title, channel.statement, _items(channel), large=True)


def _made_only(channels: Sequence[Channel]) -> Figure:
    """Without patches there is one picture a channel: all in one figure."""
    items = [
        GalleryItem(one.synthesised, f"{one.name} · {one.says}" if one.says else one.name, one.statement)
        for one in channels
        if one.synthesised is not None
    ]
    return Gallery("Made for each channel", "Activation maximisation, from noise.", items, large=True)


def _items(channel: Channel) -> list[GalleryItem]:
    items = []
    if channel.synthesised is not None:
        items.append(GalleryItem(channel.synthesised, "made for it", "activation maximisation"))
    if channel.patches:
        values = f"{number(channel.patches[0].value, 3)} to {number(channel.patches[-1].value, 3)}"
        patches = _grid([one.patch for one in channel.patches])
        items.append(GalleryItem(patches, "where it is strongest", f"activation {values}"))
    projections = [one.projection for one in channel.patches if one.projection is not None]
    if projections:
        items.append(
            GalleryItem(_grid(projections), "what of it counts", "deconvolution of the same patches")
        )
    return items


def _grid(pictures: Sequence[Picture]) -> Picture:
    """As square as may be, one size for all."""
    columns = next(side for side in range(1, len(pictures) + 1) if side * side >= len(pictures))
    return mosaic(pictures, columns, cell=max(24, (_SIDE - 3 * (columns - 1)) // columns))


def sheet_rows(views: Sequence[LayerView]) -> tuple[list[Picture], list[str], int]:
    """Pictures, titles and columns of a sheet with all channels, one row each."""
    rows = [(channel, _items(channel)) for view in views for channel in view.channels]
    most = max((len(items) for _, items in rows), default=0)
    rows = [(channel, items) for channel, items in rows if len(items) == most]
    pictures = [item.picture for _, items in rows for item in items]
    titles = [
        f"{channel.name} {channel.says}".strip() if at == 0 else item.title
        for channel, items in rows
        for at, item in enumerate(items)
    ]
    return pictures, titles, max(most, 1)


def method_section(rows: Sequence[tuple[str, str]]) -> Section:
    """Terms of what is shown."""
    return Section("How it is made", "", [Table("Terms", "", ("what", "how"), list(rows))])
