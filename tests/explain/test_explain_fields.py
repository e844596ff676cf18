from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from striate.arithmetic.reach import resize_reach
from striate.explain.fields import FieldGrid, _Line, _moved_on, fields_of_layer, grids_of_layers
from striate.explain.inside import Inside
from striate.explain.recording import Recorder, extents

SIZE = (23, 18)


@pytest.fixture
def graph(made: Any) -> bytes:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(2, 2, 3, 3)).astype(np.float32)
    planes = [rng.normal(size=(5, 5)) for _ in range(2)]
    data: bytes = made.graph_of(
        [
            made.conv(planes, pads=[2] * 4, strides=[2, 1], name="/net/one/Conv"),
            ("Relu", {"name": "/net/act/Relu"}),
            ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "name": "/net/pool/MaxPool"}),
            ("Conv", {"weights": [weights], "pads": [1] * 4, "name": "/net/two/Conv"}),
            ("GlobalAveragePool", {"name": "/net/mean/GlobalAveragePool"}),
        ],
        SIZE,
    )
    return data


@pytest.mark.parametrize("name", ["one", "two"])
def test_fields_are_what_is_measured(graph: bytes, name: str) -> None:
    """Against `extents`, which plays strips of noise; it may miss faint edges, never see more."""
    inside = Inside(graph, threads=1)
    layer = inside.layer(name)
    found = fields_of_layer(graph, inside, layer)
    assert found.exact
    assert not found.measured
    height, width = layer.places_hw
    for place in {(0, 0), layer.centre, (height - 1, width - 1)}:
        computed = found.of(place)
        measured = extents(Recorder(inside, [layer], {layer.name: place}))[layer.name]
        assert computed.top <= measured.top < measured.bottom <= computed.bottom
        assert computed.left <= measured.left < measured.right <= computed.right
        assert computed == measured or name != "one"  # later, a faint edge may be missed


def test_a_unit_changes_with_its_field_and_with_nothing_else(
    graph: bytes, rng: np.random.Generator
) -> None:
    inside = Inside(graph, threads=1)
    layer = inside.layer("two")
    fields = fields_of_layer(graph, inside, layer)
    watch = inside.watch([layer])
    before, other = rng.integers(0, 256, (2, 1, *SIZE, 3), dtype=np.uint8)
    for place in ((0, 3), (2, 4)):
        box = fields.of(place)
        outside = other.copy()
        outside[:, box.top : box.bottom, box.left : box.right] = before[
            :, box.top : box.bottom, box.left : box.right
        ]
        y, x = place
        rest = watch(before)["two"][0, :, y, x]
        np.testing.assert_allclose(watch(outside)["two"][0, :, y, x], rest, rtol=1e-4, atol=1e-5)
        assert not np.allclose(watch(other)["two"][0, :, y, x], rest, rtol=1e-3)


def test_a_layer_without_places_sees_everything(graph: bytes) -> None:
    inside = Inside(graph, threads=1)
    found = fields_of_layer(graph, inside, inside.layer("t4"))
    assert found.whole
    assert found.of((0, 0)).size_hw == SIZE


def test_what_cannot_be_computed_is_measured(
    graph: bytes, monkeypatch: pytest.MonkeyPatch, made: Any, inside_of: Callable[..., Inside]
) -> None:
    from striate.errors import DataError
    from striate.explain import fields

    def refuse(*_: object, **__: object) -> None:
        raise DataError("an operator that nobody knows")

    monkeypatch.setattr(fields, "layers_of_graph", refuse)
    inside = Inside(graph, threads=1)
    layer = inside.layer("one")
    found = fields_of_layer(graph, inside, layer)
    assert found.measured
    assert not found.exact
    middle = found.of(layer.centre)
    assert middle == extents(Recorder(inside, [layer]))["one"]
    corner = found.of((0, 0))
    assert (corner.top, corner.left) == (0, 0)
    assert corner.bottom >= 1


def test_the_middle_survives_a_normalisation_and_a_finer_map(made: Any) -> None:
    """Through what looks at everything, and where an upsampled map meets a finer one."""
    size = (32, 40)
    weights = [np.ones((4, 3, 3, 3), np.float32), np.ones((4, 4, 3, 3), np.float32)]
    window = {"pads": [1] * 4, "strides": [2, 2]}
    data = made.graph_of(
        [
            ("Conv", {"weights": [weights[0]], **window, "name": "/n/fine/Conv"}),
            ("InstanceNormalization", {"weights": [np.ones(4, np.float32), np.zeros(4, np.float32)]}),
            ("Conv", {"weights": [weights[1]], **window, "name": "/n/coarse/Conv"}),
        ],
        size,
    )
    inside = Inside(data, threads=1)
    grids = grids_of_layers(data, inside, [one for one in inside.layers if one.is_map])
    assert grids["fine"] == FieldGrid((0.5, 0.5), (2.0, 2.0))
    assert list(grids.values())[-1] == FieldGrid((0.5, 0.5), (4.0, 4.0))


@pytest.mark.parametrize("places", [12, 13, 30, 7])
@pytest.mark.parametrize("taps", [1, 2])
def test_resized_maps_keep_their_middle(places: int, taps: int) -> None:
    """The mean over all units of what they see in the middle; at one end all see the edge pixel."""
    reach = resize_reach(10, places, taps=taps)
    line = _moved_on(_Line(Fraction(1, 2), Fraction(1), 10), reach, 10, places)
    middles = [sum(reach.of(unit, unit)) / 2 + 0.5 for unit in range(places)]
    found = [float(line.start + unit * line.step) for unit in range(places)]
    assert np.mean(found) == pytest.approx(np.mean(middles), abs=0.06)
    assert np.abs(np.subtract(found, middles)).max() <= 1
