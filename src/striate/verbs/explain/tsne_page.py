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

from striate.pictures.palette import colour_of
from striate.runs.markup import escape
from striate.runs.page import Tiles, masthead, scripted_document, tiles
from striate.types import Array, Picture, PictureArray

__all__ = ["MapPage", "draw_map", "render_map_page"]

_QUALITY = 80
_SIDE = 1000
_AIR = 30
_MANY = 5000
"""Points from which on the picture is larger, and its dots smaller."""


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
    buttons = "".join(
        f'<li><button type="button" data-group="{at}" aria-pressed="false" style="--tint:{_hex(at)}">'
        f"<i></i><bdi>{escape(name)}</bdi></button></li>"
        for at, name in enumerate(page.names)
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
    columns, _ = sprite_grid(len(page.points))
    return {
        "x": whole[:, 0].tolist(),
        "y": whole[:, 1].tolist(),
        "group": list(page.groups),
        "tints": [_hex(at) for at in range(len(page.names))],
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
    return "#{:02x}{:02x}{:02x}".format(*_tint(group))


def _tint(group: int) -> tuple[int, int, int]:
    """The palette, then lighter and darker ones of it."""
    red, green, blue = colour_of(group)
    turn = group // 7
    if turn == 0:
        return red, green, blue
    if turn % 2:
        return tuple(round(one * 0.6) for one in (red, green, blue))  # type: ignore[return-value]
    return tuple(round(one + (255 - one) * 0.5) for one in (red, green, blue))  # type: ignore[return-value]


def draw_map(points: Array, groups: Sequence[int], thumbnails: PictureArray) -> Picture:
    """The map as a picture, uint8 (h, w, 3): thumbnails where they fit, a dot for each other point."""
    many = len(points) > _MANY
    length, radius = (2 * _SIDE, 1) if many else (_SIDE, 2)
    low = points.min(axis=0)
    span = float((points.max(axis=0) - low).max()) or 1.0
    places = np.rint((points - low) / span * length).astype(int) + _AIR
    wide, tall = (int(one) + _AIR for one in places.max(axis=0))
    canvas = np.full((tall, wide, 3), 255, np.uint8)
    side = 28
    taken = np.zeros(canvas.shape[:2], bool)
    for at, (x, y) in enumerate((int(x), tall - int(y)) for x, y in places):
        half = side // 2 + 2
        rows = slice(max(0, y - half), y + half)
        columns = slice(max(0, x - half), x + half)
        tint = _tint(groups[at]) if groups[at] >= 0 else (107, 114, 128)
        area = canvas[rows, columns]
        if taken[rows, columns].any() or area.shape[:2] != (2 * half, 2 * half):
            dot = (slice(max(0, y - radius), y + radius), slice(max(0, x - radius), x + radius))
            canvas[dot][~taken[dot]] = tint
            continue
        taken[rows, columns] = True
        area[:] = tint
        area[2:-2, 2:-2] = _small(thumbnails[at], side)
    return canvas


def _small(picture: Picture, side: int) -> Picture:
    return np.array(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))


def _own(name: str) -> str:
    return (files("striate.verbs.explain") / name).read_text("utf-8")
