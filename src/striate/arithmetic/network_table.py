"""A network as a table for people: one line a layer, what it costs and what it sees.

Layers that need no line of their own (normalisation, activation) can stand with the one before; blocks
that repeat are shown once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from striate.arithmetic.counting import thousands
from striate.arithmetic.layers import BYTES, PICTURE, Layer, Network, shape_text
from striate.arithmetic.receptive_field import Field, fields_of
from striate.arithmetic.sizes import Slide, exact_size, formula, plain

__all__ = [
    "Fold",
    "Row",
    "bytes_text",
    "field_text",
    "fold",
    "many",
    "network_dict",
    "remarks",
    "rows_of",
    "step_text",
]

_WORDS = {
    "convt": "transposed conv",
    "maxpool": "max pool",
    "avgpool": "average pool",
    "global maxpool": "global max pool",
    "global avgpool": "global average pool",
    "adaptive maxpool": "adaptive max pool",
    "adaptive avgpool": "adaptive average pool",
    "batchnorm": "batch norm",
    "layernorm": "layer norm",
    "groupnorm": "group norm",
}
_SHORT = {"batchnorm": "bn", "layernorm": "ln", "groupnorm": "gn"}
_LONGEST_BLOCK = 60
"""Lines of a block that is looked for again below it."""
_MOST_LOSSES = 2
_WORTH = 3
"""Lines that must be saved by not showing a repetition."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `first`, `last`: the layers that it stands for. `sees`: the field of the last one."""

    first: int
    last: int
    name: str
    what: str
    output: tuple[int, ...]
    formula: str
    params: int
    each: int
    multiply_adds: int
    memory_bytes: int
    field: Field

    @property
    def weights(self) -> str:
        """The sum with its result, as in the decks: `(5·5·3)·10+10 = 760`."""
        if not self.params:
            return ""
        plain_number = self.formula.replace(" ", "") == str(self.params)
        total = thousands(self.params)
        return total if not self.formula or plain_number else f"{self.formula} = {total}"

    def alike(self) -> tuple[object, ...]:
        """What lines of repeated blocks share: all but their names and what they see."""
        return (self.what, self.output, self.formula, self.params, self.multiply_adds)


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines, and how often they come one after the other. `last`: the last line of the last time."""

    rows: tuple[Row, ...]
    times: int
    last: Row


def rows_of(network: Network, *, joined: bool) -> list[Row]:
    """A line for each layer, or, `joined`, with what follows in place in the line of its layer."""
    rows: list[Row] = []
    for index, (layer, field) in enumerate(zip(network, fields_of(network), strict=True)):
        if joined and rows and _stands_with(layer, rows[-1]):
            rows[-1] = _with(rows[-1], index, layer, field)
        else:
            rows.append(
                Row(
                    index,
                    index,
                    layer.name,
                    what(layer, network),
                    layer.output,
                    layer.formula,
                    layer.params,
                    layer.filter_params,
                    layer.multiply_adds,
                    layer.memory_bytes,
                    field,
                )
            )
    return rows


def _stands_with(layer: Layer, row: Row) -> bool:
    if layer.kind == "flatten":  # it changes the shape
        return False
    return layer.in_place and [source.layer for source in layer.sources] == [row.last]


def _with(row: Row, index: int, layer: Layer, field: Field) -> Row:
    return replace(
        row,
        last=index,
        what=f"{row.what}, {_SHORT.get(layer.kind, layer.kind)}",
        output=layer.output,
        formula="+".join(part for part in (row.formula, layer.formula) if part),
        params=row.params + layer.params,
        multiply_adds=row.multiply_adds + layer.multiply_adds,
        field=field,
    )


def what(layer: Layer, network: Network) -> str:
    """A layer in words and figures, written as it would be typed: `conv 5×5 s1 p2`."""
    word = _WORDS.get(layer.kind, layer.kind)
    if layer.rows is None or layer.columns is None:
        return word
    rows, columns = layer.rows, layer.columns
    parts = [f"{rows.kernel}×{columns.kernel}"]
    if (rows.stride, columns.stride) != (1, 1):
        parts.append(f"s{_both(rows.stride, columns.stride)}")
    parts += _padding(rows, columns)
    if (rows.dilation, columns.dilation) != (1, 1):
        parts.append(f"d{_both(rows.dilation, columns.dilation)}")
    if layer.groups > 1 and layer.groups == _channels(layer, network):
        word = f"depthwise {word}"
    elif layer.groups > 1:
        parts.append(f"g{layer.groups}")
    return " ".join([word, *parts])


def _both(one: int, other: int) -> str:
    return str(one) if one == other else f"{one}×{other}"


def _padding(rows: Slide, columns: Slide) -> list[str]:
    ends = (rows.before, rows.after, columns.before, columns.after)
    if not any(ends):
        return []
    if rows.before == rows.after and columns.before == columns.after:
        return [f"p{_both(rows.before, columns.before)}"]
    if ends[:2] == ends[2:]:
        return [f"p{rows.before}+{rows.after}"]
    return [f"p{rows.before}+{rows.after}×{columns.before}+{columns.after}"]


def _channels(layer: Layer, network: Network) -> int:
    source = layer.sources[0].layer
    return (network.input_hwc if source == PICTURE else network.layers[source].output)[-1]


def fold(rows: Sequence[Row]) -> list[Fold]:
    """Rows with repetitions of a block shown once, wherever that saves lines."""
    found: list[Fold] = []
    at = 0
    keys = [row.alike() for row in rows]
    while at < len(rows):
        starts = at == 0 or not _scope(rows[at]) or _scope(rows[at]) != _scope(rows[at - 1])
        length, times = _repetition(keys, at) if starts else (1, 1)
        block = tuple(rows[at : at + length])
        at += length * times
        found.append(Fold(block, times, rows[at - 1]))
    return found


def _scope(row: Row) -> str:
    """The block that a layer belongs to: a repetition starts with a block."""
    return row.name.rpartition(".")[0]


def _repetition(keys: Sequence[object], at: int) -> tuple[int, int]:
    """Length of the block at `at`, and how often it comes, that saves most lines."""
    best = (1, 1)
    saved = _WORTH - 1
    for length in range(1, min(_LONGEST_BLOCK, (len(keys) - at) // 2) + 1):
        if keys[at] != keys[at + length]:
            continue
        block, times = keys[at : at + length], 1
        while keys[at + times * length : at + (times + 1) * length] == block:
            times += 1
        if (times - 1) * length > saved:
            best, saved = (length, times), (times - 1) * length
    return best


# -- figures for people -----------------------------------------------------------------------


def many(number: int) -> str:
    """Exact to six digits, beyond that three significant figures.

    >>> many(768000), many(1814073344), many(0)
    ('768 000', '1.81 G', '')
    """
    if number < 1_000_000:
        return thousands(number) if number else ""
    return _scaled(number, ((10**12, "T"), (10**9, "G"), (10**6, "M")))


def bytes_text(number: int) -> str:
    """Bytes in decimal units.

    >>> bytes_text(40960), bytes_text(0), bytes_text(240771232)
    ('41.0 kB', '', '241 MB')
    """
    if number < 1000:
        return f"{number} B" if number else ""
    return _scaled(number, ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")))


def _scaled(number: int, units: Sequence[tuple[int, str]]) -> str:
    for size, unit in units:
        if number >= size:
            value = number / size
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:.{digits}f} {unit}"
    return str(number)


def field_text(field: Field) -> str:
    """What a unit sees: `11×11`, `all`, or `≤ all` where it may be less."""
    bound = "" if field.exact else "≤ "
    if field.whole:
        return f"{bound}all"
    return f"{bound}{field.size_hw[0]}×{field.size_hw[1]}"


def step_text(field: Field) -> str:
    """Pixels from one unit to the next; nothing where there is one unit alone, or all see the same."""
    down, along = field.stride_hw
    if field.whole or not (down or along):
        return ""
    return f"{down:g}" if down == along else f"{down:g}×{along:g}"


def remarks(network: Network, *, whole: bool = False) -> list[str]:
    """Where pixels are left out, and whatever else a reader of the figures should know.

    `whole`: name every layer that leaves out pixels, not the first few.
    """
    losing = [layer for layer in network if any(layer.lost_hw)]
    shown = len(losing) if whole else _MOST_LOSSES
    shown = len(losing) if whole else _MOST_LOSSES
    found = [_leaves_out(network, layer) for layer in losing[:shown]]
    more = len(losing) - shown
    if more > 0:
        found.append(f"so do{'es' if more == 1 else ''} {more} more; --json names all")
    if network.unused_params:
        found.append(f"{thousands(network.unused_params)} parameters are not used by this pass")
    return [*found, *network.notes]


def _leaves_out(network: Network, layer: Layer) -> str:
    axis = 0 if layer.lost_hw[0] else 1
    slide = layer.columns if axis else layer.rows
    assert slide is not None
    source = layer.sources[0].layer
    size = (network.input_hwc if source == PICTURE else network.layers[source].output)[axis]
    division = f"{formula(size, slide)} = {plain(exact_size(size, slide))}"
    return f"{layer.name} leaves out {_lost(layer.lost_hw)}: {division}, rounded down"


def _lost(lost_hw: tuple[int, int]) -> str:
    rows, columns = (
        f"{count} {word}{'s' if count > 1 else ''}" if count else ""
        for count, word in zip(lost_hw, ("row", "column"), strict=True)
    )
    ends = " and ".join(part for part in (rows, columns) if part)
    return f"the last {ends}" if lost_hw != (1, 1) else "the last row and column"


# -- for machines -----------------------------------------------------------------------------


def network_dict(network: Network) -> dict[str, Any]:
    """Everything, JSON-ready."""
    fields = fields_of(network)
    return {
        "model": network.title,
        "input": shape_text(network.input_hwc),
        "input_hwc": list(network.input_hwc),
        "output": shape_text(network.output),
        "output_shape": list(network.output),
        **network.totals(),
        "unused_params": network.unused_params,
        "layers": [
            _layer_dict(network, layer, field) for layer, field in zip(network, fields, strict=True)
        ],
        "notes": remarks(network, whole=True),
    }


def _layer_dict(network: Network, layer: Layer, field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": layer.name,
        "kind": layer.kind,
        "inputs": [
            "picture" if one.layer == PICTURE else network.layers[one.layer].name
            for one in layer.sources
        ],
        "output": shape_text(layer.output),
        "output_shape": list(layer.output),
    }
    if layer.rows is not None and layer.columns is not None:
        rows, columns = layer.rows, layer.columns
        found |= {
            "kernel_hw": [rows.kernel, columns.kernel],
            "stride_hw": [rows.stride, columns.stride],
            "padding_tlbr": [rows.before, columns.before, rows.after, columns.after],
            "dilation_hw": [rows.dilation, columns.dilation],
            "groups": layer.groups,
            "lost_hw": list(layer.lost_hw),
        }
    return found | {
        "params": layer.params,
        "params_each": layer.filter_params,
        "formula": layer.formula,
        "multiply_adds": layer.multiply_adds,
        "weights_bytes": BYTES * layer.params,
        "activations_bytes": layer.memory_bytes,
        "in_place": layer.in_place,
        "receptive_field": field.to_dict(),
    }
