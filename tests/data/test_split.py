from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.data.dataset import Dataset, Record
from striate.data.grouping import Groups
from striate.data.origins import ArrayOrigin, FileOrigin
from striate.data.split import split
from striate.data.stratify import quantile_bins
from striate.errors import LayoutError, SettingError
from striate.types import Split


def make(targets: list[Any], **changes: list[Any]) -> Dataset[Any]:
    """Records with pictures that differ; `split` and `group` as lists."""
    pictures = np.arange(len(targets), dtype="<u4").view(np.uint8).reshape(-1, 1, 4)
    records = []
    for i, target in enumerate(targets):
        own = {name: values[i] for name, values in changes.items()}
        records.append(Record(f"{i:04d}", ArrayOrigin(pictures, i, "x"), target, **own))
    return Dataset(tuple(records), (), "root", "test")


def by_split(dataset: Dataset[Any]) -> dict[Any, Counter[Any]]:
    found: dict[Any, Counter[Any]] = defaultdict(Counter)
    for record in dataset:
        found[record.split].update(record.target)
    return found


classes = st.lists(st.integers(1, 40), min_size=1, max_size=6)
seeds = st.integers(0, 2**32)


@settings(max_examples=60, deadline=None)
@given(sizes=classes, validation=st.floats(0.05, 0.5), test=st.sampled_from([0.0, 0.15]), seed=seeds)
def test_every_class_gets_its_share(sizes: list[int], validation: float, test: float, seed: int) -> None:
    data = make([(f"c{c}",) for c, size in enumerate(sizes) for _ in range(size)])
    found = split(data, validation=validation, test=test, seed=seed)
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    counts = by_split(found)
    for c, size in enumerate(sizes):
        got = {name: counts[name][f"c{c}"] for name in shares}
        assert sum(got.values()) == size
        assert got["train"] >= 1
        assert got["validation"] >= (size >= 2)
        assert got["test"] >= (size >= 3 and test > 0)
        if min(share for share in shares.values() if share) * size >= 1:  # no rule of at least one
            quota = {name: share * size for name, share in shares.items()}
            floors = {name: math.floor(value + 1e-9) for name, value in quota.items()}
            assert all(floors[name] <= got[name] <= floors[name] + 1 for name in shares)
            rounded_up = [quota[n] - floors[n] for n in shares if got[n] > floors[n]]
            rounded_down = [quota[n] - floors[n] for n in shares if got[n] == floors[n]]
            assert not rounded_up or min(rounded_up) >= max(rounded_down, default=0) - 1e-6
    alone = {f"c{c}" for c, size in enumerate(sizes) if size == 1}
    told = {name for problem in found.problems for name in (problem.key, *problem.others)}
    assert told == alone


@settings(max_examples=30, deadline=None)
@given(sizes=classes, seed=seeds, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(sizes: list[int], seed: int, shuffle: Any) -> None:
    data = make([(f"c{c}",) for c, size in enumerate(sizes) for _ in range(size)])
    order = list(range(len(data)))
    shuffle.shuffle(order)
    first = {r.key: r.split for r in split(data, seed=seed)}
    assert {r.key: r.split for r in split(data.take(order), seed=seed)} == first


def test_seeds_differ_and_repeat() -> None:
    data = make([("a",)] * 50)
    one, again, other = (tuple(r.split for r in split(data, seed=seed)) for seed in (1, 1, 2))
    assert one == again != other


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=60),
    seed=seeds,
)
def test_groups_never_part_and_train_knows_every_class(rows: list[tuple[int, int]], seed: int) -> None:
    groups = [None if group > 9 else f"g{group}" for _, group in rows]
    data = make([(f"c{c}",) for c, _ in rows], group=groups)
    found = split(data, validation=0.3, test=0.2, seed=seed)
    places: dict[Any, set[Any]] = defaultdict(set)
    for record in found:
        places[record.group if record.group else record.key].add(record.split)
    assert all(len(where) == 1 for where in places.values())
    counts = by_split(found)
    assert set(counts["train"]) == {f"c{c}" for c, _ in rows}
    units = Counter(name for name, _ in {(r.target[0], r.group or r.key) for r in found})
    pure = {r.group: r.target for r in found if r.group}
    mixed = any(r.group and pure[r.group] != r.target for r in found)
    if not mixed:
        assert set(counts["validation"]) == {name for name, count in units.items() if count > 1}


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.sets(st.sampled_from("abcde")), min_size=10, max_size=80), seed=seeds)
def test_several_labels(rows: list[set[str]], seed: int) -> None:
    data = make([tuple(sorted(row)) for row in rows])
    found = split(data, validation=0.25, seed=seed)
    counts = by_split(found)
    total = Counter(name for row in rows for name in row)
    held = len(found.only("validation")) if "validation" in found.splits else 0
    assert abs(held - len(rows) / 4) <= 6
    for name, count in total.items():
        assert counts["train"][name] >= 1
        assert abs(counts["validation"][name] - count / 4) <= 4


def test_several_labels_are_shared_out_better_than_by_chance() -> None:
    """Sechidis et al. 2011 measure the mean deviation of label proportions; chance does far worse."""
    rng = np.random.default_rng(0)
    rates = np.array([0.5, 0.3, 0.1, 0.05, 0.02])
    rows = rng.random((400, 5)) < rates
    data = make([tuple(np.array(list("abcde"))[row].tolist()) for row in rows])

    def deviation(chosen: np.ndarray[Any, Any]) -> float:
        return float(np.abs(rows[chosen].mean(0) / rows.mean(0) - 1).mean())

    ours = deviation(np.array([r.split == "validation" for r in split(data, seed=3)]))
    chance = np.mean([deviation(rng.permutation(400) < 80) for _ in range(50)])
    assert ours < chance / 4


def test_numbers_are_shared_out_by_quantiles(rng: np.random.Generator) -> None:
    values = rng.exponential(size=(200, 2))
    data = make([tuple(row) for row in values.tolist()])
    found = split(data, validation=0.2, seed=0)
    held = np.array([record.split == "validation" for record in found])
    assert held.sum() == pytest.approx(40, abs=4)
    for column in values.T:
        deciles = np.digitize(column, np.quantile(column, np.linspace(0, 1, 11)[1:-1]))
        assert all(1 <= held[deciles == d].sum() <= 8 for d in range(10))
    assert found.problems == ()


@settings(deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), bins=st.integers(1, 10))
def test_bins_keep_order_and_equals(values: list[float], bins: int) -> None:
    found = quantile_bins(values, bins)
    assert found.min() >= 0
    assert found.max() < bins
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    for i, j in ((0, -1), (0, len(values) // 2)):
        assert values[i] != values[j] or found[i] == found[j]


def test_given_splits_are_kept() -> None:
    splits: list[Split | None] = ["train"] * 10 + ["test"] * 5
    data = make([("a",)] * 10 + [("b",)] * 5, split=splits)
    found = split(data, seed=0)
    assert [r.split for r in found][10:] == ["test"] * 5
    assert Counter(r.split for r in found) == {"train": 8, "validation": 2, "test": 5}
    assert split(found, seed=9) == found  # nothing is missing: nothing is moved
    halves = split(data, validation=0.3, test=0.3, seed=0)  # a test split exists: 30 of 70 % is left
    assert Counter(r.split for r in halves)["test"] == 5


def test_records_without_a_split_join_those_with_one() -> None:
    splits: list[Split | None] = ["train"] * 4 + ["validation"] * 2 + [None] * 10
    data = make([("a",)] * 16, split=splits)
    found = split(data, validation=0.2, seed=0)
    assert [r.split for r in found][:6] == splits[:6]
    assert {r.split for r in found.records[6:]} == {"train"}


def test_equal_content_stays_together(tmp_path: Path) -> None:
    names = []
    for i in range(40):
        (tmp_path / f"{i}.bin").write_bytes(bytes([i // 2]))
        names.append(tmp_path / f"{i}.bin")
    (tmp_path / "0.bin").unlink()  # what cannot be read stays alone
    records = tuple(Record(path.name, FileOrigin(path), ("a",)) for path in names)
    found = split(Dataset(records, ("a",), "", ""), validation=0.5, seed=0)
    for i in range(2, 40, 2):
        assert found.records[i].split == found.records[i + 1].split
    assert Counter(r.split for r in found)["validation"] == pytest.approx(20, abs=1)


def test_clusters_stay_together() -> None:
    data = make([("a",)] * 40)
    keys = [record.key for record in data]
    clusters = [keys[i : i + 4] for i in range(0, 40, 4)]
    found = split(data, validation=0.5, seed=0, clusters=[*clusters, ["unknown", "0000"]])
    for i in range(0, 40, 4):
        assert len({record.split for record in found.records[i : i + 4]}) == 1


def test_a_group_across_the_test_split_is_told() -> None:
    splits: list[Split | None] = ["test"] + ["train"] * 9
    groups = ["g", "g"] + [None] * 8
    data = make([("a",)] * 10, split=splits, group=groups)
    found = split(data, seed=0)
    assert found.records[0].split == "test"
    assert [(p.kind, p.key) for p in found.problems] == [("leakage", "0001")]


def test_a_group_follows_its_given_split() -> None:
    splits: list[Split | None] = ["validation", "train", "train", "train", None, None, None]
    groups = ["v", "t", None, None, "v", "t", None]
    data = make([("a",)] * 7, split=splits, group=groups)
    found = [r.split for r in split(data, seed=0)]
    assert found[4:6] == ["validation", "train"]


def test_what_cannot_be_split() -> None:
    only_test: list[Split | None] = ["test"] * 3
    with pytest.raises(LayoutError, match="no train pictures"):
        split(make([("a",)] * 3, split=only_test), seed=0)
    with pytest.raises(LayoutError):
        split(make([]), seed=0)
    for validation, test in ((-0.1, 0.0), (1.0, 0.0), (0.6, 0.4), (math.nan, 0.0)):
        with pytest.raises(SettingError):
            split(make([("a",)] * 3), validation=validation, test=test, seed=0)
    single = split(make([("a",)]), seed=0)
    assert [r.split for r in single] == ["train"]


def test_no_validation_on_request() -> None:
    found = split(make([("a",)] * 5), validation=0.0, seed=0)
    assert {r.split for r in found} == {"train"}
    assert found.problems == ()


def test_targets_of_other_tasks_are_split_evenly() -> None:
    found = split(make([object() for _ in range(50)]), validation=0.2, seed=0)
    assert Counter(r.split for r in found) == {"train": 40, "validation": 10}


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_groups_are_connected_components(pairs: list[tuple[int, int]]) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    groups = Groups(12)
    for pair in pairs:
        groups.join(pair)
    a, b = zip(*pairs, strict=True) if pairs else ((), ())
    count, label = connected_components(coo_array((np.ones(len(a)), (a, b)), (12, 12)), directed=False)
    found = groups.sets()
    assert len(found) == count
    assert all(len({label[i] for i in members}) == 1 for members in found)
    assert groups.joined(found[0])
