"""Proposals from outside: what Selective Search finds in a prepared picture, in training and in use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.cores import usable_cores
from striate.tasks.detect.config import Method
from striate.types import Array, Picture, PictureArray

__all__ = ["MOST_PROPOSALS", "PROPOSED_OUTSIDE", "proposals_of"]

PROPOSED_OUTSIDE: frozenset[Method] = frozenset({"rcnn", "fast-rcnn"})
"""Methods whose graph takes proposals as a second input."""
MOST_PROPOSALS = 500
"""Best proposals of a picture that are looked at; further ones add little recall (docs)."""


def proposals_of(pixels: PictureArray) -> Array:
    """The best proposals of prepared pictures uint8 (N, h, w, 3): float32 (N, P, 4), xyxy, zeros where
    there are fewer."""
    from striate.features.proposals import propose_many

    pictures: list[Callable[[], Picture]] = [lambda one=one: np.asarray(one) for one in pixels]  # type: ignore[misc]
    told = propose_many(pictures, most=MOST_PROPOSALS, threads=min(len(pixels), usable_cores()))
    found = np.zeros((len(pixels), MOST_PROPOSALS, 4), np.float32)
    for row, one in enumerate(told):
        found[row, : len(one)] = one.boxes_xyxy
    return found
