"""One node, number by number: the perceptron's sum and activation, and softmax over several."""

from __future__ import annotations

import numpy as np

from striate.arithmetic.activations import ActivationName, activation, softmax
from striate.arithmetic.perceptron import Perceptron
from striate.arithmetic.steps import (
    Cell,
    Edge,
    Graph,
    Node,
    Step,
    Walk,
    bare,
    check_count,
    equation,
    number,
    product,
    row_of,
    shown,
)
from striate.errors import UsageError
from striate.types import Array

__all__ = ["walk_perceptron", "walk_softmax"]


def walk_perceptron(x: Array, weights: Array, bias: float, name: ActivationName) -> Walk:
    """activation(Σ xᵢwᵢ + b) for `x` (n,) and `weights` (n,): each product, the sum, the activation."""
    x, weights = (np.asarray(one, dtype=np.float64) for one in (x, weights))
    one = Perceptron(weights, bias, name)
    kind = activation(name)
    if not kind.elementwise:
        raise UsageError("one perceptron has no softmax", expected="an activation of one number")
    total, answer = float(one.sums(x)), float(one(x))
    check_count(len(x) + 2, 2 * len(x))
    products = [
        Step(
            f"Input {i}",
            f"Input {i} counts with its weight, {shown(weights[i])}.",
            (
                equation(
                    [product(x[i], weights[i], Cell("x", 0, i), Cell("w", 0, i))], x[i] * weights[i]
                ),
            ),
            (Cell("p", 0, i),),
        )
        for i in range(len(x))
    ]
    added = [(number if i else bare)(value, Cell("p", 0, i)) for i, value in enumerate(x * weights)]
    added.append(number(bias, Cell("b", 0, 0)))
    closing = (
        Step(
            "The sum",
            "All products and the bias are added.",
            (equation(added, total),),
            (Cell("z", 0, 0),),
        ),
        Step(
            "The activation",
            f"{name}: {kind.formula}. {kind.note}.",
            (equation([bare(total, Cell("z", 0, 0))], answer, before=f"{name}(", after=")"),),
            (Cell("y", 0, 0),),
        ),
    )
    boards = (
        row_of("x", "inputs x", x, group="given"),
        row_of("w", "weights w", weights, group="given"),
        row_of("b", "bias b", np.array([bias]), group="given"),
        row_of("p", "products x·w", x * weights, given=False, group="found"),
        row_of("z", "sum z", np.array([total]), given=False, group="found"),
        row_of("y", "answer", np.array([answer]), given=False, group="found"),
    )
    facts = (("inputs", str(len(x))), ("parameters", f"{len(x)}+1 = {len(x) + 1}"), ("activation", name))
    intro = (
        "A perceptron weighs its inputs, adds them up with a bias, and passes the sum through an "
        "activation: one number out."
    )
    return Walk(
        "perceptron",
        "A perceptron, number by number",
        intro,
        boards,
        (*products, *closing),
        facts,
        graph=_neuron(len(x), name),
    )


def _neuron(count: int, name: str) -> Graph | None:
    """Inputs, the sum, the answer; None for more inputs than can be drawn."""
    if count > 8:
        return None
    middle = (count - 1) / 2
    nodes = [Node(f"x{i}", 0, i, Cell("x", 0, i)) for i in range(count)]
    nodes += [
        Node("Σ + b", 1, middle, Cell("z", 0, 0)),
        Node(name, 2, middle, Cell("y", 0, 0)),
    ]
    edges = [Edge(i, count, (Cell("w", 0, i), Cell("p", 0, i))) for i in range(count)]
    last = Edge(count, count + 1, (Cell("y", 0, 0),))
    return Graph("The inputs, their sum, the answer.", tuple(nodes), (*edges, last))


def walk_softmax(scores: Array) -> Walk:
    """eᶻ / Σ eᶻ of `scores` (n,): the largest is taken off, powers, their sum, the shares."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1:
        raise UsageError(f"scores of shape {scores.shape}", expected="one row of numbers")
    shares = softmax(scores)
    check_count(2 * len(scores) + 3, 4 * len(scores))
    largest = float(scores.max())
    powers = np.exp(scores - largest)
    places = range(len(scores))
    steps = (
        Step(
            "The largest",
            "The largest score is found; it will be taken off all, so that no power gets too large. The "
            "shares do not change by it.",
            (
                equation(
                    [bare(scores[i], Cell("z", 0, i)) for i in places],
                    largest,
                    join=", ",
                    before="max(",
                    after=")",
                ),
            ),
            (Cell("m", 0, 0),),
        ),
        *(_power(scores[i], largest, powers[i], i) for i in places),
        Step(
            "The sum",
            "The powers are added.",
            (equation([number(powers[i], Cell("e", 0, i)) for i in places], powers.sum()),),
            (Cell("s", 0, 0),),
        ),
        *(_share(powers[i], powers.sum(), shares[i], i) for i in places),
    )
    boards = (
        row_of("z", "scores z", scores, group="given"),
        row_of("m", "largest", np.array([largest]), given=False, group="found"),
        row_of("e", "powers e^(z − largest)", powers, given=False, group="found"),
        row_of("s", "sum", np.array([powers.sum()]), given=False, group="found"),
        row_of("y", "shares", shares, given=False, group="shares"),
    )
    best = int(np.argmax(scores))
    intro = (
        "Softmax turns scores into shares that are positive and sum to 1. They compete: when one grows, "
        "the others shrink. For several labels at once a sigmoid each is right, not softmax."
    )
    return Walk(
        "softmax",
        "Softmax, number by number",
        intro,
        boards,
        steps,
        (("scores", str(len(scores))), ("largest share", f"{shown(shares[best])} (score {best})")),
        outcome=f"The shares sum to {shown(float(shares.sum().round(12)))}.",
    )


def _power(score: float, largest: float, power: float, place: int) -> Step:
    terms = [bare(score, Cell("z", 0, place)), number(largest, Cell("m", 0, 0))]
    return Step(
        f"Power {place}",
        f"e to the power of score {place} less the largest.",
        (equation(terms, power, join=" − ", before="e^(", after=")"),),
        (Cell("e", 0, place),),
    )


def _share(power: float, total: float, share: float, place: int) -> Step:
    terms = [bare(power, Cell("e", 0, place)), number(total, Cell("s", 0, 0))]
    return Step(
        f"Share {place}",
        f"Power {place} as a share of the sum.",
        (equation(terms, share, join=" / "),),
        (Cell("y", 0, place),),
    )
