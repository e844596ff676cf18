"""X or X? Three small filters still find an X that is shifted, shrunk, rotated or deformed: how often?

    python examples/x_or_x.py

The 9×9 X and its filters, two diagonals and a cross of 1 and −1, are those of Brandon Rohrer, "How do
Convolutional Neural Networks work?" (2016). A picture goes through convolve → ReLU → max pool, and what
is left is compared with what the plain X leaves. Beside it stands the literal way: pixel against pixel.
Nothing is told to either: the threshold above which a picture counts as an X is set on other pictures,
so that one in twenty that are no X passes. What is measured is drawn anew, with other random numbers
than the bias and the pooling were chosen on. Writes x_or_x.png.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from striate.arithmetic.activations import relu
from striate.arithmetic.convolution import conv2d
from striate.arithmetic.pooling import max_pool2d
from striate.arithmetic.similarity import cosine
from striate.pictures import contact_sheet, write
from striate.types import Array, Picture

SIDE = 9
FALSE_ALARMS = 0.05
BIAS = -1 / 3
"""An answer is (pixels that agree − pixels that do not) / 9: what remains has at least 7 of 9 right."""
FILTERS = np.array(
    [
        [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]],  # the stroke from the upper left
        [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]],  # the stroke from the upper right
        [[1, -1, 1], [-1, 1, -1], [1, -1, 1]],  # where they cross
    ]
)
TINY = 1e-9
"""A picture without any answer has a direction too, which is no X's."""
STROKES = np.array([[[-3.0, -3], [0, 0], [3, 3]], [[-3.0, 3], [0, 0], [3, -3]]])
"""Two bent lines of three points each, (row, column) from the middle of the picture."""

Maker = Callable[[np.random.Generator], Array]


def draw(strokes: Array) -> Array:
    """Lines one pixel wide through points (row, column): 9×9, 1 on the line and −1 elsewhere."""
    picture = np.full((SIDE, SIDE), -1.0)
    for stroke in strokes:
        for start, end in pairwise(stroke):
            steps = max(1, round(np.abs(end - start).max()))  # a point a pixel: the line stays thin
            share = np.linspace(0, 1, steps + 1)[:, None]
            points = np.rint(start + share * (end - start)).astype(int) + SIDE // 2
            inside = points[((points >= 0) & (points < SIDE)).all(axis=1)]
            picture[inside[:, 0], inside[:, 1]] = 1
    return picture


def turned(strokes: Array, degrees: float) -> Array:
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found: Array = strokes @ matrix.T
    return found


def shifted(rng: np.random.Generator) -> Array:
    return draw(STROKES + rng.choice([-1, 0, 1], 2))


def shrunk(rng: np.random.Generator) -> Array:
    return draw(STROKES * rng.uniform(0.5, 0.8) + rng.choice([-1, 0, 1], 2))


def rotated(rng: np.random.Generator) -> Array:
    return draw(turned(STROKES, rng.uniform(-20, 20)))


def deformed(rng: np.random.Generator) -> Array:
    return draw(STROKES + rng.uniform(-1, 1, STROKES.shape))


def ring(rng: np.random.Generator) -> Array:
    """An O: a circle as a line of many points, of any size and place."""
    angle = np.linspace(0, 2 * np.pi, 25)
    circle = rng.uniform(2, 3.5) * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    return draw((circle + rng.uniform(-1, 1, 2))[None])


def plus(rng: np.random.Generator) -> Array:
    """A +, which is an X turned by 45°."""
    return draw(turned(STROKES, 45) * rng.uniform(0.6, 1) + rng.choice([-1, 0, 1], 2))


def scribble(rng: np.random.Generator) -> Array:
    """Two lines anywhere."""
    return draw(rng.uniform(-4, 4, (2, 3, 2)))


def noise(rng: np.random.Generator) -> Array:
    """As many random pixels as an X has."""
    picture = np.full(SIDE * SIDE, -1.0)
    picture[rng.choice(SIDE * SIDE, 13, replace=False)] = 1
    return picture.reshape(SIDE, SIDE)


VARIANTS: dict[str, Maker] = {
    "shifted": shifted,  # by a pixel
    "shrunk": shrunk,  # to between 80 % and half, and shifted
    "rotated": rotated,  # by at most 20°
    "deformed": deformed,  # every point of the strokes moved by up to a pixel
}
CONTROLS: dict[str, Maker] = {"O": ring, "+": plus, "two lines": scribble, "noise": noise}


def features(pictures: Array) -> Array:
    """(n, 9, 9) → (n, 3 · 4 · 4): the filters' answers, the best of each neighbourhood."""
    answers = conv2d(pictures[:, None], FILTERS[:, None] / 9, np.full(3, BIAS), padding="same")
    pooled = max_pool2d(relu(answers), 3, stride=2)  # (n, 3, 9, 9) → (n, 3, 4, 4)
    return pooled.reshape(len(pictures), -1) + TINY


def pixels(pictures: Array) -> Array:
    """The literal way: every pixel for itself."""
    return pictures.reshape(len(pictures), -1)


def many(make: Maker, count: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.stack([make(rng) for _ in range(count)])


def scores(pictures: Array, look: Callable[[Array], Array]) -> Array:
    """How alike each picture and the plain X are: the cosine of what `look` makes of both."""
    seen = look(pictures)
    plain = np.broadcast_to(look(draw(STROKES)[None]), seen.shape)
    return cosine(seen, plain)


def threshold(look: Callable[[Array], Array], count: int, seed: int) -> float:
    """Above it lies one in twenty of the controls, of pictures that are not measured later."""
    controls = np.concatenate([scores(many(make, count, seed), look) for make in CONTROLS.values()])
    return float(np.quantile(controls, 1 - FALSE_ALARMS))


def measure(count: int = 1000) -> dict[str, tuple[float, float]]:
    """Name → share that is called an X, by pixels and by filters."""
    limits = [threshold(look, count, seed=1) for look in (pixels, features)]
    found = {}
    for name, make in (VARIANTS | CONTROLS).items():
        pictures = many(make, count, seed=2)
        rates = [
            float((scores(pictures, look) > limit).mean())
            for look, limit in zip((pixels, features), limits, strict=True)
        ]
        found[name] = (rates[0], rates[1])
    return found


def by_angle(count: int = 90) -> list[tuple[int, float, float]]:
    """An X turned as a whole, with a shift: angle, and how alike both ways find it on average."""
    rows = []
    for angle in range(0, 91, 15):
        rng = np.random.default_rng(3)
        shifts = rng.choice([-1, 0, 1], (count, 2))
        pictures = np.stack([draw(turned(STROKES, angle) + shift) for shift in shifts])
        rows.append(
            (angle, float(scores(pictures, pixels).mean()), float(scores(pictures, features).mean()))
        )
    return rows


def sheet(each: int = 6) -> Picture:
    """Examples of every kind, with a tick where the filters call it an X."""
    limit = threshold(features, 1000, seed=1)
    pictures: list[Picture] = []
    titles: list[str] = []
    called: list[bool] = []
    for name, make in (VARIANTS | CONTROLS).items():
        drawn = many(make, each, seed=4)
        for picture, score in zip(drawn, scores(drawn, features), strict=True):
            grey = np.where(picture > 0, 20, 235).astype(np.uint8)
            pictures.append(np.repeat(grey[:, :, None], 3, axis=2))
            titles.append(f"{name}: {score:.2f}")
            called.append(bool(score > limit))
    tones = ["good" if one else "bad" for one in called]
    return contact_sheet(pictures, titles, columns=each, tones=tones, cell=108)  # type: ignore[arg-type]


def main() -> None:
    found = measure()
    print("1000 of each, drawn at random\n")
    print("share that is called an X           by pixels   by filters")
    for name, (literal, filtered) in found.items():
        kind = "an X" if name in VARIANTS else "no X"
        print(f"  {kind}, {name:<25} {literal:>10.0%} {filtered:>12.0%}")
    print("\nlikeness to the plain X, turned by  by pixels   by filters")
    for angle, literal, filtered in by_angle():
        print(f"  {angle:>3}° {literal:>37.2f} {filtered:>12.2f}")
    print("At 45° an X is a +; at 90° it is an X again.")
    path = write(sheet(), Path("x_or_x.png"), overwrite=True)
    print(f"\nexamples: {path}")


if __name__ == "__main__":
    main()
