"""What a walk draws beside its boards: a network of nodes, and curves with their points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from striate.arithmetic.steps import Cell, Chart, Graph, Node, Walk, shown
from striate.runs.markup import escape
from striate.types import Array

__all__ = ["draw_charts", "draw_graph"]

_NODE_W, _NODE_H, _ACROSS, _DOWN = 66, 32, 108, 78
_CHART_W, _CHART_H, _PAD = 220, 140, 16


def draw_graph(walk: Walk) -> str:
    """The network as SVG: values in the nodes, gradients beneath, weights where an edge is in use."""
    if walk.graph is None:
        return ""
    graph = walk.graph
    wide = _NODE_W + 8 + round(max(node.column for node in graph.nodes) * _ACROSS)
    under = 24 if any(node.gradient is not None for node in graph.nodes) else 4
    tall = round(max(node.row for node in graph.nodes) * _DOWN) + _NODE_H + 24 + under
    edges = "".join(_edge(graph, place) for place in range(len(graph.edges)))
    nodes = "".join(_node(node, walk) for node in graph.nodes)
    return (
        f'<figure class="graph"><svg viewBox="0 0 {wide} {tall}" role="img" '
        f'aria-label="{escape(graph.caption)}">{edges}{nodes}</svg>'
        f"<figcaption>{escape(graph.caption)}</figcaption></figure>"
    )


def _middle(node: Node) -> tuple[float, float]:
    return 4 + _NODE_W / 2 + node.column * _ACROSS, 22 + _NODE_H / 2 + node.row * _DOWN


def _key(cell: Cell | None) -> str:
    return f"{cell.board}:{cell.row}:{cell.column}" if cell is not None else ""


def _number(walk: Walk, cell: Cell) -> str:
    return shown(float(walk.board(cell.board).values[cell.row, cell.column]))


def _given(walk: Walk, cell: Cell) -> bool:
    return walk.board(cell.board).given


def _node(node: Node, walk: Walk) -> str:
    x, y = _middle(node)
    left, top = f"{x - _NODE_W / 2:.0f}", f"{y - _NODE_H / 2:.0f}"
    parts = [
        f'<rect class="node" data-cell="{_key(node.value)}" x="{left}" y="{top}" '
        f'width="{_NODE_W}" height="{_NODE_H}" rx="9"/>',
        f'<text class="mid label" x="{x:.0f}" y="{y - _NODE_H / 2 - 6:.0f}">{escape(node.label)}</text>',
    ]
    if node.value is not None:
        parts.append(_text(walk, node.value, "mid number", x, y + 5))
    if node.gradient is not None:
        box = f'x="{x - _NODE_W / 2 + 3:.0f}" y="{y + _NODE_H / 2 + 3:.0f}" width="{_NODE_W - 6}"'
        parts.append(
            f'<rect class="chip" data-cell="{_key(node.gradient)}" {box} height="19" rx="6"/>'
            + _text(walk, node.gradient, "mid number slope", x, y + _NODE_H / 2 + 17)
        )
    return "".join(parts)


def _text(walk: Walk, cell: Cell, kind: str, x: float, y: float) -> str:
    kind += "" if _given(walk, cell) else " value"
    words = _number(walk, cell)
    return f'<text class="{kind}" data-cell="{_key(cell)}" x="{x:.0f}" y="{y:.0f}">{words}</text>'


def _edge(graph: Graph, place: int) -> str:
    """A line from node to node."""
    edge = graph.edges[place]
    (x, y), (to_x, to_y) = _middle(graph.nodes[edge.start]), _middle(graph.nodes[edge.end])
    x, to_x = x + _NODE_W / 2, to_x - _NODE_W / 2
    keys = " ".join(map(_key, edge.cells))
    return f'<path class="edge" data-cell="{keys}" d="M{x:.0f} {y:.0f}L{to_x:.0f} {to_y:.0f}"/>'


# -- curves -----------------------------------------------------------------------------------


def draw_charts(charts: Sequence[Chart]) -> str:
    """Small charts with one legend; each point shows while its step does."""
    if not charts:
        return ""
    legend = (
        '<ul class="legend"><li><svg viewBox="0 0 26 8" aria-hidden="true"><path class="line hue1" '
        'd="M1 4H25"/></svg>value</li><li><svg viewBox="0 0 26 8" aria-hidden="true"><path '
        'class="line hue2 dash0" d="M1 4H25"/></svg>derivative</li></ul>'
    )
    drawn = "".join(_chart(chart) for chart in charts)
    return f'<div class="charts-box">{legend}<div class="charts">{drawn}</div></div>'


def _chart(chart: Chart) -> str:
    figure = chart.figure
    xs = np.array(figure.curves[0].x)
    ys = np.array([curve.y for curve in figure.curves], dtype=np.float64)
    low, high = min(float(np.nanmin(ys)), 0.0), max(float(np.nanmax(ys)), 1.0)

    def at(x: float, y: float) -> tuple[float, float]:
        along = _PAD + (x - xs[0]) / (xs[-1] - xs[0]) * (_CHART_W - 2 * _PAD)
        return float(along), float(_PAD + (high - y) / (high - low) * (_CHART_H - 2 * _PAD))

    (left, zero_y), (right, _) = at(xs[0], 0), at(xs[-1], 0)
    zero_x = at(0, 0)[0]
    axes = (
        f'<path class="grid" d="M{left:.0f} {zero_y:.1f}H{right:.0f}"/>'
        f'<path class="grid" d="M{zero_x:.1f} {_PAD}V{_CHART_H - _PAD}"/>'
        f'<text class="end" x="{right:.0f}" y="{zero_y + 13:.0f}">{shown(float(xs[-1]))}</text>'
        f'<text x="{zero_x + 4:.0f}" y="{_PAD - 3}">{shown(round(high, 1))}</text>'
    )
    lines = "".join(
        f'<path class="line hue{place + 1}{" dash0" if place else ""}" d="{_path(xs, ys[place], at)}"/>'
        for place in reversed(range(len(ys)))
    )
    dots = "".join(
        f'<circle class="dot hue{dot.curve + 1}" data-cell="{_key(dot.cell)}" '
        f'cx="{at(dot.x, dot.y)[0]:.1f}" cy="{at(dot.x, dot.y)[1]:.1f}" r="5"/>'
        for dot in chart.dots
    )
    label = escape(f"{figure.title}: {figure.caption}")
    return (
        f'<figure class="curve"><figcaption><h3>{escape(figure.title)}</h3></figcaption>'
        f'<svg viewBox="0 0 {_CHART_W} {_CHART_H}" role="img" aria-label="{label}">{axes}{lines}{dots}'
        f"</svg><p>{escape(figure.caption)}</p></figure>"
    )


def _path(xs: Array, ys: Array, at: Callable[[float, float], tuple[float, float]]) -> str:
    """The line of a curve, lifted where it has a gap."""
    parts, pen = [], "M"
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        if np.isfinite(y):
            along, down = at(x, y)
            parts.append(f"{pen}{along:.1f} {down:.1f}")
        pen = "L" if np.isfinite(y) else "M"
    return "".join(parts)
