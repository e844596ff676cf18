"""Which signals gates hold back: those of what multiplies other values, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.gradients.nonlinear import Nonlinear, rectified

Layer = Callable[[Tensor], Tensor]


def sent_back(layer: Layer, given: Tensor, *, held: bool = True) -> Tensor:
    """The signal that ones, laid on what `layer` gives, send to `given`."""
    entered = given.clone().requires_grad_(True)
    with Nonlinear(rectified, hold_gates=held):
        left = layer(entered)
    (found,) = torch.autograd.grad(left.sum(), entered)
    return found


def derivative(layer: Layer, given: Tensor) -> Tensor:
    """The same by autograd as it is."""
    entered = given.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(layer(entered).sum(), entered)
    return found


@pytest.fixture
def tokens() -> Tensor:
    return torch.rand(2, 5, 8, generator=torch.Generator().manual_seed(2)) * 4


def written_out(tokens: Tensor, *, held: bool) -> Tensor:
    shares = (tokens @ tokens.transpose(1, 2) / 8**0.5).softmax(dim=2)
    return (shares.detach() if held else shares) @ tokens


def fused(tokens: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(tokens, tokens, tokens)


def fused_by_name(tokens: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(query=tokens, key=tokens, value=tokens)


@pytest.mark.parametrize("attention", [fused, fused_by_name, lambda one: written_out(one, held=False)])
def test_attention_is_held_however_it_is_called(tokens: Tensor, attention: Layer) -> None:
    expected = derivative(lambda one: written_out(one, held=True), tokens)
    assert torch.allclose(sent_back(attention, tokens), expected, atol=1e-6)
    free = derivative(lambda one: written_out(one, held=False), tokens)
    assert torch.allclose(sent_back(attention, tokens, held=False), free, atol=1e-5)
    assert not torch.allclose(free, expected, atol=1e-2)


def test_the_attention_of_a_module_is_held(tokens: Tensor) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        heads = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    found = sent_back(lambda one: heads(one, one, one)[0], tokens)
    expected = derivative(lambda one: heads(one.detach(), one.detach(), one)[0], tokens)
    assert found.any()
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("gate", [F.hardsigmoid, torch.sigmoid, Tensor.sigmoid, lambda x: x.softmax(2)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_gate_that_multiplies_is_held(tokens: Tensor, gate: Layer, turned: bool) -> None:
    def gated(one: Tensor) -> Tensor:
        share = gate(one.mean(dim=1, keepdim=True)).expand_as(one)  # squeeze and excitation
        return share * one if turned else one * share

    expected = gate(tokens.mean(dim=1, keepdim=True)).expand_as(tokens)
    assert torch.allclose(sent_back(gated, tokens), expected)


def test_a_gate_that_writes_over_its_input_is_held(tokens: Tensor) -> None:
    found = sent_back(lambda one: one * one.mean(dim=1, keepdim=True).sigmoid_(), tokens)
    assert torch.allclose(found, tokens.mean(dim=1, keepdim=True).sigmoid().expand_as(tokens))


SCORES: list[Layer] = [
    lambda one: one.sigmoid(),
    lambda one: one.softmax(dim=2)[:, :, 1:] * torch.tensor([0.3]),
    lambda one: (one.sigmoid() * one.mean(dim=2).sigmoid()[..., None]).sqrt(),
    lambda one: F.linear(one.sigmoid(), torch.ones(3, 8)) * one.sum(),
]


@pytest.mark.parametrize("score", SCORES)
def test_a_score_sends_its_signal_by_derivative(tokens: Tensor, score: Layer) -> None:
    found = sent_back(score, tokens)
    assert found.any()
    assert torch.allclose(found, derivative(score, tokens), atol=1e-5)
