from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.runs.plain import json_ready, legible, toml_ready

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_anything_becomes_strict_json(value: object) -> None:
    json.loads(json.dumps(json_ready(value), allow_nan=False))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_table_becomes_toml_and_comes_back(table: dict[str, object]) -> None:
    ready = toml_ready(table)
    text = tomli_w.dumps(ready)
    found = tomllib.loads(text.encode("utf-8").decode("utf-8"))
    # as text, since nan is not equal to itself; TOML puts tables last
    assert json.dumps(found, sort_keys=True) == json.dumps(ready, sort_keys=True)


def test_numpy_and_paths() -> None:
    value = {"a": np.float32(0.5), "b": np.arange(2), "c": Path("x/y"), "d": {3}, "e": np.bool_(True)}
    assert json_ready(value) == {"a": 0.5, "b": [0, 1], "c": "x/y", "d": [3], "e": True}
    assert json_ready([np.float64("inf"), math.nan]) == [None, None]
    assert math.isnan(toml_ready({"a": [None]})["a"][0])
    assert toml_ready({"a": None, "b": {"c": None}}) == {"b": {}}


@pytest.mark.parametrize("value", [b"bytes", object(), 1j])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written to a run"):
        json_ready({"a": value})


def test_names_that_are_not_utf8() -> None:
    name = b"caf\xe9\xff.jpg".decode("utf-8", "surrogateescape")
    assert legible(name) == "caf\\udce9\\udcff.jpg"
    assert legible("naïve 猫") == "naïve 猫"
