"""How much padding: what keeps a size, the settings that everyone uses, and what fits a question.

The lecture decks' rules: with stride 1, padding (F − 1)/2 keeps the size; "F = 5, S = 2, P = ?" has
the answer "whatever fits", which `solve` spells out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from striate.arithmetic.sizes import Slide
from striate.errors import UsageError

__all__ = ["COMMON", "Answer", "Question", "is_question", "read_question", "same_padding", "solve"]

COMMON: Mapping[str, tuple[int, int, int]] = {
    "same3": (3, 1, 1),
    "same5": (5, 1, 2),
    "pointwise": (1, 1, 0),
}
"""Windows with a name: kernel F, stride S, padding P. All three keep the size."""

_MOST_TRIED = 1_000_000


def same_padding(size: int, slide: Slide) -> tuple[int, int]:
    """Padding before and after, with which the output is ⌈N/S⌉: the size itself for stride 1.

    For an odd kernel and stride 1 that is (F − 1)/2 on both sides; what cannot be halved goes to the
    end, as in TensorFlow's "SAME".

    >>> [same_padding(32, Slide(f)) for f in (1, 3, 5, 7)], same_padding(224, Slide(3, 2))
    ([(0, 0), (1, 1), (2, 2), (3, 3)], (0, 1))
    """
    outputs = -(-size // slide.stride)
    needed = max(0, (outputs - 1) * slide.stride + slide.span - size)
    return needed // 2, needed - needed // 2


@dataclass(frozen=True, slots=True)
class Question:
    """Which of kernel, stride and padding (None: unknown) take a picture side to an output side.

    `size` None asks for a rule that holds for any picture; `output` None takes any output.
    """

    kernel: int | None
    stride: int | None
    padding: int | None
    size: int | None = None
    output: int | None = None
    dilation: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A window that fits. `output`: the output side, a number or a rule in N; `condition`: for which
    N the rule holds, "" for a known or for any size; `same`: the output is as large as the picture;
    `usual`: the padding is (F − 1)/2, with which the output is ⌈N/S⌉."""

    kernel: int
    stride: int
    padding: int
    output: int | str
    condition: str = ""
    same: bool = False
    usual: bool = False

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        found: dict[str, object] = {
            "kernel": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "output": self.output,
            "same": self.same,
            "usual": self.usual,
        }
        return found | ({"condition": self.condition} if self.condition else {})


def solve(question: Question) -> list[Answer]:
    """Everything that fits, least padding first. Padding up to the window's span less one is tried:
    with more, windows would lie in the padding alone.

    >>> [a.padding for a in solve(Question(3, 3, None, size=7))]
    [1]
    """
    if question.size is None:
        return _for_any_size(question)
    _check(question)
    _refuse_endless(question)
    answers = []
    for kernel in _range(question.kernel, 1, question.size):
        for stride in _range(question.stride, 1, question.size):
            for padding in _range(question.padding, 0, (kernel - 1) * question.dilation):
                slide = Slide(kernel, stride, padding, padding, question.dilation)
                steps, rest = divmod(question.size - slide.span + 2 * padding, stride)
                if steps >= 0 and not rest and question.output in (None, steps + 1):
                    answers.append(_answer(slide, steps + 1, same=steps + 1 == question.size))
    return sorted(answers, key=lambda one: (one.padding, one.stride, one.kernel))


def _answer(slide: Slide, output: int | str, *, same: bool, condition: str = "") -> Answer:
    usual = 2 * slide.before == slide.span - 1
    return Answer(slide.kernel, slide.stride, slide.before, output, condition, same, usual)


def _refuse_endless(question: Question) -> None:
    """Three unknowns and a large picture have more answers than anyone can read."""
    assert question.size is not None
    ways = [one is None for one in (question.kernel, question.stride, question.padding)]
    if question.size ** sum(ways) > _MOST_TRIED:
        raise UsageError(
            f"too much is unknown for a picture side of {question.size}",
            expected="fewer ?",
            remedy="give the kernel, say F=3",
        )


def _check(question: Question) -> None:
    for name, value, least in (
        ("picture side N", question.size, 1),
        ("kernel F", question.kernel, 1),
        ("stride S", question.stride, 1),
        ("padding P", question.padding, 0),
        ("output O", question.output, 1),
        ("dilation D", question.dilation, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"{name} is {value}", expected=f"{least} or more")


def _range(known: int | None, least: int, most: int) -> range:
    return range(least, most + 1) if known is None else range(known, known + 1)


def _for_any_size(question: Question) -> list[Answer]:
    """Rules in N for each padding: for which remainders of N / S the steps are whole."""
    _check(question)
    kernel, stride = question.kernel, question.stride
    if kernel is None or stride is None:
        raise UsageError(
            "kernel and stride must be known where the size is not",
            expected='a question such as "F=5 S=2 P=?", or one with N, such as "N=32 F=5 S=? P=2"',
        )
    if question.output is not None:
        raise UsageError("an output was given without a picture", expected="N=… beside O=…")
    span = (kernel - 1) * question.dilation + 1
    answers = []
    for padding in _range(question.padding, 0, span - 1):
        shift = 2 * padding - span + stride  # output = (N + shift) / S
        condition = _condition(-shift % stride, stride)
        slide = Slide(kernel, stride, padding, padding, question.dilation)
        rule, same = _rule(shift, stride), (stride, shift) == (1, 0)
        answers.append(_answer(slide, rule, same=same, condition=condition))
    return answers


def _condition(remainder: int, stride: int) -> str:
    if stride == 1:
        return ""
    if stride == 2:
        return "N odd" if remainder else "N even"
    return f"N = {stride}·m" + (f" + {remainder}" if remainder else "")


def _rule(shift: int, stride: int) -> str:
    inner = f"N {'+' if shift > 0 else '−'} {abs(shift)}" if shift else "N"
    if stride == 1:
        return inner
    return f"({inner})/{stride}" if shift else f"N/{stride}"


_TERM = re.compile(r"([a-z]+)\s*=\s*(\d+|\?)", re.IGNORECASE)
_NAMES = {
    "n": "size",
    "w": "size",
    "f": "kernel",
    "k": "kernel",
    "s": "stride",
    "p": "padding",
    "d": "dilation",
    "o": "output",
}


def is_question(text: str) -> bool:
    """Whether `text` is written in terms such as `F=5`."""
    return bool(_TERM.match(text.strip()))


def read_question(text: str) -> Question:
    """`F=5, S=2, P=?` as a `Question`; N (or W) is the picture side, O the output side.

    What of F, S and P is not named is unknown.

    >>> read_question("F=5, S=2, P=?")
    Question(kernel=5, stride=2, padding=None, size=None, output=None, dilation=1)
    """
    rest = _TERM.sub("", text).strip(" ,;\n\t")
    found: dict[str, int | None] = {}
    for name, value in _TERM.findall(text):
        field = _NAMES.get(name.lower())
        if field is None or rest:
            break
        if field in found:
            raise UsageError(f"{name} is given twice in {text!r}")
        found[field] = None if value == "?" else int(value)
    else:
        if found and not rest:
            return _complete(found)
    raise UsageError(
        f"cannot read {text!r}" + (f": what is {rest!r}" if rest else ""),
        expected="terms such as F=5 S=2 P=? (kernel, stride, padding), N= picture, O= output",
    )


def _complete(found: Mapping[str, int | None]) -> Question:
    return Question(
        found.get("kernel"),
        found.get("stride"),
        found.get("padding"),
        size=found.get("size"),
        output=found.get("output"),
        dilation=found.get("dilation") or 1,
    )
