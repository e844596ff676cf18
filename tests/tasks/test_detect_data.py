from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.data.boxes.truth import Box
from striate.errors import LabelError, UnknownNameError, UsageError
from striate.tasks.detect.config import DetectConfig, DetectFacts
from striate.tasks.detect.data import align_boxes, arrays_of_boxes, choose_input, learn_facts
from striate.tasks.detect.task import Detect

NAMES = ("ant", "bee")


def sizes(height: float, width: float, count: int = 5) -> np.ndarray:
    return np.tile([[height, width]], (count, 1))


@pytest.mark.parametrize(
    ("size_hw", "sides", "expected"),
    [
        # blood cells: platelets of 40 pixels beside cells of 100, in 480 × 640
        ((480, 640), [40] * 20 + [100] * 80, (448, 576)),
        # the same objects in four times as many pixels: the same input
        ((960, 1280), [80] * 20 + [200] * 80, (448, 576)),
        # pictures of 28 × 28
        ((28, 28), [10] * 30, (96, 96)),
        # never smaller than two places of the coarsest map
        ((28, 28), [28] * 30, (64, 64)),
        # a panorama one pixel high
        ((1, 4000), [1] * 10, (64, 960)),
        ((4000, 1), [1] * 10, (960, 64)),
        # one object as large as its picture: no reason to look closer
        ((1000, 1000), [1000], (320, 320)),
        # specks in a huge picture: as large as is sensible
        ((3000, 4000), [10] * 50, (704, 960)),
        # half of all objects are tiny: the smaller ones decide
        ((600, 600), [30] * 10 + [300] * 10, (704, 704)),
    ],
)
def test_the_input_suits_the_smaller_objects(
    size_hw: tuple[int, int], sides: list[float], expected: tuple[int, int]
) -> None:
    found = choose_input(sizes(*size_hw), np.asarray(sides, float))
    assert found == expected
    assert all(side % 32 == 0 for side in found)


def test_most_pictures_decide() -> None:
    mixed = np.concatenate([sizes(480, 640, 9), sizes(4000, 30, 2)])
    assert choose_input(mixed, np.full(9, 40.0)) == (448, 576)


def learnt(make_dataset: Any, targets: list[Any], **settings: Any) -> DetectFacts:
    data = make_dataset(targets, NAMES, size_hw=(48, 64))
    return learn_facts(data, DetectConfig.parse(settings))


def test_facts_tell_what_was_there(make_dataset: Any) -> None:
    targets = [
        (Box("ant", (0, 0, 10, 40)), Box("bee", (5, 5, 15, 15)), Box("ant", (1, 1, 3, 3))),
        (),
        (Box("ant", (0, 0, 20, 20)),),
    ]
    facts = learnt(make_dataset, targets, size="96x96")
    assert facts.names == NAMES
    assert facts.counts == (3, 1)
    assert facts.most_boxes == 3
    assert facts.method == "fcos"
    assert facts.size_hw == (96, 96)
    # sides 2, 10, 20, 20 in pictures of 48 × 64 that become 1.5 times as large
    assert facts.side_quantiles == pytest.approx((3.0, 12.0, 22.5, 30.0, 30.0))


def test_pictures_without_boxes_teach_nothing(make_dataset: Any) -> None:
    with pytest.raises(LabelError, match=r"no box in its 3 training pictures.*data check"):
        learnt(make_dataset, [(), (), ()])


def test_objects_that_must_not_be_learnt_alone_teach_nothing(make_dataset: Any) -> None:
    crowd = (Box("ant", (0, 0, 20, 20), crowd=True), Box("bee", (5, 5, 9, 9), difficult=True))
    with pytest.raises(LabelError):
        learnt(make_dataset, [crowd, crowd])


def test_an_unknown_method_names_the_nearest(make_dataset: Any) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'faster-rcnn'"):
        learnt(make_dataset, [(Box("ant", (0, 0, 9, 9)),)], method="fastr-rcnn")


@pytest.mark.parametrize("method", ["ssd", "faster-rcnn", "single"])
def test_only_fcos_turns_boxes(make_dataset: Any, method: str) -> None:
    with pytest.raises(UsageError, match=f"{method} answers upright boxes only.*fcos"):
        learnt(make_dataset, [(Box("ant", (0, 0, 9, 9)),)], method=method, boxes="turned")


TURNED = (Box("ant", (10, 10, 30, 20), angle_deg=90.0),)


def test_turned_truths_make_a_detector_of_turned_boxes(make_dataset: Any) -> None:
    assert learnt(make_dataset, [TURNED]).oriented
    assert not learnt(make_dataset, [TURNED], boxes="upright").oriented
    assert not learnt(make_dataset, [TURNED], method="ssd").oriented
    upright = (Box("ant", (10, 10, 30, 20)),)
    assert not learnt(make_dataset, [upright]).oriented
    assert learnt(make_dataset, [upright], boxes="turned").oriented


def test_turned_truths_become_the_upright_boxes_around_them(make_dataset: Any) -> None:
    data = make_dataset([TURNED], NAMES, size_hw=(48, 64))
    (record,) = align_boxes(data, facts_of())
    (box,) = record.target
    assert box.box_xyxy == pytest.approx((15, 5, 25, 25))
    assert box.angle_deg == 0.0
    assert align_boxes(data, facts_of(oriented=True)).targets == [TURNED]


def test_a_method_with_eyes_of_its_own_takes_no_network(make_dataset: Any) -> None:
    boxes = [(Box("ant", (0, 0, 9, 9)),)]
    assert learnt(make_dataset, boxes, method="sliding-window").model == "window-cnn"
    with pytest.raises(UsageError, match=r"network of its own.*--model"):
        learnt(make_dataset, boxes, method="sliding-window", model="resnet18")


def test_classes_take_the_order_of_the_model(make_dataset: Any) -> None:
    data = make_dataset([(Box("bee", (0, 0, 9, 9)),)], ("bee",), size_hw=(48, 64))
    facts = learnt(make_dataset, [(Box("ant", (0, 0, 9, 9)), Box("bee", (0, 0, 9, 9)))])
    assert align_boxes(data, facts).names == NAMES
    strange = make_dataset([(Box("wasp", (0, 0, 9, 9)), Box("elk", (0, 0, 9, 9)))], ("elk", "wasp"))
    with pytest.raises(LabelError, match=r"elk, wasp.*ant, bee"):
        align_boxes(strange, facts)


def facts_of(**changes: Any) -> DetectFacts:
    return DetectFacts.parse(
        {"method": "fcos", "model": "resnet18", "names": NAMES, "size_hw": (64, 96), **changes}
    )


def test_truths_are_padded_in_input_pixels() -> None:
    """128 × 64 in 64 × 96: half as large, 32 grey columns to the left."""
    task = Detect(DetectConfig(), facts_of())
    one = task.prepare(np.zeros((128, 64, 3), np.uint8))
    geometry = np.array([[*one.size_hw, *one.scale_yx, *one.offset_yx]] * 3)
    targets = [
        (Box("bee", (0, 0, 64, 128), angle_deg=30.0), Box("ant", (10, 20, 30, 60))),
        (),
        (
            Box("ant", (0, 0, 9, 9), crowd=True),
            Box("bee", (0, 0, 9, 9), difficult=True),
            Box("ant", (2, 4, 6, 8)),
        ),
    ]
    boxes, angles, labels = arrays_of_boxes(targets, geometry, facts_of())
    assert (boxes.dtype, angles.dtype, labels.dtype) == (np.float32, np.float32, np.int64)
    assert boxes.tolist() == [
        [[32, 0, 64, 64], [37, 10, 47, 30]],
        [[0, 0, 0, 0], [0, 0, 0, 0]],
        [[33, 2, 35, 4], [0, 0, 0, 0]],
    ]
    assert angles.tolist() == [[30, 0], [0, 0], [0, 0]]
    assert labels.tolist() == [[1, 0], [-1, -1], [0, -1]]


def test_no_truths_keep_their_form() -> None:
    none = arrays_of_boxes([], np.zeros((0, 6)), facts_of())
    assert [one.shape for one in none] == [(0, 1, 4), (0, 1), (0, 1)]
    empty = arrays_of_boxes([(), ()], np.ones((2, 6)), facts_of())
    assert [one.shape for one in empty] == [(2, 1, 4), (2, 1), (2, 1)]
    assert (empty[2] == -1).all()


def test_pictures_that_cannot_be_read_are_told_where_they_are_read(make_dataset: Any) -> None:
    """Learning looks at sizes; a damaged file is found, and named, when all pictures are prepared."""
    from striate.errors import PictureError

    class Damaged:
        def read(self, at_least_hw: object = None) -> np.ndarray:
            raise PictureError("set/0", reason="it is damaged", remedy="restore it")

        def content_hash(self) -> str:
            return "0"

    data = make_dataset([(Box("ant", (0, 0, 9, 9)),)] * 3, NAMES, size_hw=(48, 64))
    for damaged in (data.records[:1], data.records):
        records = tuple(
            replace(one, origin=Damaged()) if one in damaged else one for one in data.records
        )
        assert learn_facts(replace(data, records=records), DetectConfig()).names == NAMES


@pytest.mark.parametrize("setting", [{"classifier": "svm"}, {"looks": 3}])
def test_choices_of_r_cnn_are_refused_elsewhere(make_dataset: Any, setting: dict[str, Any]) -> None:
    data = make_dataset([(Box("ant", (0, 0, 9, 9)),)] * 3, NAMES, size_hw=(48, 64))
    assert learn_facts(data, DetectConfig(method="rcnn", **setting)).method == "rcnn"
    with pytest.raises(UsageError, match="method fcos has none"):
        learn_facts(data, DetectConfig(method="fcos", **setting))
