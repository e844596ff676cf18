"""What a user chooses for a classifier, and what it learns from the data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from striate.data.inputs import Columns, Fit, SizeText
from striate.settings import Settings

__all__ = ["ClassifyConfig", "ClassifyFacts"]


class ClassifyConfig(Settings):
    """How to classify: the network, its input, what counts as a class."""

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
    multi_label: bool = False
    """A picture may have any number of labels, none too."""
    path_column: str | None = None
    """Table column with the picture's path; by default found by its contents."""
    target: Columns = ()
    """Table column(s) with the label; by default found by name."""
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    """Part of the truth moved evenly over all classes while training (Szegedy et al. 2016)."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced lets rare classes weigh as much as common ones in the loss."""
    reject_at: float | None = Field(default=None, gt=0, lt=1)
    """Answer "unknown" so that, of the answers given, at most this share is wrong (95 % sure)."""
    top_k: int = Field(default=5, ge=1)
    """How many best classes count as a hit in top-k accuracy."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """Multi-label: probability from which a label is given; by default the best F1 a label."""


class ClassifyFacts(Settings):
    """What a classifier learnt from the data; with the graph, all that is needed to use it."""

    model: str
    """The network, with auto made concrete."""
    names: tuple[str, ...] = Field(min_length=1)
    """Class names, in the order of the graph's outputs."""
    counts: tuple[int, ...] = ()
    """Training pictures of each class."""
    class_weights: tuple[float, ...] = ()
    """Weight of each class in the loss; empty for equal weights."""
    size_hw: tuple[int, int]
    """Height and width of the network input, pixels."""
    fit: Fit
    """How a picture of another shape is fitted."""
    channels: Literal[1, 3]
    """1 if all training pictures are grey, or were to be taken so: the graph weighs the colours."""
    multi_label: bool = False
    """Any number of labels a picture."""
    temperature: float = Field(default=1.0, gt=0)
    """Logits are divided by this, so that probabilities are honest (Guo et al. 2017)."""
    thresholds: tuple[float, ...] = ()
    """Multi-label: probability from which each label is given; empty for one half."""
    reject_threshold: float | None = None
    """Answers with a lower probability are unknown; above 1, nothing could be promised."""
    reject_error: float | None = None
    """Upper bound (95 % sure) of the share of wrong answers among those that are not unknown."""
    reject_coverage: float | None = None
    """Share of the validation pictures that is not unknown."""
