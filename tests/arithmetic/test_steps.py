from __future__ import annotations

import json
import re

import numpy as np
import pytest

from striate.arithmetic.activations import ACTIVATIONS
from striate.arithmetic.backpropagation import run_pass, sgd_step
from striate.arithmetic.convolution import conv2d, conv_transpose2d
from striate.arithmetic.pooling import avg_pool2d, max_pool2d
from striate.arithmetic.steps import Board, Cell, Walk, equation, is_exact, number, product, shown
from striate.arithmetic.steps_activations import walk_activations
from striate.arithmetic.steps_backpropagation import TwoLayers, walk_backpropagation
from striate.arithmetic.steps_convolution import walk_convolution, walk_transposed
from striate.arithmetic.steps_nodes import walk_perceptron, walk_softmax
from striate.arithmetic.steps_pooling import walk_pooling
from striate.errors import UsageError

RNG = np.random.default_rng(5)
X = RNG.integers(-2, 4, (2, 5, 7)).astype(float)
WEIGHT = RNG.integers(-2, 3, (3, 2, 3, 2)).astype(float)
BIAS = np.array([1.0, -2.0, 0.5])
NET = TwoLayers(
    RNG.normal(size=(3, 2)).round(2),
    RNG.normal(size=3).round(2),
    RNG.normal(size=(2, 3)).round(2),
    RNG.normal(size=2).round(2),
    "tanh",
)

WALKS: dict[str, Walk] = {
    "conv": walk_convolution(X, WEIGHT, BIAS, stride=(2, 1), padding=(1, 0)),
    "dilated": walk_convolution(X[:1], WEIGHT[:1, :1], dilation=2),
    "flipped": walk_convolution(X[:1], WEIGHT[:1, :1], BIAS[:1], flip=True, padding=1),
    "floored": walk_convolution(X, WEIGHT, BIAS, stride=3, fit="floor"),
    "pixel": walk_convolution(np.ones((1, 1, 1)), np.ones((1, 1, 1, 1))),
    "transposed": walk_transposed(X[:, :2, :3], WEIGHT.swapaxes(0, 1), BIAS, stride=2, padding=1),
    "gaps": walk_transposed(X[:1, :2, :2], WEIGHT[:1, :1, :1, :1], stride=2),
    "maxpool": walk_pooling(X, "max", (3, 2), stride=(2, 1)),
    "maxpool padded": walk_pooling(-np.ones((1, 3, 3)), "max", 3, stride=2, padding=1),
    "avgpool": walk_pooling(X[:, :4, :6], "average", 2),
    "avgpool padded": walk_pooling(X[:1, :3, :3], "average", 3, stride=2, padding=1),
    "perceptron": walk_perceptron(np.array([1.0, -2]), np.array([0.5, 0.3]), 0.1, "tanh"),
    "many inputs": walk_perceptron(np.arange(12.0), np.ones(12), 0, "relu"),
    "softmax": walk_softmax(np.array([1000.0, 999, -1000])),
    "backprop": walk_backpropagation(np.array([0.5, -1.5]), NET, 1),
    "activation": walk_activations(np.linspace(-2, 2, 5)),
    "one activation": walk_activations(np.array([0.3]), ["gelu"]),
}
every = pytest.mark.parametrize("name", WALKS)


@every
def test_every_cell_is_given_or_written_once(name: str) -> None:
    walk = WALKS[name]
    known = {cell for board in walk.boards if board.given for cell in board.cells()}
    for step in walk.steps:
        assert set(step.reads) <= known, step.title  # nothing is read before it is there
        assert not set(step.writes) & known, step.title
        known |= set(step.writes)
    assert known == {cell for board in walk.boards for cell in board.cells()} == walk.known(10**6)
    assert len({board.name for board in walk.boards}) == len(walk.boards)


def value_of(text: str) -> float:
    """What an equation's left side comes to, computed by Python from what is printed."""
    plain = text.replace("−", "-").replace("×", "*").replace("log ", "np.log ")
    plain = re.sub(r"np\.log (\S+)", r"np.log(\1)", plain)
    return float(eval(plain.replace("e^", "np.e**").replace(" - ", "-"), {"np": np, "max": max}))  # noqa: S307


@every
def test_what_is_printed_is_what_is_computed(name: str) -> None:
    walk = WALKS[name]
    checked = 0
    for step in walk.steps:
        for one in step.equations:
            left, _, right = one.text().removeprefix(f"{one.name}: ").rpartition(f" {one.sign} ")
            assert value_of(right) == pytest.approx(one.result, rel=1e-3)
            if re.fullmatch(r"[-−+×/*()., 0-9e^]*(max|log)?[-−+×/*()., 0-9e^]*", left):
                scale = max(1.0, *(abs(float(n)) for n in re.findall(r"\d+\.?\d*", left)))
                exact = one.sign == "="
                tolerance = 1e-9 * scale if exact else 2e-3 * scale
                if exact or (scale < 100 and "e^" not in left):
                    assert value_of(left) == pytest.approx(one.result, abs=tolerance), one.text()
                checked += 1
    assert checked or "activation" in name


@every
def test_equations_give_the_cells_they_write(name: str) -> None:
    walk = WALKS[name]
    for step in walk.steps:
        cells = [walk.board(cell.board).values[cell.row, cell.column] for cell in step.writes]
        results = [one.result for one in step.equations]
        if len(cells) == len(results):
            assert cells == pytest.approx(results)
        else:
            assert walk.kind == "activation"
        for one in step.equations:
            for term in one.terms:
                if len(term.cells) == 2 and "×" in term.text and "slope" not in step.sentence:
                    first, second = (walk.board(c.board).values[c.row, c.column] for c in term.cells)
                    parts = [value_of(part) for part in term.text.split("×")]
                    assert parts == pytest.approx([first, second], rel=1e-3, abs=1e-9)


def outputs(walk: Walk) -> list[np.ndarray]:  # type: ignore[type-arg]
    return [board.values for board in walk.boards if board.name.startswith("y")]


def test_outputs_are_those_of_the_layers() -> None:
    np.testing.assert_allclose(
        outputs(WALKS["conv"]), conv2d(X[None], WEIGHT, BIAS, stride=(2, 1), padding=(1, 0))[0]
    )
    turned = conv2d(X[None, :1], WEIGHT[:1, :1, ::-1, ::-1], BIAS[:1], padding=1)
    np.testing.assert_allclose(outputs(WALKS["flipped"]), turned[0])
    np.testing.assert_allclose(
        outputs(WALKS["transposed"]),
        conv_transpose2d(X[None, :, :2, :3], WEIGHT.swapaxes(0, 1), BIAS, stride=2, padding=1)[0],
    )
    np.testing.assert_allclose(outputs(WALKS["maxpool"]), max_pool2d(X[None], (3, 2), stride=(2, 1))[0])
    np.testing.assert_allclose(outputs(WALKS["avgpool"]), avg_pool2d(X[None, :, :4, :6], 2)[0])
    assert (outputs(WALKS["maxpool padded"])[0] == -1).all()  # padding never wins
    np.testing.assert_allclose(outputs(WALKS["softmax"])[0], [[0.7310586, 0.2689414, 0]], atol=1e-7)


def test_backpropagation_is_that_of_the_net() -> None:
    x = np.array([0.5, -1.5])
    walk = WALKS["backprop"]
    found = run_pass(NET.network, x[None], np.array([1]))
    after = sgd_step(NET.network, found, 0.5)
    expected = {
        "a1": found.values[2][0],
        "L": found.loss,
        "dx": found.gradients[0][0],
        "dW1": found.parameters[0]["weight"],
        "nW2": after.layers[2].parameters["weight"],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(walk.board(name).values, np.atleast_2d(values))
    assert "passes" in walk.outcome
    assert walk.graph is not None
    assert len(walk.graph.nodes) == 2 + 3 + 2 + 1


def test_a_corner_is_told() -> None:
    net = TwoLayers(np.eye(2), np.zeros(2), np.ones((2, 2)) * [[1], [-1]], np.zeros(2), "relu")
    walk = walk_backpropagation(np.array([0.0, 1.0]), net, 0)
    assert "hidden [0] stands on the corner of relu" in walk.outcome


def test_what_the_first_step_says() -> None:
    step = WALKS["conv"].steps[0]
    assert step.title == "Row 0, column 0 of output 0"
    assert step.sentence == "The kernel lies on rows 0 to 2 and columns 0 to 1 of the padded input."
    assert dict(WALKS["conv"].facts) == {
        "output": "3 × 6",
        "(N−F+2P)/S+1": "(5−3+2·1)/2+1 = 3, (7−2)/1+1 = 6",
        "parameters": "(3·2·2)·3+3 = 39",
        "multiplications": str(3 * 6 * 36),
    }
    assert "rounded down" in dict(WALKS["floored"].facts)["(N−F+2P)/S+1"]
    assert WALKS["flipped"].board("w0.0").values.tolist() == WEIGHT[0, 0, ::-1, ::-1].tolist()
    assert "No stamp covers" in WALKS["gaps"].steps[1].sentence
    assert WALKS["perceptron"].graph is not None
    assert WALKS["many inputs"].graph is None  # too many to draw
    assert len(WALKS["activation"].charts) == sum(one.elementwise for one in ACTIVATIONS.values())


def test_numbers_as_they_are_written() -> None:
    assert [shown(v) for v in (0.0, -0.0, 12345.678, 1e9, 1e-9)] == ["0", "0", "1.235e4", "1e9", "1e−9"]
    assert equation([product(2, 1), product(0, -1), number(-3)], -1).text() == "2×1 + 0×(−1) + (−3) = −1"
    assert equation([number(1 / 3)], 1 / 3).text().startswith("0.3333 ≈")
    many = equation([number(n) for n in range(20)], 190)
    assert many.text(5) == "0 + 1 + 2 + … + 19 = 190"
    assert is_exact(0.1 + 0.2)
    assert not is_exact(2 / 3)


def test_edges() -> None:
    board = Board("x", "x", np.zeros((4, 3)), edge=(1, 0))
    assert [board.is_edge(row, 1) for row in range(4)] == [True, False, False, True]
    assert board.cells()[-1] == Cell("x", 3, 2)


@every
def test_json(name: str) -> None:
    found = json.loads(json.dumps(WALKS[name].to_dict(), allow_nan=False))
    assert len(found["steps"]) == len(WALKS[name].steps)
    assert set(found["boards"]) == {board.name for board in WALKS[name].boards}


def test_what_cannot_be_is_said() -> None:
    ones = np.ones((1, 7, 7))
    with pytest.raises(UsageError, match="does not fit"):
        walk_convolution(ones, np.ones((1, 1, 3, 3)), stride=3)
    with pytest.raises(UsageError, match="too many to walk"):
        walk_convolution(np.ones((1, 40, 40)), np.ones((1, 1, 3, 3)))
    with pytest.raises(UsageError, match="too many to walk"):
        walk_pooling(np.ones((1, 400, 400)), "max", 2)
    with pytest.raises(UsageError, match="channels, height, width"):
        walk_convolution(ones[0], np.ones((1, 1, 3, 3)))
    with pytest.raises(UsageError, match="channels, height, width"):
        walk_pooling(ones[0], "max", 2)
    with pytest.raises(UsageError, match="no softmax"):
        walk_perceptron(np.ones(2), np.ones(2), 0, "softmax")
    with pytest.raises(UsageError, match="one row"):
        walk_softmax(np.ones((2, 2)))
    with pytest.raises(UsageError, match="step softmax"):
        walk_activations(np.ones(2), ["softmax"])
    with pytest.raises(UsageError, match="at least one"):
        walk_activations(np.ones(0))
    x = np.ones(2)
    with pytest.raises(UsageError, match="a class from 0 to 1"):
        walk_backpropagation(x, NET, 2)
    with pytest.raises(UsageError, match="2, as the net takes"):
        walk_backpropagation(np.ones(3), NET, 0)
    with pytest.raises(UsageError, match="above 0"):
        walk_backpropagation(x, NET, 0, rate=0)
