from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from striate.graphs import collect_outputs


class Sums:
    """A graph that adds up its pictures, and a second input where it has one."""

    output_names = ("sums",)

    def __init__(self, *more: str) -> None:
        self.input_names = ("pictures", *more)
        self.asked: list[int] = []

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        assert set(feeds) == set(self.input_names)
        self.asked.append(len(feeds["pictures"]))
        return {"sums": sum(one.sum(axis=tuple(range(1, one.ndim))) for one in feeds.values())}  # type: ignore[dict-item]


def test_outputs_are_joined_in_order(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (7, 4, 6, 3), dtype=np.uint8)
    graph = Sums()
    found = collect_outputs(graph, pixels, batch=3)
    assert graph.asked == [3, 3, 1]
    np.testing.assert_array_equal(found["sums"], pixels.reshape(7, -1).sum(axis=1))
    assert collect_outputs(Sums(), pixels[:0])["sums"].shape == (0,)


def test_more_inputs_are_made_batch_by_batch(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
    graph = Sums("proposals")
    found = collect_outputs(
        graph,
        pixels,
        batch=2,
        feeds=lambda some: {"pictures": some, "proposals": some[:, 0, 0].astype(np.float64)},
    )
    assert graph.asked == [2, 2, 1]
    expected = pixels.reshape(5, -1).sum(axis=1) + pixels[:, 0, 0].sum(axis=1)
    np.testing.assert_array_equal(found["sums"], expected)


def test_larger_pictures_go_fewer_at_a_time() -> None:
    small, large = Sums(), Sums()
    collect_outputs(small, np.zeros((300, 8, 8, 3), np.uint8))
    collect_outputs(large, np.zeros((40, 256, 256, 3), np.uint8))
    assert small.asked[0] == 256
    assert large.asked[0] == 16
