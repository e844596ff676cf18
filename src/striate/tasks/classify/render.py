"""A classifier's answer, drawn on a copy of the picture."""

from __future__ import annotations

from striate.metrics.plain import percent
from striate.pictures.draw import label_band
from striate.pictures.panels import bars
from striate.tasks.classify.types import Classification
from striate.types import Picture

__all__ = ["answer_text", "render_classification"]

_BARS = 5


def answer_text(prediction: Classification) -> str:
    """The answer in a few words.

    >>> import numpy as np
    >>> found = Classification(("cat", "dog"), np.array([0.25, 0.75], np.float32), ("dog",), known=False)
    >>> answer_text(found)
    'unknown (perhaps dog, 75.0 %)'
    """
    if prediction.multi_label:
        return ", ".join(prediction.labels) or "none of the labels"
    share = percent(prediction.score)
    if not prediction.known:
        return f"unknown (perhaps {prediction.label}, {share})"
    return f"{prediction.label} {share}"


def render_classification(picture: Picture, prediction: Classification) -> Picture:
    """`picture` with the likeliest classes beside it and the answer beneath; uint8 (H', W', 3)."""
    likeliest = [(name, min(share, 1.0)) for name, share in prediction.top(_BARS)]
    return label_band(bars(picture, likeliest), answer_text(prediction))
