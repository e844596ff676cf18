"""Pictures read once: what cannot be read, seeds, masks, heat, many of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.data.dataset import Dataset
from striate.data.embedded import EMBEDDED
from striate.errors import DataError, PictureError
from striate.stress.heat import CELLS, heat_from, occluded
from striate.stress.stock import read_stock
from striate.task import Task, task_type

SIZE_HW = (6, 9)


def task() -> Task[Any, Any]:
    kind = task_type("classify")
    facts = {"model": "small-cnn", "names": ("a", "b"), "counts": (5, 5), "size_hw": SIZE_HW,
             "fit": "squash", "channels": 3}  # fmt: skip
    return kind(kind.config_type.parse({}), kind.facts_type.parse(facts))


class Broken:
    """A picture that is none."""

    def read(self, at_least_hw: Any = None) -> Any:
        raise PictureError("x.jpg", "it is text", remedy="remove it")

    def content_hash(self) -> str:
        return "x"


def test_what_cannot_be_read_is_told(make_dataset: Callable[..., Dataset[Any]]) -> None:
    dataset = make_dataset([("a",), ("b",), ("a",)], ("a", "b"), size_hw=(20, 31))
    records = list(dataset.records)
    records[1] = replace(records[1], origin=Broken())
    heard: list[tuple[int, int]] = []
    found = read_stock(
        task(), replace(dataset, records=tuple(records)), seed=0, workers=2,
        listen=lambda *one: heard.append(one),
    )  # fmt: skip
    assert len(found) == 2
    assert found.pixels.shape == (2, *SIZE_HW, 3)
    assert found.truths == [("a",), ("a",)]
    assert [one.reason for one in found.problems] == ["it is text"]
    assert heard == [(3, 3)]
    assert found.prepared[1].size_hw == (20, 31)
    with pytest.raises(DataError, match="not one of the 1 pictures"):
        read_stock(task(), replace(dataset, records=(records[1],)), seed=0, workers=1)


def test_seeds_belong_to_pictures(make_dataset: Callable[..., Dataset[Any]]) -> None:
    dataset = make_dataset([("a",)] * 6, ("a", "b"))
    whole = read_stock(task(), dataset, seed=1, workers=2)
    some = read_stock(task(), dataset.take([4, 1]), seed=1, workers=1)
    assert some.seeds.tolist() == [whole.seeds[4], whole.seeds[1]]
    assert (whole.seeds >= 0).all()
    taken = whole.take([4, 1])
    np.testing.assert_array_equal(taken.pixels, some.pixels)
    assert taken.seeds.tolist() == some.seeds.tolist()
    assert len(taken.others) == 6
    one = read_stock(task(), dataset.take([0]), seed=1, workers=1)
    assert len(one.others) == 0


def test_many_pictures_lie_in_a_file(
    make_dataset: Callable[..., Dataset[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset([("a",)] * 6, ("a", "b"))
    whole = read_stock(task(), dataset, seed=1, workers=2)
    monkeypatch.setattr("striate.stress.stock._IN_MEMORY", 10)
    filed = read_stock(task(), dataset, seed=1, workers=2)
    assert isinstance(filed.pixels.base if filed.pixels.base is not None else filed.pixels, np.memmap)
    np.testing.assert_array_equal(filed.pixels, whole.pixels)
    some = filed.take([4, 1, 3])
    assert isinstance(some.pixels, np.memmap)
    np.testing.assert_array_equal(some.pixels, whole.pixels[[4, 1, 3]])
    assert np.shares_memory(filed.take(range(2, 5)).pixels, filed.pixels)  # no copy of neighbours
    assert len(filed.take([])) == 0


def test_masks_are_made_only_where_an_axis_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    read = EMBEDDED["scenes"].labels
    assert read is not None
    dataset = read().take([0, 1, 2])
    bare = read_stock(task(), dataset, seed=0, workers=1, with_masks=False)
    assert bare.known == "exact"
    assert bare.masks is None
    monkeypatch.setattr("striate.stress.stock._IN_MEMORY", 10)
    filed = read_stock(task(), dataset, seed=0, workers=1)
    monkeypatch.undo()
    whole = read_stock(task(), dataset, seed=0, workers=1)
    assert filed.masks is not None
    assert filed.masks.dtype == bool
    np.testing.assert_array_equal(filed.masks, whole.masks)
    assert filed.masks.any()
    np.testing.assert_array_equal(filed.take([2, 0]).masks, whole.masks[[2, 0]])  # type: ignore[index]


def test_the_others_are_known_by_name(make_dataset: Callable[..., Dataset[Any]]) -> None:
    whole = read_stock(task(), make_dataset([("a",)] * 6, ("a", "b")), seed=1, workers=1)
    assert [one.key for one in whole.of_others] == [one.key for one in whole.records]
    assert len(whole.take([0]).of_others) == 6


def test_scenes_know_their_objects() -> None:
    read = EMBEDDED["scenes"].labels
    assert read is not None
    dataset = read().take([0, 1])
    found = read_stock(task(), dataset, seed=0, workers=1)
    assert found.known == "exact"
    assert found.masks is not None
    assert found.masks.shape == (2, *SIZE_HW)
    assert found.material(slice(1, 2)).masks.shape == (1, *SIZE_HW)  # type: ignore[union-attr]


def test_heat_is_where_the_answer_breaks() -> None:
    pixels = np.full((2, 8, 12, 3), 50, np.uint8)
    pixels[0, :2, :3] = 250
    copies = list(occluded(pixels))
    assert len(copies) == CELLS**2
    assert (copies[0][0, :2, :3] == np.rint(pixels[0].mean())).all()
    assert (copies[5][0, :2, :3] == 250).all()

    def support(results: Any) -> Any:
        return np.asarray(results, np.float32)

    answers = [one[:, :2, :3].mean(axis=(1, 2, 3)) for one in copies]
    heat = heat_from(support, pixels[:, :2, :3].mean(axis=(1, 2, 3)), answers)
    assert heat.shape == (2, CELLS, CELLS)
    assert heat[0, 0, 0] == 1
    assert heat[0].sum() == 1
    assert heat[1, 1:-1, 1:-1].all()  # nothing matters: the middle
    assert heat[1].sum() == 4


def test_heat_is_enlarged_smoothly(make_dataset: Callable[..., Dataset[Any]]) -> None:
    stock = read_stock(task(), make_dataset([("a",)] * 2, ("a", "b")), seed=0, workers=1)
    heat = np.zeros((2, CELLS, CELLS), np.float32)
    heat[0, 1, 2] = 1
    heat[1] = 1
    found = replace(stock, heat=heat).material(slice(0, 2), with_heat=True).heat
    assert found is not None
    assert found.shape == (2, *SIZE_HW)
    np.testing.assert_allclose(found[1], 1, rtol=1e-5)
    assert 0.5 < found[0].max() <= 1.0 + 1e-6
    assert stock.material(slice(0, 2)).heat is None
