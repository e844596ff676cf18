"""How the good-feature test is run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from striate.settings import Settings

__all__ = ["TrialSettings"]


class TrialSettings(Settings):
    """Equal terms for all detectors."""

    limit: Annotated[int, Field(ge=1, le=5000)] = 500
    """Each detector keeps so many of its strongest key points in each picture."""
    overlap: Annotated[float, Field(gt=0, le=0.5)] = 0.4
    """Overlap error below which two regions are the same one; 0.4 is the protocol's."""
    longest: Annotated[int, Field(ge=1, le=1600)] = 640
    """Larger pictures are scaled down to this longest side first."""
    seed: int = 0
    """Seed of noise, of hiding patches and of the points that lie by chance."""
