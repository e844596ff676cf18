"""The axes there are, and what each of them promises."""

from __future__ import annotations

import numpy as np
import pytest

from striate.errors import UnknownNameError, UsageError
from striate.stress.axes.redrawn import REDRAWN
from striate.stress.changes import Axis
from striate.stress.registry import AXES, EXTRA, FAMILIES, axes_for, chosen_axes, name_of_family
from striate.types import Array


def test_axes_are_named_once_and_in_order() -> None:
    families = [one.family for one in AXES.values()]
    assert families == sorted(families, key=list(FAMILIES).index)
    assert axes_for(placed=True).keys() == AXES.keys()
    assert all(name == one.name for name, one in AXES.items())
    assert not set(AXES) & set(EXTRA)
    assert {one.name for one in REDRAWN} <= set(AXES)
    assert len(AXES) == 57


def test_axes_are_chosen_by_name_and_family() -> None:
    assert len(chosen_axes((), placed=False)) == len(AXES)
    found = [one.name for one in chosen_axes(("fog", "all-viewpoint", "saturate"), placed=False)]
    assert len(found) > 5
    assert found[0] in AXES
    assert found[-2:] == ["fog", "saturate"]
    assert all(AXES[name].family == "viewpoint" for name in found[:-2])


@pytest.mark.parametrize("name", ["motion-blur", "motion_blur", "Motion blur", " MOTION-BLUR"])
def test_a_name_may_be_spelt_either_way(name: str) -> None:
    assert [one.name for one in chosen_axes((name,), placed=False)] == ["motion_blur"]
    assert chosen_axes(("hide_hottest",), placed=True)[0].name == "hide-hottest"


def test_no_two_names_are_one_when_spelt_alike() -> None:
    names = [*AXES, *EXTRA, *map(name_of_family, FAMILIES)]
    assert len({name.replace("-", "_") for name in names}) == len(names)


@pytest.mark.parametrize("name", ["noise", "blur", "viewpoint"])
def test_an_axis_that_is_called_as_its_family_may_be_chosen_alone(name: str) -> None:
    assert [one.name for one in chosen_axes((name,), placed=False)] == [name]
    whole = chosen_axes((f"all-{name}",), placed=False)
    assert len(whole) > 3
    assert {one.family for one in whole} == {name}
    assert set(chosen_axes((f"All {name}", name), placed=False)) == set(whole)
    with pytest.raises(UnknownNameError):  # nothing else is called so
        chosen_axes(("all-light",), placed=False)


def test_all_unknown_names_are_told_each_with_its_nearest() -> None:
    with pytest.raises(UsageError) as found:
        chosen_axes(("rotaton", "fog", "hide_hotest", "qqqq"), placed=False)
    told = found.value.what
    assert "'rotaton' (did you mean 'rotation'?)" in told
    assert "'hide_hotest' (did you mean 'hide-hottest'?)" in told
    assert told.endswith("'qqqq'")
    assert "fog'" not in told
    assert "striate stress --list" in found.value.expected
    with pytest.raises(UnknownNameError, match="did you mean 'fog'"):
        chosen_axes(("fogg",), placed=False)


@pytest.mark.parametrize("name", ["noisy", "blurr", "qqqq"])
def test_the_nearest_few_are_told_each_once(name: str) -> None:
    with pytest.raises(UnknownNameError) as found:
        chosen_axes((name,), placed=False)
    told = found.value.choices
    assert len(set(told)) == len(told) <= len(FAMILIES)
    assert "striate stress --list" in found.value.expected
    assert len(str(found.value)) < 240
    if name == "qqqq":  # near to nothing
        assert set(told) == set(map(name_of_family, FAMILIES))


def every_one() -> list[Axis]:
    """All but those that draw again, which need a set that can: see test_redrawn_axes."""
    return [one for one in (*AXES.values(), *EXTRA.values()) if not one.needs_redraw]


@pytest.mark.parametrize("one", every_one(), ids=lambda one: one.name)
def test_an_axis_keeps_its_promises(one: Axis) -> None:
    """Five levels; pictures of the same form; its input untouched; no picture depends on another."""
    from striate.stress.changes import Material

    rng = np.random.default_rng(0)
    pictures: Array = rng.integers(0, 256, (3, 20, 28, 3), dtype=np.uint8)
    before = pictures.copy()
    masks = np.zeros((3, 20, 28), bool)
    masks[:, 5:15, 8:20] = True
    heat = rng.random((3, 20, 28), dtype=np.float32)
    others = rng.integers(0, 256, (4, 20, 28, 3), dtype=np.uint8)
    seeds = np.array([5, 6, 7])
    assert len(one.levels) == 5
    assert one.source or one.unit
    whole = one.change(pictures, one.levels[3], Material(seeds, others, masks, heat))
    assert whole.pictures.shape == pictures.shape
    assert whole.pictures.dtype == np.uint8
    assert whole.moves is None or len(whole.moves) == 3
    np.testing.assert_array_equal(pictures, before)
    only = one.change(pictures[1:2], one.levels[3], Material(seeds[1:2], others, masks[1:2], heat[1:2]))
    np.testing.assert_array_equal(only.pictures[0], whole.pictures[1])
