"""Bytes through tables, and pictures by kind: as NumPy does it, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from striate.nn.augment import tables
from striate.nn.augment.groups import by_kind

SHAPES = ((2, 3, 7, 11), (1, 3, 1, 1), (3, 1, 5, 4))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("each_channel", [True, False])
def test_looking_up_is_indexing(
    shape: tuple[int, ...], each_channel: bool, rng: np.random.Generator
) -> None:
    pictures = rng.integers(0, 256, shape, dtype=np.uint8)
    table = rng.integers(0, 256, (shape[0], shape[1] if each_channel else 1, 256), dtype=np.uint8)
    expected = np.empty_like(pictures)
    for n, c in np.ndindex(*shape[:2]):
        expected[n, c] = table[n, c if each_channel else 0][pictures[n, c]]
    given = torch.from_numpy(pictures)
    strided = given.contiguous(memory_format=torch.channels_last)
    for one in (given, strided):
        assert np.array_equal(tables.look_up(one, torch.from_numpy(table)), expected)
        # what an accelerator does
        assert np.array_equal(tables._by_index(one, torch.from_numpy(table)), expected)
        np.testing.assert_array_equal(one.numpy(), pictures)


@pytest.mark.parametrize("shape", SHAPES)
def test_values_are_counted_by_channel(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    pictures = rng.integers(0, 256, shape, dtype=np.uint8)
    found = tables.histograms(torch.from_numpy(pictures))
    assert found.shape == (*shape[:2], 256)
    for n, c in np.ndindex(*shape[:2]):
        np.testing.assert_array_equal(found[n, c], np.bincount(pictures[n, c].ravel(), minlength=256))


def test_pictures_of_a_kind_are_changed_together_and_come_back_in_order() -> None:
    pictures, kinds = torch.arange(6.0).view(6, 1, 1, 1), np.array([2, 0, 2, 5, 0, 2])
    seen: dict[int, list[int]] = {}

    def change(kind: int, some: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        assert some.flatten().tolist() == rows.tolist()
        seen[kind] = rows.tolist()
        return some + 100 * kind

    found = by_kind(pictures, kinds, change)
    assert found.flatten().tolist() == [200, 1, 202, 503, 4, 205]
    assert seen == {0: [1, 4], 2: [0, 2, 5], 5: [3]}
    assert pictures.flatten().tolist() == [0, 1, 2, 3, 4, 5]


def test_one_kind_is_not_copied_and_none_is_the_first() -> None:
    pictures = torch.zeros(3, 1, 1, 1)
    assert by_kind(pictures, np.array([4, 4, 4]), lambda kind, some, rows: some) is pictures
    kinds: list[int] = []
    by_kind(pictures[:0], np.empty(0, np.int64), lambda kind, some, rows: kinds.append(kind) or some)
    assert kinds == [0]
