"""Box adjustment (dx, dy, dw, dh): how a proposal must move and change to become the true box.

Two forms, both in units of the proposal, whose width and height are Pw and Ph; x and y are middles.

- "deck": dx = (Gx − Px) / Pw, dw = (Gw − Pw) / Pw. (0, 0, 0, 0) is a good proposal, (.25, 0, 0, 0) lies
  too far left by a quarter of its width, (0, 0, −.125, 0) is too wide by an eighth of its width.
- "rcnn": dx as above, dw = ln(Gw / Pw) (Girshick et al. 2014, appendix C): halving and doubling are
  equally far. The form that R-CNN and its successors regress.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from striate.ops.boxes import xyxy_to_cxcywh
from striate.types import Array

__all__ = ["MOST_GROWTH", "DeltaForm", "boxes_from_deltas", "deltas_from_boxes"]

DeltaForm = Literal["deck", "rcnn"]

MOST_GROWTH = 1000 / 16
"""A side never becomes longer than by this factor, whatever a network says (as in Detectron)."""


def deltas_from_boxes(proposals_xyxy: Array, truths_xyxy: Array, *, form: DeltaForm = "deck") -> Array:
    """What turns each proposal (N, 4) into the truth in its place (N, 4): (N, 4), dx, dy, dw, dh.

    A `ValueError` where a proposal has no width or no height; in the form "rcnn", a truth likewise.

    >>> deltas_from_boxes(np.array([[0.0, 0, 80, 40]]), np.array([[20.0, 0, 100, 40]])).tolist()
    [[0.25, 0.0, 0.0, 0.0]]
    """
    proposals, truths = (_floats(one) for one in (proposals_xyxy, truths_xyxy))
    own, true = xyxy_to_cxcywh(proposals), xyxy_to_cxcywh(truths)
    _check_sides("proposals_xyxy", own)
    if form == "rcnn":
        _check_sides("truths_xyxy", true)
    ratio = true[:, 2:] / own[:, 2:]
    moves = (true[:, :2] - own[:, :2]) / own[:, 2:]
    return np.concatenate([moves, np.log(ratio) if form == "rcnn" else ratio - 1], axis=1)


def boxes_from_deltas(proposals_xyxy: Array, deltas: Array, *, form: DeltaForm = "deck") -> Array:
    """Proposals (N, 4) moved and changed by deltas (N, 4): boxes_xyxy (N, 4), the way back.

    Sides grow by 62.5 times at most; in the form "deck", −1 and less leaves a side of 0.

    >>> boxes_from_deltas(np.array([[0.0, 0, 80, 40]]), np.array([[0, 0, -0.125, 0]])).tolist()
    [[5.0, 0.0, 75.0, 40.0]]
    """
    own, deltas = xyxy_to_cxcywh(_floats(proposals_xyxy)), _floats(deltas)
    middles = own[:, :2] + deltas[:, :2] * own[:, 2:]
    if form == "rcnn":
        growth = np.exp(np.minimum(deltas[:, 2:], math.log(MOST_GROWTH)))
    else:
        growth = np.clip(1 + deltas[:, 2:], 0, MOST_GROWTH)
    half = own[:, 2:] * growth / 2
    return np.concatenate([middles - half, middles + half], axis=1)


def _floats(rows: Array) -> Array:
    """(N, 4), float32 as it is, anything else as float64."""
    found = np.asarray(rows)
    return found if found.dtype == np.float32 else found.astype(np.float64)


def _check_sides(name: str, boxes_cxcywh: Array) -> None:
    bad = np.flatnonzero(~(boxes_cxcywh[:, 2:] > 0).all(axis=1))
    if len(bad):
        width, height = boxes_cxcywh[bad[0], 2:].tolist()
        raise ValueError(
            f"{name}: box {bad[0]} is {width:g} wide and {height:g} high; expected both above 0"
        )
