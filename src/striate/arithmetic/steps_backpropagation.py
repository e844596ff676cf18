"""A forward and a backward pass through a net of two layers, number by number, and one step of SGD."""

from __future__ import annotations

import numpy as np

from striate.arithmetic.activations import activation
from striate.arithmetic.backpropagation import (
    check_network,
    run_pass,
    sgd_step,
)
from striate.arithmetic.gradient_check import GradientCheck
from striate.arithmetic.steps import (
    Cell,
    Equation,
    Step,
    Term,
    Walk,
    bare,
    check_count,
    equation,
    factor,
    is_exact,
    number,
    product,
    shown,
)
from striate.arithmetic.steps_two_layers import TwoLayers, Values, boards_of, graph_of, values_of
from striate.errors import UsageError
from striate.types import Array

__all__ = ["TwoLayers", "walk_backpropagation"]


def walk_backpropagation(x: Array, net: TwoLayers, label: int, *, rate: float = 0.5) -> Walk:
    """Softmax loss of `net` for one input `x` (inputs,) whose true class is `label`.

    Every value forward, every gradient backward, then p − rate · ∂L/∂p for every parameter p.
    """
    x = np.asarray(x, dtype=np.float64)
    if not activation(net.activation).elementwise:
        raise UsageError("softmax between two layers", expected="an activation of one number")
    if x.shape != (net.w1.shape[1],):
        raise UsageError(f"{x.size} inputs", expected=f"{net.w1.shape[1]}, as the net takes")
    if not 0 <= label < len(net.b2):
        raise UsageError(f"label {label}", expected=f"a class from 0 to {len(net.b2) - 1}")
    if not rate > 0:
        raise UsageError(f"rate {rate}", expected="a number above 0")
    check_count(10 * (net.w1.size + net.w2.size), 0)
    labels = np.array([label])
    found = run_pass(net.network, x[None], labels)
    after = sgd_step(net.network, found, rate)
    values = values_of(x, net, found, after)
    steps = (
        *_forward(values, net, label),
        *_backward(values, net, label),
        *_update(values, rate),
    )
    later = run_pass(after, x[None], labels).loss
    outcome = f"One step of SGD takes the loss from {shown(found.loss)} to {shown(later)}. "
    outcome += _verdict(list(check_network(net.network, x[None], labels).values()), values, net)
    sizes = f"{len(x)} → {len(net.b1)} → {len(net.b2)}"
    count = sum(one.size for one in (net.w1, net.b1, net.w2, net.b2))
    return Walk(
        "backprop",
        "Forward and backward, number by number",
        "Forward, every node is a weighted sum and an activation, up to the loss. Backward, every node "
        "is told how the loss would change if it grew a little: the gradient of what follows it, times "
        "its own slope. The gradients say how each weight has to change.",
        boards_of(values),
        steps,
        (
            ("net", sizes),
            ("activation", net.activation),
            ("parameters", str(count)),
            ("true class", str(label)),
        ),
        outcome,
        graph_of(len(x), len(net.b1), len(net.b2)),
    )


def _verdict(checks: list[GradientCheck], v: Values, net: TwoLayers) -> str:
    """Whether the gradients are what is measured; at a corner of the activation they cannot be."""
    if all(one.passed for one in checks):
        worst = max(one.worst for one in checks)
        return (
            "The gradient check passes: moving each number a little measures the same gradients "
            f"(largest difference {worst:.0e})."
        )
    corners = [j for j, z in enumerate(v["z1"]) if abs(z) < 1e-4]
    if not corners:
        worst = max(one.worst for one in checks)
        return f"The gradient check fails: the largest difference from what is measured is {worst:.0e}."
    return (
        f"Moving each number a little measures other gradients, because hidden {corners} stands on the "
        f"corner of {net.activation}, where there is a slope on each side."
    )


_LEVELS = {"dW1": "₁", "dW2": "₂"}


# -- the steps --------------------------------------------------------------------------------


def _forward(v: Values, net: TwoLayers, label: int) -> list[Step]:
    name = net.activation
    steps = [_weighted(v, "x", "W1", "b1", "z1", j, f"hidden {j}: the sum") for j in range(len(v["z1"]))]
    steps += [
        Step(
            f"Hidden {j}: {name}",
            f"{name}: {activation(name).formula}.",
            (equation([bare(z, Cell("z1", 0, j))], v["a1"][j], before=f"{name}(", after=")"),),
            (Cell("a1", 0, j),),
        )
        for j, z in enumerate(v["z1"])
    ]
    steps += [_weighted(v, "a1", "W2", "b2", "z2", k, f"score {k}") for k in range(len(v["z2"]))]
    classes = range(len(v["p"]))
    powers = " + ".join(f"e^{factor(z)}" for z in v["z2"])
    exact = all(map(is_exact, v["z2"]))
    steps.append(
        Step(
            "Softmax",
            "The scores become shares that sum to 1.",
            tuple(
                equation(
                    [Term(f"e^{factor(v['z2'][k])}", (Cell("z2", 0, k),), exact)],
                    v["p"][k],
                    after=f" / ({powers})",
                    name=f"p[{k}]",
                )
                for k in classes
            ),
            tuple(Cell("p", 0, k) for k in classes),
        )
    )
    share = number(v["p"][label], Cell("p", 0, label))
    loss = equation([share], v["L"][0], before="−log ", after="")
    steps.append(
        Step(
            "The loss",
            f"Cross-entropy: minus the log of the share of the true class, {label}.",
            (loss,),
            (Cell("L", 0, 0),),
        )
    )
    return steps


def _weighted(v: Values, into: str, weight: str, bias: str, out: str, j: int, title: str) -> Step:
    """One node of a dense layer."""
    terms = [
        product(one, v[weight][j, i], Cell(into, 0, i), Cell(weight, j, i))
        for i, one in enumerate(v[into])
    ]
    terms.append(number(v[bias][j], Cell(bias, 0, j)))
    return Step(
        f"Forward, {title}",
        "Each input times its weight, and the bias.",
        (equation(terms, v[out][j]),),
        (Cell(out, 0, j),),
    )


def _backward(v: Values, net: TwoLayers, label: int) -> list[Step]:
    classes, hidden, inputs = range(len(v["z2"])), range(len(v["a1"])), range(len(v["x"]))
    slopes = activation(net.activation).derivative(v["z1"])
    truth = [1.0 if k == label else 0.0 for k in classes]
    steps = [
        Step(
            "Backward, the scores",
            "Softmax and cross-entropy together have a simple gradient: the share less the truth.",
            tuple(
                equation(
                    [bare(v["p"][k], Cell("p", 0, k)), Term(shown(truth[k]))],
                    v["dz2"][k],
                    join=" − ",
                    name=f"∂L/∂z₂[{k}]",
                )
                for k in classes
            ),
            tuple(Cell("dz2", 0, k) for k in classes),
        )
    ]
    steps += [_parameters(v, "dz2", "a1", "dW2", "db2", k, f"weights of score {k}") for k in classes]
    steps += [_gathered(v, "dz2", "W2", "da1", j, f"hidden {j}") for j in hidden]
    steps += [
        Step(
            f"Backward, hidden {j}: {net.activation}",
            f"What comes back, times the slope of {net.activation} at {shown(v['z1'][j])}.",
            (
                equation(
                    [
                        Term(
                            f"{factor(v['da1'][j])}×{factor(slopes[j])}",
                            (Cell("da1", 0, j), Cell("z1", 0, j)),
                            is_exact(v["da1"][j]) and is_exact(slopes[j]),
                        )
                    ],
                    v["dz1"][j],
                ),
            ),
            (Cell("dz1", 0, j),),
        )
        for j in hidden
    ]
    steps += [_parameters(v, "dz1", "x", "dW1", "db1", j, f"weights of hidden {j}") for j in hidden]
    steps += [_gathered(v, "dz1", "W1", "dx", i, f"input {i}") for i in inputs]
    return steps


def _parameters(v: Values, slope: str, into: str, weight: str, bias: str, j: int, title: str) -> Step:
    """The gradients of one node's weights and bias."""
    own, level = Cell(slope, 0, j), _LEVELS[weight]
    equations = [
        equation(
            [product(v[slope][j], one, own, Cell(into, 0, i))],
            v[weight][j, i],
            name=f"∂L/∂W{level}[{j},{i}]",
        )
        for i, one in enumerate(v[into])
    ]
    equations.append(equation([bare(v[slope][j], own)], v[bias][j], name=f"∂L/∂b{level}[{j}]"))
    cells = [Cell(weight, j, i) for i in range(len(v[into]))]
    return Step(
        f"Backward, {title}",
        "Each weight: the gradient of its sum, times what came in. The bias: the gradient itself.",
        tuple(equations),
        (*cells, Cell(bias, 0, j)),
    )


def _gathered(v: Values, slope: str, weight: str, out: str, i: int, title: str) -> Step:
    """The gradient of a node that feeds several: what comes back from each, times its weight."""
    terms = [
        product(one, v[weight][j, i], Cell(slope, 0, j), Cell(weight, j, i))
        for j, one in enumerate(v[slope])
    ]
    return Step(
        f"Backward, {title}",
        "What comes back from every node it feeds, each times the weight between them.",
        (equation(terms, v[out][i]),),
        (Cell(out, 0, i),),
    )


def _update(v: Values, rate: float) -> list[Step]:
    steps = []
    for name, title in (("W2", "W₂"), ("b2", "b₂"), ("W1", "W₁"), ("b1", "b₁")):
        old, slope, new = (np.atleast_2d(v[part]) for part in (name, f"d{name}", f"n{name}"))
        equations: list[Equation] = []
        for row, column in np.ndindex(*old.shape):
            at = Cell(name, row, column), Cell(f"d{name}", row, column)
            change = product(rate, float(slope[row, column]), at[1])
            place = f"{row},{column}" if name.startswith("W") else f"{column}"
            first = bare(float(old[row, column]), at[0])
            result = float(new[row, column])
            equations.append(equation([first, change], result, join=" − ", name=f"{title}[{place}]"))
        cells = tuple(Cell(f"n{name}", row, column) for row, column in np.ndindex(*old.shape))
        steps.append(
            Step(
                f"Step, {title}",
                f"Each number less {shown(rate)} times its gradient: against the slope of the loss.",
                tuple(equations),
                cells,
            )
        )
    return steps
