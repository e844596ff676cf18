"""What a layer costs: parameters with the sum that a person can check, and multiply-adds.

A multiply-add is one product that is added up: of a weight and a value, or of two values where maps
are multiplied (attention). Biases, normalisation, activations and pooling are not counted, as in the
figures that papers and model pages give (ResNet-18: 1.81 billion).
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

__all__ = ["Cost", "conv_cost", "dense_cost", "norm_cost", "thousands"]


class Cost(NamedTuple):
    """`params`: all that is learnt. `each`: of one filter. `formula`: the sum, without its result."""

    params: int
    each: int
    formula: str
    multiply_adds: int


def conv_cost(
    kernel_hw: tuple[int, ...],
    channels: int,
    filters: int,
    *,
    places: int,
    groups: int = 1,
    bias: bool = True,
) -> Cost:
    """(F·F·D₁)·K + K; with groups a filter sees only D₁ / groups channels.

    `places`: positions where the filters are laid: pixels of the output, of the input if transposed.

    >>> conv_cost((5, 5), 3, 10, places=32 * 32)
    Cost(params=760, each=76, formula='(5·5·3)·10+10', multiply_adds=768000)
    """
    depth = channels // groups
    weights = prod(kernel_hw) * depth * filters
    inner = "·".join(map(str, (*kernel_hw, depth)))
    return Cost(
        params=weights + filters * bias,
        each=prod(kernel_hw) * depth + bias,
        formula=f"({inner})·{filters}" + (f"+{filters}" if bias else ""),
        multiply_adds=places * (prod(kernel_hw) * channels * filters // groups),
    )


def dense_cost(shape: tuple[int, ...], nodes: int, *, bias: bool = True, places: int = 1) -> Cost:
    """N·K + K for a vector of N numbers, or maps of H·W·D.

    >>> dense_cost((5, 5, 64), 1024).formula
    '(5·5·64)·1024+1024'
    """
    numbers = prod(shape)
    inner = "·".join(map(str, shape))
    return Cost(
        params=numbers * nodes + nodes * bias,
        each=numbers + bias,
        formula=f"{f'({inner})' if len(shape) > 1 else inner}·{nodes}" + (f"+{nodes}" if bias else ""),
        multiply_adds=places * numbers * nodes,
    )


def norm_cost(channels: int) -> Cost:
    """A scale and a shift for each channel; running means are not learnt."""
    return Cost(2 * channels, 2, f"2·{channels}", 0)


def thousands(number: int) -> str:
    """Digits in groups of three.

    >>> thousands(1668490)
    '1 668 490'
    """
    return f"{number:,}".replace(",", " ")
