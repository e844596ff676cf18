"""The formulae of the decks, each with its value, its gradient, its words and its source.

Each can be called, and `check` compares its gradient with the measured one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from striate.arithmetic.activations import softmax, softmax_jacobian
from striate.arithmetic.box_losses import (
    box_l2,
    box_l2_gradient,
    iou_loss,
    iou_loss_gradient,
    multitask,
    multitask_gradient,
)
from striate.arithmetic.gradient_check import GradientCheck, check_gradient
from striate.arithmetic.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    categorical_cross_entropy,
    categorical_cross_entropy_gradient,
    cross_entropy,
    cross_entropy_gradient,
    mean_squared_error,
    mean_squared_error_gradient,
)
from striate.arithmetic.similarity import (
    inverted_verification,
    inverted_verification_gradient,
    pairwise_hinge,
    pairwise_hinge_gradient,
    triplet,
    triplet_gradient,
    verification,
    verification_gradient,
)
from striate.arithmetic.svd import decompose, singular_value_gradient
from striate.errors import UnknownNameError
from striate.types import Array

__all__ = ["FORMULAE", "Formula", "check_formula", "formula"]

Gradient: TypeAlias = Array | tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """`value(*arguments)` is a number or an array; `gradient(*arguments)` its derivative with respect to
    the arguments at the places `by`, one array each (shape of the value, then of the argument), or the
    array alone where there is one. `arguments`: names, in order. `example(rng)`: arguments for a check.
    `note`: what goes wrong, or what a deck gets wrong."""

    name: str
    statement: str
    source: str
    arguments: tuple[str, ...]
    by: tuple[int, ...]
    value: Callable[..., Any]
    gradient: Callable[..., Gradient]
    example: Callable[[np.random.Generator], tuple[Array, ...]]
    note: str = ""


def formula(name: str) -> Formula:
    """The formula of that name; an `UnknownNameError` lists them."""
    if name not in FORMULAE:
        raise UnknownNameError("formula", name, FORMULAE)
    return FORMULAE[name]


def check_formula(name: str, *arguments: Array) -> dict[str, GradientCheck]:
    """Check the gradient of a formula at `arguments`, one check for each that it has a gradient for."""
    one = formula(name)
    gradient = one.gradient(*arguments)
    slopes = gradient if isinstance(gradient, tuple) else (gradient,)
    checks = {}
    for place, slope in zip(one.by, slopes, strict=True):

        def at(moved: Array, place: int = place) -> Any:
            return one.value(*arguments[:place], moved, *arguments[place + 1 :])

        checks[one.arguments[place]] = check_gradient(at, slope, arguments[place])
    return checks


def _singular_values(matrix: Array) -> Array:
    return decompose(matrix).s


# -- arguments to check with, away from corners -----------------------------------------------


def _logits(rng: np.random.Generator) -> tuple[Array, ...]:
    return (rng.normal(size=5),)


def _two_shares(rng: np.random.Generator) -> tuple[Array, ...]:
    """No share is tiny: 1/ŷ bends too much there for differences to measure it."""
    return softmax(rng.uniform(-1, 1, (3, 4))), softmax(rng.uniform(-1, 1, (3, 4)))


def _two_arrays(rng: np.random.Generator) -> tuple[Array, ...]:
    return rng.normal(size=(3, 4)), rng.normal(size=(3, 4))


def _labels_and_logits(rng: np.random.Generator) -> tuple[Array, ...]:
    return rng.integers(0, 4, 3), rng.normal(size=(3, 4))


def _class_and_box(rng: np.random.Generator) -> tuple[Array, ...]:
    return (*_labels_and_logits(rng), *_two_arrays(rng))


def _two_boxes(rng: np.random.Generator) -> tuple[Array, ...]:
    starts = rng.uniform(0, 2, (2, 3, 2))
    return tuple(np.concatenate([starts, starts + rng.uniform(2.5, 5, (2, 3, 2))], axis=-1))


def _pairs(rng: np.random.Generator) -> tuple[Array, ...]:
    return (*_two_arrays(rng), np.array([1, 0, 1]))


def _three_arrays(rng: np.random.Generator) -> tuple[Array, ...]:
    return (*_two_arrays(rng), rng.normal(size=(3, 4)))


def _matrix(rng: np.random.Generator) -> tuple[Array, ...]:
    return (rng.normal(size=(4, 3)),)


FORMULAE: Mapping[str, Formula] = {
    one.name: one
    for one in (
        Formula(
            "softmax",
            "softmax(z)ᵢ = e^zᵢ / Σⱼ e^zⱼ",
            "Bridle 1990",
            ("z",),
            (0,),
            softmax,
            softmax_jacobian,
            _logits,
            "The shares compete: for one label out of several, not for several labels at once.",
        ),
        Formula(
            "cross-entropy",
            "L = −Σ y log ŷ",
            "Shannon 1948",
            ("truth", "predicted"),
            (1,),
            cross_entropy,
            cross_entropy_gradient,
            _two_shares,
            "One slide lacks the minus sign; without it the worst answer has the smallest loss.",
        ),
        Formula(
            "mse",
            "L = mean (ŷ − y)²",
            "Legendre 1805, Gauss 1809",
            ("truth", "predicted"),
            (1,),
            mean_squared_error,
            mean_squared_error_gradient,
            _two_arrays,
        ),
        Formula(
            "bce",
            "L = mean (−y log ŷ − (1 − y) log(1 − ŷ))",
            "Goodfellow et al. 2016, 6.2.2.2",
            ("truth", "predicted"),
            (1,),
            binary_cross_entropy,
            binary_cross_entropy_gradient,
            _two_shares,
            "One yes or no for each number: with a sigmoid this is what several labels at once need.",
        ),
        Formula(
            "categorical-cross-entropy",
            "L = −log softmax(z)_c, c the true class",
            "Goodfellow et al. 2016, 6.2.2.3",
            ("labels", "logits"),
            (1,),
            categorical_cross_entropy,
            categorical_cross_entropy_gradient,
            _labels_and_logits,
        ),
        Formula(
            "box-l2",
            "L = Σ (b̂ − b)² over x, y, w, h",
            "Girshick et al. 2014, appendix C",
            ("boxes", "predicted"),
            (1,),
            box_l2,
            box_l2_gradient,
            _two_arrays,
        ),
        Formula(
            "multitask",
            "L = −log softmax(z)_c + λ Σ (b̂ − b)²",
            "Girshick 2015, equation 1, with L2 in the place of smooth L1",
            ("labels", "logits", "boxes", "predicted"),
            (1, 3),
            multitask,
            multitask_gradient,
            _class_and_box,
        ),
        Formula(
            "iou",
            "L = 1 − |A ∩ B| / |A ∪ B|",
            "Jaccard 1901; as a loss Yu et al. 2016",
            ("boxes_xyxy", "predicted_xyxy"),
            (1,),
            iou_loss,
            iou_loss_gradient,
            _two_boxes,
            "A subgradient: zero where boxes do not touch, the mean of both sides where edges coincide.",
        ),
        Formula(
            "verification",
            "L = 1 − M for the same, max(0, M − margin) for different ones, M = cos(a, b)",
            "Hadsell et al. 2006, with a cosine",
            ("one", "other", "same"),
            (0, 1),
            verification,
            verification_gradient,
            _pairs,
        ),
        Formula(
            "inverted-verification",
            "L = M for the same, 1 − M for different ones, M = cos(a, b)",
            "a deck, wrong way round",
            ("one", "other", "same"),
            (0, 1),
            inverted_verification,
            inverted_verification_gradient,
            _pairs,
            "With a cosine, making this small drives the same apart; use verification.",
        ),
        Formula(
            "pairwise-hinge",
            "L = max(0, δ − M(q, good) + M(q, bad)), M = cos",
            "Joachims 2002",
            ("query", "good", "bad"),
            (0, 1, 2),
            pairwise_hinge,
            pairwise_hinge_gradient,
            _three_arrays,
        ),
        Formula(
            "triplet",
            "L = max(‖f_A − f_P‖² − ‖f_A − f_N‖² + α, 0)",
            "Schroff et al. 2015, equation 3",
            ("anchor", "positive", "negative"),
            (0, 1, 2),
            triplet,
            triplet_gradient,
            _three_arrays,
        ),
        Formula(
            "svd",
            "M = K·S·D; value: the diagonal of S",
            "Eckart and Young 1936; the derivative in Magnus 1985",
            ("matrix",),
            (0,),
            _singular_values,
            singular_value_gradient,
            _matrix,
            "K and D are unique only up to signs, and up to turns where stretches are equal.",
        ),
    )
}
"""Every formula by its name."""
