"""Pictures of a batch that are to undergo the same thing, taken together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from striate.types import Array

__all__ = ["by_kind"]


def by_kind(pictures: Tensor, kinds: Array, change: Callable[[int, Tensor, Array], Tensor]) -> Tensor:
    """`change(kind, pictures of this kind, their rows)` for each of `kinds` (B,), back in order.

    Whole pictures are copied and put in order, which costs little; indexing in place would go byte by
    byte. What `change` is given may be the batch itself: it must not be written to.
    """
    found = [(kind, np.flatnonzero(kinds == kind)) for kind in np.unique(kinds).tolist() or [0]]
    if len(found) == 1:
        return change(found[0][0], pictures, found[0][1])
    parts = [change(kind, _taken(pictures, rows), rows) for kind, rows in found]
    order = np.argsort(np.concatenate([rows for _, rows in found]))
    return _taken(torch.cat(parts), order)


def _taken(pictures: Tensor, rows: Array) -> Tensor:
    return pictures.index_select(0, torch.from_numpy(rows).to(pictures.device))
