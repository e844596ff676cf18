"""Values of layers that can be reckoned with."""

from __future__ import annotations

import numpy as np

from striate.errors import DataError
from striate.types import Array

__all__ = ["check_finite"]


def check_finite(name: str, values: Array) -> None:
    """A `DataError` where the layer `name` gives `values` that are not all finite."""
    if not np.isfinite(values).all():
        raise DataError(
            f"layer {name} gives values that are not finite",
            expected="numbers",
            remedy="train the run again with a lower learning rate",
        )
