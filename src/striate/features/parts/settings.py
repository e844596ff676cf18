"""How a part detector is trained."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from striate.settings import Settings

__all__ = ["PartsSettings"]


class PartsSettings(Settings):
    """Sizes and rounds; the defaults suit some tens to hundreds of marked objects."""

    parts: Annotated[int, Field(ge=0, le=16)] = 6
    """Parts of each view; 0 leaves the root filter alone."""
    components: Annotated[int, Field(ge=1, le=6)] = 1
    """Views that get a model each, such as a car from the side and from the front."""
    cells: Annotated[int, Field(ge=9, le=200)] = 60
    """Cells of 8 × 8 pixels that the root filter has, about; more see finer and take longer."""
    rounds: Annotated[int, Field(ge=1, le=10)] = 3
    """Times that the parts are placed anew and everything is learnt again."""
    penalty: Annotated[float, Field(gt=0)] = 0.01
    """Weight of errors against large filters (C of the support vector machine)."""
    negatives: Annotated[int, Field(ge=10, le=20_000)] = 3000
    """Windows without the object that are kept in memory, the hardest ones."""
    enlarge: Annotated[float, Field(gt=0, le=4)] = 2.0
    """How far pictures may be enlarged to find small objects."""
    seed: int = 0
    """Seed of the first windows without the object, and of the division into views."""
