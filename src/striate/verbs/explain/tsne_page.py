"""A map of pictures as a page: points that tell which picture they are, in one file.

All thumbnails are one picture inside the page; the page has its own small script, which loads nothing
and sends nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from striate.pictures.palette import WHITE, colour_of, ink_on
from striate.runs.markup import escape
from striate.runs.page import Tiles, masthead, scripted_document, tiles
from striate.types import Array, PictureArray
from striate.verbs.explain.tsne_picture import middles, shape_of

__all__ = ["MapPage", "render_map_page"]

_QUALITY = 80


@dataclass(frozen=True, slots=True, eq=False)
class MapPage:
    """What the page shows.

    `points` (N, 2), any unit. `groups` (N,): the row of each point's name in `names`, −1 for none.
    `labels`: what a point is called, one each. `thumbnails` uint8 (N, t, t, 3).
    """

    title: str
    facts: str
    intro: str
    points: Array
    groups: Sequence[int]
    names: Sequence[str]
    labels: Sequence[str]
    thumbnails: PictureArray
    numbers: Tiles
    terms: Sequence[tuple[str, str]]


def render_map_page(page: MapPage) -> str:
    """The page as text."""
    script = _own("tsne_page.js")
    data = json.dumps(_data(page), allow_nan=False, separators=(",", ":"))
    body = (
        masthead(page.title, kind="striate explain --tsne", facts=page.facts)
        + f'<p class="intro" style="margin-bottom:18px">{escape(page.intro)}</p>'
        + tiles(page.numbers)
        + _plane(page)
        + _terms(page.terms)
    )
    return scripted_document(
        f"{page.title} · striate",
        body,
        style=_own("tsne_page.css"),
        script=script,
        told=("map", data),
    )


def _plane(page: MapPage) -> str:
    present = set(page.groups)
    buttons = "".join(
        f'<li><button type="button" data-group="{at}" aria-pressed="false" style="--tint:{_hex(at)}">'
        f'<i class="shape{shape_of(at)}"></i><bdi>{escape(name)}</bdi></button></li>'
        for at, name in enumerate(page.names)
        if at in present
    )
    legend = f'<ul class="groups" aria-label="Show one group">{buttons}</ul>' if buttons else ""
    return (
        '<section id="plane"><figure class="wide plane"><div class="stage">'
        '<canvas tabindex="0" role="application" aria-label="Map of pictures: point at one, or use the '
        'arrow keys; plus and minus zoom"></canvas>'
        '<div class="card-of" hidden><canvas width="64" height="64"></canvas><p></p></div></div>'
        '<p class="hint">Point or tap: the picture appears. Wheel or two fingers zoom, dragging moves, '
        f"a double click goes back.</p>{legend}"
        f'<img id="sprite" alt="" hidden src="{_sprite(page.thumbnails)}"></figure></section>'
    )


def _terms(rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(what)}</th><td>{escape(how)}</td></tr>' for what, how in rows
    )
    return (
        '<section id="how"><h2>How it is made</h2><div class="figures"><figure class="wide pairs">'
        f"<div><table><tbody>{lines}</tbody></table></div></figure></div></section>"
    )


def _data(page: MapPage) -> Mapping[str, Any]:
    """Places as whole numbers, 0 … 10 000 along the longer side: a pixel on any screen."""
    low = page.points.min(axis=0)
    span = float((page.points.max(axis=0) - low).max()) or 1.0
    whole = np.rint((page.points - low) / span * 10_000).astype(int)
    groups = range(len(page.names))
    columns, _ = sprite_grid(len(page.points))
    return {
        "x": whole[:, 0].tolist(),
        "y": whole[:, 1].tolist(),
        "group": list(page.groups),
        "names": list(page.names),
        "tints": [_hex(at) for at in groups],
        "inks": ["#fff" if ink_on(colour_of(at)) == WHITE else "#0e1116" for at in groups],
        "shapes": [shape_of(at) for at in groups],
        "middles": middles(whole, page.groups, len(page.names)),
        "labels": list(page.labels),
        "columns": columns,
        "side": int(page.thumbnails.shape[1]),
    }


def sprite_grid(count: int) -> tuple[int, int]:
    """Columns and rows of the one picture that all thumbnails are in."""
    columns = max(1, int(np.ceil(np.sqrt(count))))
    return columns, -(-count // columns)


def _sprite(thumbnails: PictureArray) -> str:
    columns, rows = sprite_grid(len(thumbnails))
    side = thumbnails.shape[1]
    sheet = np.zeros((rows * columns, side, side, 3), np.uint8)
    sheet[: len(thumbnails)] = thumbnails
    whole = sheet.reshape(rows, columns, side, side, 3).transpose(0, 2, 1, 3, 4)
    file = BytesIO()
    flat = np.ascontiguousarray(whole.reshape(rows * side, columns * side, 3))
    Image.fromarray(flat).save(file, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _hex(group: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour_of(group))


def _own(name: str) -> str:
    return (files("striate.verbs.explain") / name).read_text("utf-8")
