from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from striate.gradients.fourier import COLOURS, noise_spectrum, to_pictures
from striate.gradients.synthesis import Climb, _wanted, synthesise, total_variation

SIZES = [(8, 8), (7, 8), (8, 7), (9, 5), (1, 6), (6, 1)]


def stripes() -> nn.Sequential:
    """One channel likes upright stripes four pixels wide, one flat ones, one never answers."""
    wave = torch.cos(2 * torch.pi * torch.arange(8) / 4)
    net = nn.Sequential(nn.Conv2d(3, 3, 8, bias=True), nn.ReLU()).eval()
    with torch.no_grad():
        net[0].weight[0] = wave[None, None].expand(3, 8, 8) / 255
        net[0].weight[1] = wave[None, :, None].expand(3, 8, 8) / 255
        net[0].weight[2] = 0
        net[0].bias.copy_(torch.tensor([0.0, 0.0, -1.0]))
    return net


def test_a_synthesised_picture_beats_noise_and_any_picture() -> None:
    net, size = stripes(), (20, 26)
    made = synthesise(net, net[1], [0, 1], size, climb=Climb(steps=60, lr=0.1), seed=1)
    assert made.pictures.shape == (2, 3, *size)
    assert made.pictures.dtype == torch.uint8
    noise = torch.randint(0, 256, (200, 3, *size), generator=torch.Generator().manual_seed(0)).float()
    with torch.no_grad():
        values = net(noise)
        shown = values.amax(dim=(0, 2, 3))
        means = values.mean(dim=(2, 3)).amax(dim=0)
        again = net(made.pictures.float())
    for channel in (0, 1):
        assert float(made.strength[channel]) > float(shown[channel])
        assert float(again[channel, channel].mean()) > 1.7 * float(means[channel])  # what is climbed
        assert float(made.strength[channel]) > 10 * float(made.at_start[channel])
        # each prefers its own to the other's
        assert float(again[channel, channel].mean()) > 2 * float(again[1 - channel, channel].mean())
    np.testing.assert_allclose(
        made.strength.numpy(), [float(again[c, c].amax()) for c in (0, 1)], rtol=1e-5
    )


def test_what_is_synthesised_has_the_stripes() -> None:
    net = stripes()
    made = synthesise(net, net[1], [0], (32, 32), climb=Climb(steps=60, lr=0.1), seed=0)
    grey = made.pictures[0].float().mean(dim=0)
    across = torch.fft.rfft(grey, dim=1).abs().mean(dim=0)
    down = torch.fft.rfft(grey, dim=0).abs().mean(dim=1)
    assert float(across[8]) > 1.3 * float(down[8])  # a period of four in 32 pixels, one way only


def test_the_seed_decides_and_nothing_else_changes() -> None:
    net = stripes().train()
    how = Climb(steps=3)
    heard: list[tuple[int, int]] = []
    one, same = (
        synthesise(
            net, net[1], [0], (12, 10), climb=how, seed=5, listen=lambda a, b: heard.append((a, b))
        )
        for _ in range(2)
    )
    other = synthesise(net, net[1], [0], (12, 10), climb=how, seed=6)
    assert torch.equal(one.pictures, same.pictures)
    assert not torch.equal(one.pictures, other.pictures)
    assert heard[:3] == [(1, 3), (2, 3), (3, 3)]
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_silent_unit_is_woken() -> None:
    net = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU()).eval()
    with torch.no_grad():
        net[0].weight.fill_(1 / 3)
        net[0].bias.fill_(-140.0)  # grey noise is 127.5
    made = synthesise(net, net[1], [0], (8, 8), climb=Climb(steps=40, lr=0.2), seed=0)
    assert float(made.at_start) == 0.0
    assert float(made.strength) > 20


def test_a_class_is_climbed_by_its_number() -> None:
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2, bias=False)).eval()
    with torch.no_grad():
        net[2].weight.copy_(torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
    made = synthesise(net, net[2], [0, 1], (9, 7), climb=Climb(steps=60, lr=0.2), seed=0)
    red, green, blue = (made.pictures[:, band].float().mean(dim=(1, 2)) for band in range(3))
    assert float(red[0]) > float(green[0]) + 15
    assert float(blue[1]) > 180


@pytest.mark.parametrize("size", SIZES)
def test_coefficients_of_any_size(size: tuple[int, int]) -> None:
    spectrum = noise_spectrum(2, size, torch.Generator().manual_seed(0))
    assert spectrum.shape == (2, 3, size[0], size[1] // 2 + 1, 2)
    found = to_pictures(spectrum, size)
    assert found.shape == (2, 3, *size)
    assert bool(((found > 0) & (found < 1)).all())
    zero = to_pictures(torch.zeros_like(spectrum), size)
    torch.testing.assert_close(zero, torch.full_like(zero, 0.5))


@pytest.mark.parametrize("size", SIZES)
def test_coefficients_against_numpy(size: tuple[int, int]) -> None:
    """NumPy's own transform, and the weights written out for each frequency."""
    spectrum = noise_spectrum(1, size, torch.Generator().manual_seed(1)).double()
    height, width = size
    weights = np.zeros((height, width // 2 + 1))
    for row, down in enumerate(np.fft.fftfreq(height)):
        for column in range(width // 2 + 1):
            frequency = np.hypot(down, column / width)
            weights[row, column] = np.sqrt(height * width) / max(frequency, 1 / max(height, width))
    values = spectrum.numpy()
    planes = np.fft.irfft2((values[..., 0] + 1j * values[..., 1]) * weights, s=size)[0] / 4
    colours = np.array(COLOURS) / np.linalg.norm(COLOURS, axis=0).max()
    expected = 1 / (1 + np.exp(-np.tensordot(colours, planes, axes=1)))
    np.testing.assert_allclose(to_pictures(spectrum.float(), size)[0].numpy(), expected, atol=1e-5)


def test_total_variation_by_hand() -> None:
    picture = torch.tensor([[[[0.0, 1.0, 1.0], [0.0, 0.0, 0.5]]]])
    assert float(total_variation(picture)) == pytest.approx((1 + 0 + 0 + 0.5 + 0 + 1 + 0.5) / 6)
    assert float(total_variation(torch.full((1, 3, 4, 4), 0.3))) == 0


def test_half_of_the_places_are_climbed() -> None:
    """A unit that no picture moves at most of its places: the others decide."""
    values = torch.tensor([[[9.0, 1.0, -50.0], [5.0, -50.0, -50.0]]])
    assert float(_wanted(values)) == pytest.approx(5.0)
    assert _wanted(torch.tensor([3.0])).tolist() == [3.0]
