"""What fits where a typed list has a `?`: kernel, stride or padding for maps of a known size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from striate.arithmetic.padding import Answer, Question, solve
from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.types import SizeHW

__all__ = ["Fitting", "Unknown", "find_fit"]

Unknown: TypeAlias = Literal["kernel", "stride", "padding"]


@dataclass(frozen=True, slots=True)
class Fitting:
    """Everything that fits, and which of it was taken.

    `answers` are for the height; `widths` gives each one's output width.
    """

    size_hw: SizeHW
    unknown: tuple[Unknown, ...]
    known: tuple[SizeHW, SizeHW, SizeHW]
    answers: tuple[Answer, ...]
    widths: tuple[int, ...]
    chosen: int

    def window(self) -> tuple[SizeHW, SizeHW, SizeHW]:
        """Kernel, stride and padding that were taken."""
        answer = self.answers[self.chosen]
        found = (answer.kernel, answer.stride, answer.padding)
        kernel, stride, padding = (
            (value, value) if name in self.unknown else known
            for name, value, known in zip(_NAMES, found, self.known, strict=True)
        )
        return kernel, stride, padding

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        rows = []
        for index, (answer, width) in enumerate(zip(self.answers, self.widths, strict=True)):
            row = answer.to_dict() | {"output_hw": [answer.output, width], "taken": index == self.chosen}
            del row["output"]
            rows.append(row)
        return {"size_hw": list(self.size_hw), "unknown": list(self.unknown), "answers": rows}


_NAMES: tuple[Unknown, ...] = ("kernel", "stride", "padding")


def find_fit(
    size_hw: SizeHW,
    known: tuple[SizeHW, SizeHW, SizeHW],
    dilation_hw: SizeHW,
    unknown: Collection[Unknown],
    *,
    what: Literal["conv", "pool"],
) -> Fitting:
    """All values of what is `unknown` that fit both sides; a `UsageError` where none does.

    `known`: kernel, stride and padding, each (vertical, horizontal); ignored where unknown. Taken is
    what most people would: padding nearest to (F − 1)/2, kernel 3, stride 1.
    """
    sides = [_answers(size_hw[axis], known, dilation_hw[axis], unknown, axis) for axis in (0, 1)]
    both = [key for key in sides[0] if key in sides[1]]
    if what == "pool":  # a window must touch the picture
        both = [key for key in both if 2 * key[2] <= key[0]]
    asked = tuple(name for name in _NAMES if name in unknown)
    if not both:
        raise UsageError(
            f"no {' and '.join(asked)} fits {size_hw[0]}×{size_hw[1]}{_why(size_hw, known, unknown)}",
            expected="another kernel, stride or size",
            remedy="or give numbers and round down, as frameworks do, with --floor",
        )
    answers = tuple(sides[0][key] for key in both)
    widths = tuple(int(sides[1][key].output) for key in both)
    chosen = min(range(len(both)), key=lambda index: _oddity(answers[index], dilation_hw[0], unknown))
    return Fitting(size_hw, asked, known, answers, widths, chosen)


def _answers(
    size: int,
    known: tuple[SizeHW, SizeHW, SizeHW],
    dilation: int,
    unknown: Collection[Unknown],
    axis: int,
) -> dict[tuple[int, int, int], Answer]:
    """Answers of one side, by what both sides must share; known values are not compared."""
    values = [None if name in unknown else pair[axis] for name, pair in zip(_NAMES, known, strict=True)]
    kernel, stride, padding = values
    found = solve(Question(kernel, stride, padding, size=size, dilation=dilation))
    keys = [
        tuple(
            value if name in unknown else known[place][0]
            for place, (name, value) in enumerate(
                zip(_NAMES, (one.kernel, one.stride, one.padding), strict=True)
            )
        )
        for one in found
    ]
    return {(key[0], key[1], key[2]): one for key, one in zip(keys, found, strict=True)}


def _oddity(answer: Answer, dilation: int, unknown: Collection[Unknown]) -> tuple[float, ...]:
    """How far an answer is from what is usual."""
    middle = (answer.kernel - 1) * dilation / 2
    return (
        abs(answer.kernel - 3) if "kernel" in unknown else 0,
        abs(answer.padding - middle) if "padding" in unknown else 0,
        answer.stride,
        answer.padding,
    )


def _why(size_hw: SizeHW, known: tuple[SizeHW, SizeHW, SizeHW], unknown: Collection[Unknown]) -> str:
    """Why no padding can help: it comes in twos."""
    (kernel, _), (stride, _), _ = known
    if set(unknown) != {"padding"} or stride % 2:
        return ""
    for size in size_hw:
        if (size - kernel) % 2:
            return f": {size}−{kernel}+2·P is odd for every P, and the stride {stride} is even"
    return ""
