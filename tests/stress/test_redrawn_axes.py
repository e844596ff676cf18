"""Sets that are drawn again: one thing changed, everything else the very same, truths exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.data.dataset import Dataset, Record
from striate.data.meshes import SolidSettings, solids_dataset
from striate.data.meshes.backgrounds import make_background
from striate.data.meshes.origin import SolidOrigin
from striate.data.meshes.rotation import angle_between_deg, angles_to_matrix
from striate.data.scenes import SceneOrigin, SceneSettings, scenes_dataset
from striate.data.scenes.make import find_boxes
from striate.stress.axes.redrawn import REDRAWN, Redrawable, changes, redrawn
from striate.stress.changes import Axis
from striate.stress.measuring import measure_axes, worst_cases
from striate.stress.resamples import resamples_for
from striate.stress.runner import Engine, Pass
from striate.stress.stock import Stock, read_stock
from striate.task import Task, task_type
from striate.types import Array

AXES = {axis.name: axis for axis in REDRAWN}
SIZE_HW = (40, 40)
STREET = ("hoarding", "nightfall", "litter", "deformation")
CAMERA = ("camera-round", "camera-above", "camera-far")
SMALL = SceneSettings(size_hw=(40, 50), clutter=0.3)
TINY = SolidSettings(size_hw=(24, 24))
SETS: dict[str, tuple[Callable[[], Dataset[Any]], tuple[str, ...]]] = {
    "scenes": (lambda: scenes_dataset("class", n=6, seed=4, settings=SMALL), STREET + CAMERA),
    "scenes-count": (lambda: scenes_dataset("count", n=3, seed=4, settings=SMALL), STREET),
    "scenes-values": (lambda: scenes_dataset("values", n=3, seed=4, settings=SMALL), STREET),
    "scenes-boxes": (lambda: scenes_dataset("boxes", n=3, seed=4, settings=SMALL), STREET),
    "scenes-3d": (lambda: solids_dataset("class", n=16, settings=TINY), ("pose", "articulation")),
    "scenes-3d-boxes": (lambda: solids_dataset("boxes", n=16, settings=TINY), ("pose", "articulation")),
    "scenes-heads": (lambda: solids_dataset("heads", n=3, settings=TINY), ("pose",)),
}


def again(record: Record[Any], names: tuple[str, ...], change: str, level: float) -> Record[Any]:
    found = redrawn(record, names, change, level)
    assert found is not None
    return found


@pytest.mark.parametrize("name", SETS)
def test_at_strength_0_it_is_the_very_same(name: str) -> None:
    make, able = SETS[name]
    dataset = make()
    found = [axis.name for axis in REDRAWN if any(changes(one.origin, axis) for one in dataset)]
    assert sorted(found) == sorted(able)
    for axis in found:
        record = next(one for one in dataset if changes(one.origin, AXES[axis]))
        same = again(record, dataset.names, axis, 0.0)
        assert same.target == record.target
        assert same.origin.content_hash() == record.origin.content_hash()
        np.testing.assert_array_equal(same.origin.read(), record.origin.read())
        harsh = again(record, dataset.names, axis, AXES[axis].levels[-1])
        assert harsh.origin.content_hash() != record.origin.content_hash()
        assert (harsh.origin.read() != record.origin.read()).any()
        assert (harsh.key, harsh.split) == (record.key, record.split)


@pytest.mark.parametrize("axis", REDRAWN, ids=lambda axis: axis.name)
def test_what_is_drawn_again_is_a_picture_of_its_own_settings(axis: Axis) -> None:
    """The level is in the settings that the schema bears, and each is at least as harsh as the last."""
    dataset = (
        solids_dataset("class", n=8) if axis.name in ("pose", "articulation") else SETS["scenes"][0]()
    )
    record = next(one for one in dataset if changes(one.origin, axis))
    steps = [again(record, dataset.names, axis.name, level).origin for level in (0.0, *axis.levels)]
    for one in steps:
        assert isinstance(one, SolidOrigin | SceneOrigin)
        type(one.settings).parse(one.settings.model_dump(exclude_none=True))
    apart = [np.abs(one.read().astype(int) - steps[0].read()).mean() for one in steps]
    assert apart[0] == 0
    assert apart[5] > apart[1]


# -- truths -----------------------------------------------------------------------------------


def test_angles_turn_by_the_level() -> None:
    dataset = solids_dataset("heads", n=30)
    for record in dataset:
        for level in (10.0, 60.0):
            found = again(record, dataset.names, "pose", level)
            between = angle_between_deg(
                angles_to_matrix(*record.target), angles_to_matrix(*found.target)
            )
            assert float(between) == pytest.approx(level, abs=0.15)  # angles are told to a tenth
            assert isinstance(found.origin, SolidOrigin)
            np.testing.assert_array_equal(found.origin.view().turn, angles_to_matrix(*found.target))
    some = again(dataset.records[0], ("roll", "yaw"), "pose", 30.0)
    whole = again(dataset.records[0], dataset.names, "pose", 30.0)
    assert some.target == (whole.target[2], whole.target[0])


def test_poses_go_every_way() -> None:
    heads = solids_dataset("heads", n=60)
    pairs = [(again(one, heads.names, "pose", 40.0).target, one.target) for one in heads]
    change = np.array([np.subtract(after, before) for after, before in pairs])
    assert (np.abs(change).max(axis=0) > 20).all()
    assert ((change > 5).sum(axis=0) > 10).all()
    assert ((change < -5).sum(axis=0) > 10).all()


def test_values_and_counts_are_those_of_the_new_scene() -> None:
    dataset = scenes_dataset("values", n=4)
    for record in dataset:
        dark = again(record, dataset.names, "nightfall", 0.5)
        assert dark.target == (min(record.target[0], 0.5), record.target[1])
        assert again(record, ("viewpoint_deg",), "nightfall", 0.5).target == (record.target[1],)
    crowd = scenes_dataset("count", n=4, settings=SceneSettings(size_hw=(40, 50), objects=(8, 12)))
    counts = []
    for record in crowd:
        hidden = again(record, crowd.names, "hoarding", 0.75)
        assert isinstance(hidden.origin, SceneOrigin)
        counts.append((record.target[0], hidden.target[0]))
        assert hidden.target == (float(len(hidden.origin.scene().names)),)
    assert all(after <= before for before, after in counts)
    assert any(after < before for before, after in counts)


def test_boxes_are_those_of_the_new_picture() -> None:
    streets = scenes_dataset("boxes", n=3, seed=1)
    for record in streets:
        for change in ("hoarding", "deformation"):
            found = again(record, streets.names, change, 0.6)
            assert isinstance(found.origin, SceneOrigin)
            scene = found.origin.scene()
            assert [one.label for one in found.target] == list(scene.names)
            assert found.target == find_boxes(scene.settings, scene.seed)
            # found without painting, which may miss the rim of a mark
            drawn = [one.box_xyxy for one in found.target]
            np.testing.assert_allclose(drawn, scene.boxes_xyxy, atol=2)
            assert [one.box_xyxy for one in found.target] != [one.box_xyxy for one in record.target]
    solids = solids_dataset("boxes", n=8)
    record = solids.records[3]
    found = again(record, solids.names, "pose", 45.0)
    assert isinstance(found.origin, SolidOrigin)
    edges = found.origin.rendered().box_xyxy
    assert edges is not None
    assert found.target == (Box("dog", edges),)
    assert again(record, ("car",), "pose", 45.0).target == ()  # a run that knows no dogs
    assert solids_dataset("class", n=8).records[3].target == ("dog",)
    assert again(solids_dataset("class", n=8).records[3], solids.names, "pose", 45.0).target == ("dog",)


def test_an_object_is_hidden_by_the_share_that_was_asked_for() -> None:
    record = scenes_dataset("class", n=1, settings=SceneSettings(classes=("car",))).records[0]
    for level in AXES["hoarding"].levels:
        found = again(record, ("car",), "hoarding", level).origin
        assert isinstance(found, SceneOrigin)
        assert float(found.scene().visible_fraction[0]) == pytest.approx(1 - level, abs=0.08)


# -- all else stays ---------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["pose", "articulation"])
def test_what_stands_behind_a_solid_stays(change: str) -> None:
    for record in solids_dataset("class", n=16).records[3:16:4]:
        if not changes(record.origin, AXES[change]):
            continue
        before, after = record.origin, again(record, (), change, AXES[change].levels[-1]).origin
        assert isinstance(before, SolidOrigin)
        assert isinstance(after, SolidOrigin)
        one, other = before.rendered(), after.rendered()
        beside = (one.cover == 0) & (other.cover == 0)
        assert 0.3 < beside.mean() < 0.99
        np.testing.assert_array_equal(one.picture[beside], other.picture[beside])
        ground = make_background(after.stream("background"), after.settings.size_hw, 0.6)
        np.testing.assert_array_equal(other.picture[beside], ground[beside])
        assert before.view().light == after.view().light


def test_what_is_beside_an_object_stays() -> None:
    record = scenes_dataset("class", n=1, settings=SceneSettings(classes=("bus",))).records[0]
    bent = again(record, ("bus",), "deformation", 0.6).origin
    assert isinstance(record.origin, SceneOrigin)
    assert isinstance(bent, SceneOrigin)
    one, other = record.origin.scene(), bent.scene()
    still = ~np.logical_or.reduce([one.instances > 0, other.instances > 0])
    same = (one.picture == other.picture).all(axis=2)
    assert same[still].mean() > 0.9  # but for its shadow
    assert not same[one.instances > 0].mean() > 0.6
    assert one.colours == other.colours


# -- among pictures of a run ------------------------------------------------------------------


class MeanGraph:
    """Answers by the mean colour of the middle: blind to shape, so that answers change at times."""

    input_names = ("pictures",)
    output_names = ("logits",)

    def __init__(self, outputs: int) -> None:
        self.weights = np.random.default_rng(0).normal(0, 0.2, (3, outputs))

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        middle = feeds["pictures"][:, 10:30, 10:30].mean(axis=(1, 2))
        return {"logits": (middle @ self.weights).astype(np.float32)}


def classifier(names: tuple[str, ...]) -> Task[Any, Any]:
    kind = task_type("classify")
    facts = {"model": "small-cnn", "names": names, "counts": (5,) * len(names), "size_hw": SIZE_HW,
             "fit": "squash", "channels": 3}  # fmt: skip
    return kind(kind.config_type.parse({}), kind.facts_type.parse(facts))


@pytest.fixture(scope="module")
def solids() -> Dataset[Any]:
    return solids_dataset("class", n=24, settings=SolidSettings(size_hw=(32, 32)))


@pytest.fixture(scope="module")
def stock(solids: Dataset[Any]) -> Stock:
    return read_stock(classifier(solids.names), solids, seed=3, workers=2)


def engine(stock: Stock, workers: int = 2) -> Engine:
    graph: Any = MeanGraph(len(stock.names))
    return Engine(classifier(stock.names), graph, workers=workers, call=8)


def test_equal_arguments_give_equal_results(stock: Stock) -> None:
    for axis in (AXES["pose"], AXES["articulation"]):
        before = stock.pixels.copy()
        whole = axis.change(stock.pixels, axis.levels[4], stock.material(slice(0, 24)))
        rows = [slice(at, at + 5) for at in range(0, 24, 5)]
        parts = [axis.change(stock.pixels[row], axis.levels[4], stock.material(row)) for row in rows]
        np.testing.assert_array_equal(whole.pictures, np.concatenate([one.pictures for one in parts]))
        assert whole.truths == tuple(stock.truths)
        assert whole.moves is None
        np.testing.assert_array_equal(stock.pixels, before)
        assert whole.pictures.shape == stock.pixels.shape
    one, many = (
        next(engine(stock, workers).passes(stock, [Pass(AXES["pose"], 3)])) for workers in (1, 3)
    )
    for left, right in zip(one.results, many.results, strict=True):
        np.testing.assert_array_equal(left.probabilities, right.probabilities)


def test_truths_of_numbers_move_in_a_pass() -> None:
    heads = solids_dataset("heads", n=5, settings=SolidSettings(size_hw=(16, 16)))
    found = read_stock(classifier(heads.names), heads, seed=0, workers=1)
    (answered,) = engine(found).passes(found, [Pass(AXES["pose"], 5)])
    wanted = [again(record, heads.names, "pose", 60.0).target for record in heads]
    assert answered.truths == wanted
    assert answered.truths != found.truths


def test_only_what_has_joints_is_measured(stock: Stock) -> None:
    axis, clutter = AXES["articulation"], AXES["litter"]
    rows = list(stock.rows_of(axis))
    assert {stock.truths[row] for row in rows} == {("dog",), ("person",)}
    assert len(rows) == 6
    resamples = resamples_for(24, seed=0)
    found = measure_axes(engine(stock), stock, [axis, AXES["pose"], clutter], (1, 5), resamples)
    bent, turned = found.curves
    assert bent.axis is axis
    assert bent.pictures == 6
    assert bent.clean.value == pytest.approx(found.clean.marks[rows].mean())
    assert turned.clean.value == found.clean.headline.value
    assert turned.pictures == 24
    assert bent.draws.shape == turned.draws.shape
    assert found.left_out == ((clutter, "none of the pictures that were taken can be changed so"),)
    assert found.passes == 24 + 2 * (6 + 24)
    marks = found.judged["articulation", 5].marks
    others = [row for row in range(24) if row not in rows]
    np.testing.assert_array_equal(marks[others], found.clean.marks[others])
    assert bent.levels[-1].score.value == pytest.approx(marks[rows].mean())
    for case in worst_cases(engine(stock), found, AXES["pose"], most=3, spare=set()):
        assert case.truth == stock.truths[case.row]
        assert (case.pixels != stock.pixels[case.row]).any()


def test_pictures_in_files_are_never_drawn_again(make_dataset: Callable[..., Dataset[Any]]) -> None:
    dataset = make_dataset([("a",), ("b",), ("a",)], ("a", "b"), size_hw=SIZE_HW)
    record = dataset.records[0]
    assert not isinstance(record.origin, Redrawable)
    assert redrawn(record, dataset.names, "pose", 10.0) is None
    found = read_stock(classifier(("a", "b")), dataset, seed=0, workers=1)
    assert not found.can_be_redrawn
    assert not any(found.rows_of(axis) for axis in REDRAWN)
    assert list(found.rows_of(replace(AXES["pose"], needs_redraw=False))) == [0, 1, 2]
