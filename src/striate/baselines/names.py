"""Names such as hog+svm: features, then the learner. Nothing heavy is imported to read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from striate.errors import UnknownNameError, UsageError

__all__ = ["FEATURES", "LEARNERS", "BaselineName", "is_baseline", "parse_baseline"]

FEATURES: tuple[str, ...] = ("pixels", "hog", "lbp", "colour", "sift-words")
LEARNERS: Mapping[str, tuple[str, ...]] = {
    "logistic": ("classes", "labels"),
    "ridge": ("columns",),
    "svm": ("classes", "labels", "columns"),
    "forest": ("classes", "labels", "columns"),
    "boosting": ("classes", "labels", "columns"),
    "mlp": ("classes", "labels", "columns"),
}
"""Learner → the kinds of truth that it learns."""


@dataclass(frozen=True, slots=True)
class BaselineName:
    """One or more features, joined, and the learner that reads them."""

    features: tuple[str, ...]
    learner: str

    def __str__(self) -> str:
        return "+".join((*self.features, self.learner))


def is_baseline(model: str) -> bool:
    """Whether `model` names features and a learner rather than a network.

    >>> is_baseline("hog+svm"), is_baseline("resnet18")
    (True, False)
    """
    return "+" in model


def parse_baseline(model: str, *, kind: str = "") -> BaselineName:
    """The parts of a name such as "hog+svm" or "hog+colour+forest".

    `kind`: what is learnt, "classes", "labels" or "columns"; a learner that cannot is refused.

    >>> parse_baseline("hog+colour+svm")
    BaselineName(features=('hog', 'colour'), learner='svm')
    """
    *features, learner = (part.strip() for part in model.split("+"))
    if learner not in LEARNERS:
        raise UnknownNameError("learner", learner, LEARNERS, remedy=_shape(model))
    for feature in features:
        if feature not in FEATURES:
            raise UnknownNameError("feature", feature, FEATURES, remedy=_shape(model))
    if len(set(features)) != len(features):
        raise UsageError(f"{model!r} names a feature twice", expected="each at most once")
    if kind and kind not in LEARNERS[learner]:
        fit = [name for name, kinds in LEARNERS.items() if kind in kinds]
        other = "numbers" if kind == "columns" else "classes"
        raise UsageError(
            f"the learner {learner!r} of {model!r} cannot learn {other}",
            expected=f"one of {', '.join(fit)}",
        )
    return BaselineName(tuple(features), learner)


def _shape(model: str) -> str:
    return f"{model!r} should be features and a learner, such as hog+svm or hog+colour+forest"
