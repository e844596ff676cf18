"""Values as JSON and TOML can hold them: NumPy numbers become Python's, names become valid UTF-8."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import PurePath
from typing import Any

import numpy as np

__all__ = ["from_toml_metrics", "json_ready", "legible", "toml_metrics", "toml_ready"]


def legible(text: str) -> str:
    r"""`text` without lone surrogates, which no UTF-8 file can hold: they become `\udcff`.

    File names that are not UTF-8 reach Python with such surrogates in them.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _plain(value: Any, *, finite: bool) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {legible(str(key)): _plain(one, finite=finite) for key, one in value.items()}
    if isinstance(value, str | PurePath):
        return legible(str(value))
    if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray):
        return [_plain(one, finite=finite) for one in value]
    if isinstance(value, float) and finite and not math.isfinite(value):
        return None
    if value is not None and not isinstance(value, bool | int | float):
        raise TypeError(f"{type(value).__name__} cannot be written to a run: {value!r}")
    return value


def json_ready(value: Any) -> Any:
    """`value` for strict JSON: numbers that are not finite become None.

    >>> json_ready({"loss": float("nan"), "count": np.int64(3)})
    {'loss': None, 'count': 3}
    """
    return _plain(value, finite=True)


def toml_ready(value: Any) -> Any:
    """`value` for TOML: no None (left out of tables, `nan` within lists); `nan` and `inf` stay."""
    return _without_none(_plain(value, finite=False))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [math.nan if one is None else _without_none(one) for one in value]
    return value


def toml_metrics(value: Any) -> Any:
    """Metrics for TOML without loss: None, a metric that is undefined here, becomes an empty table."""
    return _swapped(_plain(value, finite=False), lambda one: {} if one is None else one)


def from_toml_metrics(value: Any) -> Any:
    """What `toml_metrics` wrote, or fresh metrics: plain values, with None again."""
    return _swapped(_plain(value, finite=False), lambda one: None if one == {} else one)


def _swapped(value: Any, swap: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict) and value:
        return {key: _swapped(one, swap) for key, one in value.items()}
    return [_swapped(one, swap) for one in value] if isinstance(value, list) else swap(value)
