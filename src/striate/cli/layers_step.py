"""`striate layers step`: one layer or a whole pass, number by number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from cyclopts import Parameter

from striate.cli.output import Output
from striate.errors import UsageError
from striate.verbs.layers.step import StepKind, StepRequest, walk_of

__all__ = ["step"]

Numbers: TypeAlias = Annotated[str | None, Parameter(allow_leading_hyphen=True, metavar="NUMBERS")]
"""Text that may begin with a minus."""
Pixels: TypeAlias = Annotated[str | None, Parameter(metavar="N")]
"""One whole number, or two."""


def step(
    kind: StepKind,
    /,
    *,
    numbers: Numbers = None,
    picture: Path | None = None,
    region: tuple[int, int, int, int] | None = None,
    size: int | None = None,
    channels: Literal["grey", "rgb"] | None = None,
    kernel: Numbers = None,
    bias: float | None = None,
    stride: Pixels = None,
    padding: Pixels = None,
    dilation: Pixels = None,
    flip: bool = False,
    floor: bool = False,
    window: Pixels = None,
    weights: Numbers = None,
    activation: Annotated[str | None, Parameter(metavar="NAME")] = None,
    label: int | None = None,
    rate: float | None = None,
    at: int | None = None,
    walk: bool = False,
    html: Path | None = None,
    overwrite: bool = False,
    json: bool = False,
) -> int:
    """Walk one layer or a whole pass, number by number.

    Without numbers of your own it walks an example that you can follow by hand.

    Args:
        kind: What to walk.
        numbers: The input: "2 0 1; 0 1 3", rows apart by ;, channels by |. For activation the places x.
        picture: Take the input from this picture file, as grey levels.
        region: The part of the picture to take as it is: top, left, height and width in pixels.
        size: Longer side that the whole picture is reduced to, in pixels [default: 12].
        channels: Grey levels, or red, green and blue.
        kernel: A kernel by name (sobel-x, sharpen, gaussian-blur, laplacian, …) or as rows of numbers.
        bias: What is added to every sum.
        stride: Pixels from window to window; 2,1 for down and along.
        padding: Zeros on each side: a number, "same" or "valid".
        dilation: Pixels from one number under the kernel to the next.
        flip: Turn the kernel by 180° first: the convolution of mathematics.
        floor: Leave out what no window reaches, instead of refusing sizes that do not fit.
        window: Size of the window to pool.
        weights: Weights of the perceptron, one for each number.
        activation: relu, sigmoid, tanh, …; for activation several, apart by commas.
        label: The true class of backprop, 0 or 1.
        rate: Learning rate of the step after backprop.
        at: Show only this step, with everything that it reads.
        walk: Go through the steps one by one, with the Enter key.
        html: Write a page to walk through in a browser; it needs no network.
        overwrite: Let --html replace a file that is there.
        json: Write one JSON object with all boards and steps.
    """
    output = Output(json=json)
    request = StepRequest(
        numbers=numbers, picture=picture, region=region, size=size, channels=channels, kernel=kernel,
        bias=bias, stride=stride, padding=padding, dilation=dilation, flip=flip or None,
        floor=floor or None, window=window, weights=weights, activation=activation, label=label,
        rate=rate,
    )  # fmt: skip
    found = walk_of(kind, request)
    if at is not None and not 1 <= at <= len(found.steps):
        raise UsageError(f"--at was given {at}", expected=f"a step from 1 to {len(found.steps)}")
    if html is not None:
        from striate.verbs.layers.steps_page import write_steps_page

        page = write_steps_page(found, html, overwrite=overwrite)
        output.say(f"written to {page}: open it in a browser")
    if json:
        output.line(found.to_dict() | ({} if html is None else {"page": str(html)}))
        return 0
    from striate.cli.steps_terminal import StepsTerminal

    terminal = StepsTerminal(output, found)
    if walk:
        terminal.walk()
    elif at is not None:
        terminal.step(at)
    elif html is None:
        terminal.overview()
    return 0
