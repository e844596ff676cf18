"""From float values back to pictures, and tables that act on greys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from striate.types import PictureArray

__all__ = ["floored"]


def floored(values: NDArray[np.float32]) -> PictureArray:
    """⌊clip(values, 0, 255)⌋ as uint8; `values` (…, 3) is the caller's own and is overwritten.

    The published code casts, which cuts off. A thousandth is added first: its double-precision round
    trips through 0 … 1 and ours in float32 leave whole numbers on either side.
    """
    values += 1e-3
    np.clip(values, 0.0, 255.0, out=values)
    return values.astype(np.uint8)
