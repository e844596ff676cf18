"""What a user chooses for a regressor, and what it learns from the data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from striate.data.inputs import Columns, Fit, SizeText
from striate.settings import Settings

__all__ = ["RegressConfig", "RegressFacts"]


class RegressConfig(Settings):
    """How to predict numbers: the network, its input, which columns, which of them are angles."""

    model: str = "auto"
    """pixels-linear, pixels-mlp, deck-cnn, small-cnn, alexnet, zfnet, vgg19, googlenet, resnet152, any
    timm name, hand-made features with a learner such as hog+svm, or compare for a ladder of models; auto
    suits the pictures."""
    size: SizeText = None
    """Input side in pixels, or HEIGHTxWIDTH; by default what suits the pictures and the network."""
    fit: Literal["auto", "crop", "pad", "squash"] = "auto"
    """How a picture of another shape is fitted: crop its middle, pad it, or squash it."""
    grey: bool = False
    """Look at pictures in grey."""
    path_column: str | None = None
    """Table column with the picture's path; by default found by its contents."""
    target: Columns = ()
    """Table column(s) with the numbers to predict, separated by commas; by default all numeric ones."""
    angles: Columns = ()
    """Those of the columns that are angles in degrees: 359 is next to 0."""
    coverage: float = Field(default=0.9, gt=0, lt=1)
    """Share of new pictures whose truth shall lie within the interval given."""


class RegressFacts(Settings):
    """What a regressor learnt from the data; with the graph, all that is needed to use it."""

    model: str
    """The network, with auto made concrete."""
    names: tuple[str, ...] = Field(min_length=1)
    """Target columns, in the order of the graph's outputs."""
    is_angle: tuple[bool, ...]
    """Whether each target is an angle in degrees, which wraps at 360."""
    mean: tuple[float, ...]
    """Mean of each target in training; of an angle, the direction of the mean unit vector."""
    scale: tuple[float, ...]
    """Standard deviation of each target in training, above 0; of an angle, about its mean, wrapped."""
    middle: tuple[float, ...]
    """The best constant guess in training: the median; of an angle, the mean."""
    size_hw: tuple[int, int]
    """Height and width of the network input, pixels."""
    fit: Fit
    """How a picture of another shape is fitted."""
    channels: Literal[1, 3]
    """1 if all training pictures are grey, or were to be taken so: the graph weighs the colours."""
    coverage: float
    """Share of truths that the intervals are to hold; less than asked for if validation is tiny."""
    radius: tuple[float, ...] = ()
    """Half the width of each target's interval, in sigmas if `by_sigma`; empty before calibration."""
    by_sigma: bool = False
    """The network tells a spread for each picture, and the intervals are as wide as that."""
