"""The corruptions of Hendrycks & Dietterich (2019): fifteen, and four more, at five severities each.

corrupt(pictures, "fog", 3, seeds)     uint8 (B, h, w, 3), whatever the size
CORRUPTIONS, EXTRA_CORRUPTIONS         the same as axes of the stress card
mean_corruption_error(errors, …)       mCE, with its baseline named
"""

from __future__ import annotations

from striate.stress.corruptions.apply import corrupt
from striate.stress.corruptions.axes import CORRUPTIONS, EXTRA_CORRUPTIONS, described_severities
from striate.stress.corruptions.mce import (
    ALEXNET,
    Baseline,
    CorruptionErrors,
    mce_against,
    mean_corruption_error,
)
from striate.stress.corruptions.tables import COMMON, EXTRA, NAMES, CorruptionName, ParameterSet

__all__ = [
    "ALEXNET",
    "COMMON",
    "CORRUPTIONS",
    "EXTRA",
    "EXTRA_CORRUPTIONS",
    "NAMES",
    "Baseline",
    "CorruptionErrors",
    "CorruptionName",
    "ParameterSet",
    "corrupt",
    "described_severities",
    "mce_against",
    "mean_corruption_error",
]
