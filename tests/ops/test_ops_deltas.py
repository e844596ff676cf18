"""Box adjustment: the examples of the deck as they stand, and torchvision's coder."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.ops.deltas import MOST_GROWTH, DeltaForm, boxes_from_deltas, deltas_from_boxes

PROPOSAL = np.array([[100.0, 50, 180, 90]])  # 80 wide, 40 high
PLACES, SIDES = st.floats(-500, 500), st.floats(1, 300)
BOXES = st.tuples(PLACES, PLACES, SIDES, SIDES).map(
    lambda one: np.array([[one[0], one[1], one[0] + one[2], one[1] + one[3]]])
)


@pytest.mark.parametrize(
    ("truth", "delta"),
    [
        ((100, 50, 180, 90), (0, 0, 0, 0)),  # the proposal is good
        ((120, 50, 200, 90), (0.25, 0, 0, 0)),  # it lies too far left, by a quarter of its width
        ((105, 50, 175, 90), (0, 0, -0.125, 0)),  # it is too wide
        ((100, 60, 180, 100), (0, 0.25, 0, 0)),
        ((100, 45, 180, 95), (0, 0, 0, 0.25)),
    ],
)
def test_the_examples_of_the_deck(truth: tuple[float, ...], delta: tuple[float, ...]) -> None:
    truths = np.array([truth], np.float64)
    assert deltas_from_boxes(PROPOSAL, truths).tolist() == [list(delta)]
    assert boxes_from_deltas(PROPOSAL, np.array([delta])).tolist() == truths.tolist()


@pytest.mark.parametrize("form", get_args(DeltaForm))
@given(proposals=BOXES, truths=BOXES)
def test_there_and_back(form: DeltaForm, proposals: np.ndarray, truths: np.ndarray) -> None:
    deltas = deltas_from_boxes(proposals, truths, form=form)
    growth = (truths[:, 2:] - truths[:, :2]) / (proposals[:, 2:] - proposals[:, :2])
    if (growth < MOST_GROWTH).all():
        np.testing.assert_allclose(
            boxes_from_deltas(proposals, deltas, form=form), truths, rtol=1e-9, atol=1e-6
        )


def test_the_forms_agree_on_small_changes_only() -> None:
    truths = np.array([[99.0, 50, 180, 91], [100, 50, 140, 90]])
    proposals = np.repeat(PROPOSAL, 2, axis=0)
    deck, rcnn = (deltas_from_boxes(proposals, truths, form=form) for form in get_args(DeltaForm))
    np.testing.assert_allclose(deck[0], rcnn[0], atol=1e-3)
    assert deck[1, 2] == -0.5
    assert rcnn[1, 2] == pytest.approx(np.log(0.5))


def test_the_rcnn_form_against_torchvision() -> None:
    torch = pytest.importorskip("torch")
    from torchvision.models.detection._utils import BoxCoder

    rng = np.random.default_rng(0)
    corners = rng.random((2, 40, 2)) * 100
    proposals, truths = (
        np.concatenate([one, one + rng.random((40, 2)) * 60 + 2], axis=1).astype(np.float32)
        for one in corners
    )
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    (expected,) = coder.encode([torch.from_numpy(truths)], [torch.from_numpy(proposals)])
    found = deltas_from_boxes(proposals, truths, form="rcnn")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    wild = (rng.normal(size=(40, 4)) * 4).astype(np.float32)  # some beyond the greatest growth
    assert (wild[:, 2:] > np.log(MOST_GROWTH)).any()
    decoded = coder.decode(torch.from_numpy(wild), [torch.from_numpy(proposals)])[:, 0].numpy()
    np.testing.assert_allclose(
        boxes_from_deltas(proposals, wild, form="rcnn"), decoded, rtol=1e-3, atol=0.02
    )


def test_a_side_never_turns_inside_out() -> None:
    found = boxes_from_deltas(PROPOSAL, np.array([[0, 0, -3, 1e9]]))
    assert found[0, 0] == found[0, 2] == 140
    assert found[0, 3] - found[0, 1] == pytest.approx(40 * MOST_GROWTH)


def test_boxes_without_area_are_refused_by_name() -> None:
    flat = np.array([[0.0, 0, 5, 5], [1, 1, 1, 5]])
    both = np.repeat(PROPOSAL, 2, axis=0)
    with pytest.raises(ValueError, match="proposals_xyxy: box 1 is 0 wide and 4 high"):
        deltas_from_boxes(flat, both)
    with pytest.raises(ValueError, match="truths_xyxy: box 1"):
        deltas_from_boxes(both, flat, form="rcnn")
    assert deltas_from_boxes(both, flat)[1, 2] == -1  # the deck's form can say it


def test_whole_numbers_and_none() -> None:
    assert deltas_from_boxes(PROPOSAL.astype(int), PROPOSAL.astype(int)).tolist() == [[0, 0, 0, 0]]
    for form in get_args(DeltaForm):
        none = np.empty((0, 4), np.float32)
        assert boxes_from_deltas(none, none, form=form).shape == (0, 4)
        assert deltas_from_boxes(none, none, form=form).shape == (0, 4)
