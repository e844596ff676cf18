"""A network as a page: its boxes, its table, and what each unit sees, which can be clicked.

One HTML file with its own small script, which loads nothing and sends nothing. Without the script the
page shows one unit; with it, any.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from striate.arithmetic.building import shown_shape
from striate.arithmetic.counting import thousands
from striate.arithmetic.drawing import Scene, Words, blocks_of, draw_network
from striate.arithmetic.layers import Network
from striate.arithmetic.network_table import (
    Row,
    bytes_text,
    field_text,
    many,
    remarks,
    rows_of,
    step_text,
)
from striate.arithmetic.receptive_field import Patch, Span, patch_of, spans_of
from striate.pictures.resize import resize
from striate.pictures.write import to_data_uri
from striate.runs.atomic import write_text
from striate.runs.markup import escape
from striate.runs.page import masthead, scripted_document, tiles
from striate.types import Picture, check_picture
from striate.verbs.layers.table import LayersReading
from striate.verbs.outputs import writable

__all__ = ["render_layers_page", "write_layers_page"]

_WIDTH = 1000.0
"""Of the drawing, pixels: that of the page."""
_MOST_ROWS = 400
"""Layers that can be chosen; a table of more says how many it leaves out."""


def write_layers_page(
    found: LayersReading,
    path: str | os.PathLike[str],
    *,
    picture: Picture | None = None,
    overwrite: bool = False,
) -> Path:
    """Write `render_layers_page` to the file `path`, whole or not at all; the path.

    A `UsageError` where it exists and `overwrite` is not set.
    """
    target = writable(path, overwrite=overwrite)
    write_text(target, render_layers_page(found, picture=picture))
    return target


def render_layers_page(found: LayersReading, *, picture: Picture | None = None) -> str:
    """The page as text. `picture`: uint8 (H, W, 3), what units are shown to look at."""
    network = found.network
    script = _own("page.js")
    rows = rows_of(network, joined=not found.typed)
    shown = rows[:_MOST_ROWS]
    patch = found.patch or _first_look(network, shown)
    body = (
        masthead(network.title, kind="striate layers", facts=f"on {shown_shape(network.input_hwc)}")
        + tiles(_numbers(network))
        + _drawing(network)
        + _looker(network, shown, patch, picture)
        + _table(network, shown, len(rows) - len(shown), patch)
    )
    data = json.dumps(_data(network, shown, patch), allow_nan=False, separators=(",", ":"))
    return scripted_document(
        f"{network.title} · striate",
        body,
        style=_own("page.css"),
        script=script,
        told=("network", data),
    )


def _own(name: str) -> str:
    return (files("striate.verbs.layers") / name).read_text("utf-8")


def _first_look(network: Network, rows: Sequence[Row]) -> Patch:
    """The middle unit of the last layer whose units see clearly less than everything."""
    sides = network.input_hwc[:2]
    several = [row for row in rows if network.layers[row.last].places_hw != (1, 1)]
    some = [
        row
        for row in several
        if all(5 * seen <= 3 * side for seen, side in zip(row.field.size_hw, sides, strict=True))
    ]
    index = (some or several or list(rows))[-1].last
    height, width = network.layers[index].places_hw
    return patch_of(network, index, (height // 2, width // 2))


def _numbers(network: Network) -> list[tuple[str, str]]:
    return [
        ("parameters", thousands(network.params).replace(" ", "\N{NARROW NO-BREAK SPACE}")),
        ("multiply-adds", many(network.multiply_adds) or "0"),
        ("weights, float32", bytes_text(network.weights_bytes) or "0 B"),
        ("layers deep", str(network.depth)),
    ]


# -- boxes ------------------------------------------------------------------------------------


def _drawing(network: Network) -> str:
    scene = draw_network(network, width=_WIDTH)
    caption = (
        "Height and depth of a box are those of its maps, its thickness is the square root of its "
        "channels; a vector is a bar."
    )
    return (
        '<section id="drawing"><h2>The network</h2>'
        f'<p class="intro">{caption}</p><figure class="boxes wide">'
        '<div class="scroll" tabindex="0" role="region" aria-label="Drawing of the network">'
        f"{_svg(network, scene)}</div></figure></section>"
    )


def _svg(network: Network, scene: Scene) -> str:
    blocks = blocks_of(network)
    parts = []
    for number, block in enumerate(blocks):
        faces = "".join(
            f'<polygon class="{one.face}" points="{_points(one.points)}"/>'
            for one in scene.polygons
            if one.block == number
        )
        words = "".join(_word(one) for one in scene.words if one.block == number)
        parts.append(f'<g class="box {block.tint}" data-last="{block.last}">{faces}{words}</g>')
    told = "; ".join(f"{block.name}: {shown_shape(block.shape)}" for block in blocks)
    return (
        f'<svg viewBox="0 0 {scene.width:.0f} {scene.height:.0f}" style="width:{scene.width:.0f}px" '
        f'role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )


def _word(one: Words) -> str:
    kind, (x, y) = "mid name" if one.strong else "mid", one.at
    return f'<text class="{kind}" x="{x:.1f}" y="{y + 4:.1f}">{escape(one.text)}</text>'


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


# -- what a unit sees -------------------------------------------------------------------------


def _looker(network: Network, rows: Sequence[Row], patch: Patch, picture: Picture | None) -> str:
    height, width = network.input_hwc[:2]
    index = _index_of(network, patch)
    tall, wide = network.layers[index].places_hw
    options = "".join(
        f'<option value="{row.last}"{" selected" if row.first <= index <= row.last else ""}>'
        f"{escape(row.name)} · {shown_shape(row.output)}</option>"
        for row in rows
    )
    look = f"0 0 {width} {height}"
    image = ""
    if picture is not None:
        fitted = resize(check_picture(picture), (height, width))
        crisp = ' class="crisp"' if max(height, width) <= 100 else ""
        image = (
            f'<image href="{to_data_uri(fitted)}" width="{width}" height="{height}" '
            f'preserveAspectRatio="none"{crisp}/>'
        )
    return (
        '<section id="units"><h2>What a unit sees</h2><p class="intro">Choose a layer and click one of '
        "its units: the exact part of the input that can change it lights up. The dashed frame is what "
        "the window covers with its padding.</p>"
        '<div class="card looker" id="looker">'
        f'<label class="choice"><span>Layer</span><select>{options}</select></label>'
        f'<p class="said" aria-live="polite">{escape(_sentence(network, patch))}</p>'
        '<div class="panes"><figure><figcaption>Units of this layer</figcaption>'
        f'<svg class="units" tabindex="0" role="application" aria-label="Units; arrow keys move" '
        f'viewBox="0 0 {wide} {tall}"><rect class="ground" width="{wide}" height="{tall}"/>'
        '<path class="lines"/>'
        f'<rect class="unit" x="{patch.unit_yx[1]}" y="{patch.unit_yx[0]}" width="1" height="1"/></svg>'
        "</figure><figure><figcaption>The input</figcaption>"
        f'<svg class="seen" viewBox="{look}" role="img" aria-label="The input and what the unit sees">'
        f'<rect class="ground" width="{width}" height="{height}"/>{image}'
        f'<path class="veil" fill-rule="evenodd" d="{_veil(height, width, patch)}"/>'
        f"{_rect('padded', patch.padded_xyxy)}{_rect('patch', patch.box_xyxy or (0, 0, 0, 0))}"
        "</svg></figure></div></div></section>"
    )


def _veil(height: int, width: int, patch: Patch) -> str:
    whole = f"M0 0H{width}V{height}H0Z"
    if patch.box_xyxy is None:
        return whole
    x0, y0, x1, y1 = patch.box_xyxy
    return f"{whole}M{x0} {y0}H{x1}V{y1}H{x0}Z"


def _rect(kind: str, box: tuple[int, int, int, int]) -> str:
    x0, y0, x1, y1 = box
    return f'<rect class="{kind}" x="{x0}" y="{y0}" width="{x1 - x0}" height="{y1 - y0}"/>'


def _sentence(network: Network, patch: Patch) -> str:
    """As the script says it."""
    y, x = patch.unit_yx
    start = f"Unit ({y}, {x}) of {patch.layer} sees "
    if patch.box_xyxy is None:
        return f"{start}nothing of the input: padding alone."
    x0, y0, x1, y1 = patch.box_xyxy
    bound = "" if patch.exact else "at most "
    height, width = network.input_hwc[:2]
    return (
        f"{start}{bound}rows {y0} to {y1 - 1} and columns {x0} to {x1 - 1}: "
        f"{y1 - y0}×{x1 - x0} of {height}×{width} pixels."
    )


def _index_of(network: Network, patch: Patch) -> int:
    return next(index for index, layer in enumerate(network) if layer.name == patch.layer)


def _data(network: Network, rows: Sequence[Row], patch: Patch) -> dict[str, Any]:
    """For the script: of each layer the pixels that its rows and its columns see."""
    tall, wide = spans_of(network)
    layers = {
        row.last: {
            "n": row.name,
            "p": list(network.layers[row.last].places_hw),
            "y": _flat(tall[row.last]),
            "x": _flat(wide[row.last]),
            "e": row.field.exact,
            "f": [*row.field.start_yx, *row.field.stride_hw, *row.field.size_hw]
            if row.field.start_yx
            else None,
        }
        for row in rows
    }
    index = _index_of(network, patch)
    shown = next((row.last for row in rows if row.first <= index <= row.last), index)
    return {"input": list(network.input_hwc[:2]), "layers": layers, "at": [shown, *patch.unit_yx]}


def _flat(spans: Sequence[Span]) -> list[int]:
    """first, last, first, last, …; one pair alone where all are the same."""
    some = spans[:1] if len(set(spans)) == 1 else spans
    return [end for span in some for end in span]


# -- the table --------------------------------------------------------------------------------

_TITLES = ("layer", "what", "output", "weights", "multiply-adds", "memory", "sees", "step")
_RIGHT = ("multiply-adds", "memory", "sees", "step")


def _table(network: Network, rows: Sequence[Row], left_out: int, patch: Patch) -> str:
    head = "".join(f'<th scope="col"{_class(title)}>{title}</th>' for title in _TITLES)
    body = "".join(_table_row(row) for row in rows)
    total = (
        f'<tr class="total"><th scope="row">total</th><td></td><td>{shown_shape(network.output)}</td>'
        f"<td>{thousands(network.params)}</td><td{_class('memory')}>{many(network.multiply_adds)}</td>"
        f"<td{_class('memory')}>{bytes_text(network.memory_bytes)}</td><td></td><td></td></tr>"
    )
    more = f"<li>{left_out} more layers are not listed.</li>" if left_out else ""
    notes = more + "".join(f"<li>{escape(one)}</li>" for one in remarks(network))
    return (
        '<section id="layers"><h2>Layer by layer</h2><p class="intro">Memory is that of one input’s '
        "outputs in float32; what works in place needs none. A multiply-add is a product that is added "
        "up. Step: pixels from one unit to the next.</p>"
        '<figure class="table layers wide"><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Layer by layer"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}{total}</tbody></table></div>"
        f'<ul class="notes">{notes}</ul></figure></section>'
    )


def _class(title: str) -> str:
    return ' class="right"' if title in _RIGHT else ""


def _table_row(row: Row) -> str:
    cells = (
        row.what,
        shown_shape(row.output),
        row.weights,
        many(row.multiply_adds),
        bytes_text(row.memory_bytes),
        field_text(row.field),
        step_text(row.field),
    )
    listed = "".join(
        f"<td{_class(title)}>{escape(cell)}</td>" for title, cell in zip(_TITLES[1:], cells, strict=True)
    )
    return f'<tr data-layer="{row.last}"><th scope="row"><bdi>{escape(row.name)}</bdi></th>{listed}</tr>'
