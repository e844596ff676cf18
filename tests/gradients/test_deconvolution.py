from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError
from striate.gradients.deconvolution import reconstruct
from striate.gradients.listening import Spot, find_spots, hear
from striate.types import Array


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(3)


def as_matrix(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Array:
    """A linear layer without its bias as an explicit matrix (outputs, inputs)."""
    size = int(np.prod(shape))
    with torch.no_grad():
        rest = layer(torch.zeros(1, *shape)).flatten()
        columns = [layer(one.view(1, *shape)).flatten() - rest for one in torch.eye(size)]
    return torch.stack(columns, dim=1).numpy()


def unpooled(signal: Array, maps: Array, side: int) -> Array:
    """Signals (C, h, w) put where the maximum of each window of `maps` (C, H, W) is; no overlaps."""
    found = np.zeros_like(maps)
    for channel in range(len(maps)):
        for y in range(signal.shape[1]):
            for x in range(signal.shape[2]):
                rows, columns = slice(y * side, (y + 1) * side), slice(x * side, (x + 1) * side)
                window = maps[channel, rows, columns]
                at = np.unravel_index(window.argmax(), window.shape)
                found[channel, y * side + at[0], x * side + at[1]] += signal[channel, y, x]
    return found


def test_zeiler_and_fergus_by_hand() -> None:
    """Transposed matrices, switches and rectified signals, one step after the other, in NumPy."""
    first, second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, stride=2, padding=1)
    net = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU()).eval()
    pixels = torch.rand(1, 3, 8, 12) * 255
    channel = int(net(pixels)[0].amax(dim=(1, 2)).argmax())
    found = reconstruct(net, net[4], pixels, torch.tensor([channel]))[0].numpy()

    with torch.no_grad():
        rectified = net[:2](pixels)
        top = net(pixels)[0].numpy()
    place = np.unravel_index(top[channel].argmax(), top[channel].shape)
    signal = np.zeros_like(top)
    signal[channel][place] = top[channel][place]
    signal = np.maximum(signal, 0)
    signal = (as_matrix(second, (4, 4, 6)).T @ signal.ravel()).reshape(4, 4, 6)
    signal = unpooled(signal, rectified[0].numpy(), 2)
    signal = np.maximum(signal, 0)
    by_hand = (as_matrix(first, (3, 8, 12)).T @ signal.ravel()).reshape(3, 8, 12)
    assert np.abs(by_hand).max() > 0
    np.testing.assert_allclose(found, by_hand, rtol=1e-4, atol=1e-4 * np.abs(by_hand).max())


def test_the_same_as_a_rectified_backward_pass_with_hooks() -> None:
    """As other libraries do it: gradients of ReLU replaced by the rectified signal (Springenberg)."""
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(8, 4, 2, dilation=2),
    ).eval()  # fmt: skip
    pixels = torch.rand(3, 3, 15, 13) * 2 - 0.5
    channels = torch.tensor([0, 3, 3])
    places = torch.tensor([[0, 0], [1, 1], [2, 1]])
    given = pixels.clone().requires_grad_(True)
    handles = [
        one.register_full_backward_hook(lambda _, below, above: (above[0].clamp_min(0),))
        for one in net
        if isinstance(one, nn.ReLU)
    ]
    top = net(given)
    chosen = top[torch.arange(3), channels, places[:, 0], places[:, 1]]
    chosen.backward(chosen.detach().clamp_min(0))
    for handle in handles:
        handle.remove()
    found = reconstruct(net, net[5], pixels, channels, places)
    assert given.grad is not None
    torch.testing.assert_close(found, given.grad)


def test_strided_and_normalised_layers_are_transposed_as_they_are_in_use() -> None:
    norm = nn.BatchNorm2d(4)
    net = nn.Sequential(nn.Conv2d(3, 4, 4, stride=3, padding=1, dilation=1), norm).eval()
    with torch.no_grad():
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        norm.weight.uniform_(-1, 1)
        norm.bias.fill_(50.0)
    pixels = torch.rand(1, 3, 11, 9)
    top = net(pixels)
    found = reconstruct(net, norm, pixels, torch.tensor([2]), torch.tensor([[1, 2]]))[0].numpy()
    signal = np.zeros(tuple(top.shape[1:]), np.float32)
    signal[2, 1, 2] = float(top.detach()[0, 2, 1, 2])
    by_hand = as_matrix(net, (3, 11, 9)).T @ signal.ravel()
    np.testing.assert_allclose(found.ravel(), by_hand, rtol=2e-4, atol=2e-4 * np.abs(by_hand).max())


def test_signals_take_both_ways_of_a_residual_block() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False)

        def forward(self, maps: Tensor) -> Tensor:
            return self.two(maps) + self.one(maps)

    block = Block()
    pixels = torch.rand(1, 3, 4, 5)
    found = reconstruct(block, block, pixels, torch.tensor([0]), torch.tensor([[1, 1]]))
    weights = (block.one.weight + block.two.weight)[0, :, 0, 0].detach()
    value = float(block(pixels).detach()[0, 0, 1, 1])
    torch.testing.assert_close(found[0, :, 1, 1], weights * max(value, 0.0))


@pytest.mark.parametrize("act", [nn.GELU(), nn.SiLU(), nn.ReLU(inplace=True), nn.ELU(), nn.Hardswish()])
def test_smooth_nonlinearities_rectify_the_signal(act: nn.Module) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), act, nn.Conv2d(4, 2, 1, bias=False)).eval()
    pixels = torch.rand(1, 3, 3, 4)
    top = net(pixels)
    channel = int(top[0, :, 0, 0].argmax())
    found = reconstruct(net, net[2], pixels, torch.tensor([channel]), torch.tensor([[0, 0]]))
    value = top[0, channel, 0, 0].detach().clamp_min(0)
    signal = (net[2].weight[channel, :, 0, 0] * value).clamp_min(0)
    torch.testing.assert_close(found[0, :, 0, 0], (signal @ net[0].weight[:, :, 0, 0]).detach())
    assert float(found[0, :, 1:].abs().sum()) == 0


def test_gates_are_held_fixed() -> None:
    class Gated(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            return maps * torch.sigmoid(maps.mean(dim=(2, 3), keepdim=True))

    pixels = torch.rand(1, 3, 4, 4)
    net = Gated()
    found = reconstruct(net, net, pixels, torch.tensor([1]), torch.tensor([[2, 3]]))
    gate = torch.sigmoid(pixels[0, 1].mean())
    expected = torch.zeros(1, 3, 4, 4)
    expected[0, 1, 2, 3] = gate * (pixels[0, 1, 2, 3] * gate)
    torch.testing.assert_close(found, expected)


def test_a_gate_that_multiplies_nothing_is_a_layer_like_others() -> None:
    conv = nn.Conv2d(3, 2, 1, bias=False)
    net = nn.Sequential(conv, nn.Sigmoid()).eval()
    pixels = torch.rand(1, 3, 3, 4)
    found = reconstruct(net, net[1], pixels, torch.tensor([1]), torch.tensor([[1, 2]]))
    share = float(net(pixels).detach()[0, 1, 1, 2])
    expected = conv.weight[1, :, 0, 0].detach() * share * share * (1 - share)
    torch.testing.assert_close(found[0, :, 1, 2], expected)


def test_a_layer_behind_held_gates_alone_is_refused() -> None:
    class Weights(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.MultiheadAttention(3, 1, batch_first=True).requires_grad_(False)

        def forward(self, maps: Tensor) -> Tensor:
            tokens = maps.flatten(2).transpose(1, 2)
            return self.heads(tokens, tokens, tokens)[1][:, None]  # type: ignore[no-any-return]

    net = Weights()
    with pytest.raises(UsageError, match="only by way of gates"):
        reconstruct(net, net, torch.rand(1, 3, 2, 2), torch.tensor([0]))


def test_a_unit_that_sleeps_sends_nothing_and_the_network_stays_as_it_is() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Dropout(0.5)).train()
    with torch.no_grad():
        net[0].bias.fill_(-1000.0)
    pixels = torch.rand(2, 3, 6, 5)
    assert float(reconstruct(net, net[1], pixels, torch.tensor([0, 1])).abs().sum()) == 0
    assert net.training
    assert net[0].weight.grad is None


def test_a_vector_has_one_place() -> None:
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2, bias=False)).eval()
    with torch.no_grad():
        net[2].weight.copy_(torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]))
    pixels = torch.ones(1, 3, 2, 5)
    found = reconstruct(net, net[2], pixels, torch.tensor([0]))
    torch.testing.assert_close(
        found, (torch.tensor([1.0, 0.0, 2.0]) * 3 / 10).view(1, 3, 1, 1).expand(1, 3, 2, 5)
    )


# -- listening --------------------------------------------------------------------------------


class Functional(nn.Module):
    """Layers that are no modules, channels that come last, and a merged normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5)
        self.dense = nn.Linear(5, 4)

    def forward(self, pixels: Tensor) -> Tensor:
        maps = F.gelu(self.norm(self.conv(pixels)))
        turned = self.dense(maps.permute(0, 2, 3, 1))  # (B, h, w, 4)
        return turned.amax(dim=(1, 2))


def test_layers_are_found_by_their_values() -> None:
    net = Functional().eval()
    pixels = torch.rand(2, 3, 9, 7) * 255
    with torch.no_grad():
        normed = net.norm(net.conv(pixels))
        dense = net.dense(F.gelu(normed).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        wanted = {"conv": normed, "dense": dense, "out": net(pixels), "other": torch.rand(2, 5, 7, 5)}
    found = find_spots(net, pixels, wanted)
    assert set(found) == {"conv", "dense", "out"}
    assert found["dense"].channels_last
    others = torch.rand(3, 3, 9, 7) * 255
    for name, values in (("conv", net.norm(net.conv(others))), ("out", net(others))):
        torch.testing.assert_close(hear(net, found[name], others), values, rtol=1e-4, atol=1e-2)
    assert hear(net, found["dense"], others).shape == (3, 4, 7, 5)
    assert hear(net, found["dense"], torch.rand(1, 3, 12, 8)).shape == (1, 4, 10, 6)


def test_hearing_stops_there_and_names_what_it_cannot_hear() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Unflatten(1, (1, 2)), nn.Linear(10**6, 1))
    pixels = torch.rand(1, 3, 2, 2)
    assert hear(net, net[0], pixels).shape == (1, 2, 2, 2)  # the last layer would fail
    with pytest.raises(UsageError, match="are of the form"):
        hear(net, net[1], pixels)
    with pytest.raises(UsageError, match="takes no part"):
        hear(net[0], nn.Linear(1, 1), pixels)
    with pytest.raises(UsageError, match="takes no part"):
        hear(net[0], Spot(99, (2, 2, 2)), pixels)
