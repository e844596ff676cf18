"""Padding: what keeps a size, and the solver against trying everything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.arithmetic.padding import (
    COMMON,
    Question,
    is_question,
    read_question,
    same_padding,
    solve,
)
from striate.arithmetic.sizes import Slide, exact_size, fitted
from striate.errors import UsageError


@pytest.mark.parametrize(("kernel", "padding"), [(1, 0), (3, 1), (5, 2), (7, 3)])
def test_half_the_kernel_keeps_the_size(kernel: int, padding: int) -> None:
    assert same_padding(32, Slide(kernel)) == (padding, padding)
    assert fitted(32, Slide(kernel, 1, padding, padding)) == 32


def test_two_unpadded_layers_shrink_the_picture() -> None:
    assert fitted(fitted(32, Slide(5)), Slide(5)) == 24


def test_the_common_windows_keep_the_size() -> None:
    assert sorted(COMMON.values()) == [(1, 1, 0), (3, 1, 1), (5, 1, 2)]
    for kernel, stride, padding in COMMON.values():
        assert fitted(13, Slide(kernel, stride, padding, padding)) == 13


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 50), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_gives_the_size_divided_by_the_stride(
    size: int, kernel: int, stride: int, dilation: int
) -> None:
    slide = Slide(kernel, stride, dilation=dilation)
    before, after = same_padding(size, slide)
    padded = Slide(kernel, stride, before, after, dilation)
    assert exact_size(size, padded).__floor__() == -(-size // stride)
    assert after - before in (0, 1)
    if stride == 1 and kernel % 2:
        assert before == after == (kernel - 1) * dilation // 2


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 3))
def test_the_solver_finds_all_and_only_what_fits(size: int, kernel: int, dilation: int) -> None:
    found = solve(Question(kernel, None, None, size=size, dilation=dilation))
    span = (kernel - 1) * dilation + 1
    expected = {
        (stride, pad)
        for stride in range(1, size + 1)
        for pad in range(span)
        if size + 2 * pad >= span and (size + 2 * pad - span) % stride == 0
    }
    assert {(one.stride, one.padding) for one in found} == expected
    for one in found:
        assert one.output == fitted(size, Slide(kernel, one.stride, one.padding, one.padding, dilation))
        assert one.same == (one.output == size)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 7), st.integers(1, 5), st.integers(1, 40))
def test_rules_for_any_size_hold(kernel: int, stride: int, size: int) -> None:
    rules = solve(Question(kernel, stride, None))
    assert [one.padding for one in rules] == list(range(kernel))
    for one in rules:
        if size + 2 * one.padding < kernel:
            continue
        exact = exact_size(size, Slide(kernel, stride, one.padding, one.padding))
        holds = {
            "": True,
            "N odd": size % 2 == 1,
            "N even": size % 2 == 0,
        }.get(one.condition)
        if holds is None:
            remainder = int(one.condition.partition("+ ")[2] or 0)
            holds = size % stride == remainder
        assert (exact.denominator == 1) == holds
        rule = str(one.output).replace("−", "-").replace("N", str(size))
        assert eval(rule) == pytest.approx(float(exact))  # noqa: S307 - as a person computes it


def test_the_decks_question() -> None:
    found = solve(read_question("F=5, S=2, P=?"))
    assert [(one.padding, one.output, one.condition) for one in found] == [
        (0, "(N − 3)/2", "N odd"),
        (1, "(N − 1)/2", "N odd"),
        (2, "(N + 1)/2", "N odd"),
        (3, "(N + 3)/2", "N odd"),
        (4, "(N + 5)/2", "N odd"),
    ]
    assert [one.usual for one in found] == [False, False, True, False, False]
    assert [one.output for one in solve(read_question("F=3 S=1 P=1"))] == ["N"]


def test_an_output_can_be_asked_for() -> None:
    found = solve(read_question("N=7 F=3 S=? P=? O=3"))
    assert {(one.stride, one.padding) for one in found} == {(2, 0), (3, 1), (4, 2)}
    assert not solve(read_question("N=32 F=5 S=2 P=?"))
    assert [one.padding for one in solve(read_question("N=32 F=6 S=2 P=?"))] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["F=5", "f = 5 s=2 p=?", "N=7, F=3, S=?"])
def test_questions_are_known_as_such(text: str) -> None:
    assert is_question(text)
    assert not is_question("7x7x1 conv1 3x3 s2 p?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("F=5 S=2 Q=1", "cannot read"),
        ("F=5 nonsense", "what is 'nonsense'"),
        ("F=5 F=3", "given twice"),
        ("S=2 P=?", "kernel and stride must be known"),
        ("F=3 S=1 O=4", "an output was given without a picture"),
        ("N=5000", "too much is unknown"),
        ("N=0 F=3 S=1", "N is 0"),
        ("F=0 S=1", "F is 0"),
    ],
)
def test_questions_that_cannot_be(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        solve(read_question(text))
