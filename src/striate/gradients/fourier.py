"""Pictures as Fourier coefficients: what a synthesis changes, so that no frequency is favoured.

Gradients of pixels put most of their strength into high frequencies; coefficients that are weighed by
1/f, on colours that do not vary together, give every scale its turn (Olah, Mordvintsev and Schubert,
"Feature visualization", Distill 2017, and its library lucid).
"""

from __future__ import annotations

import torch
from torch import Tensor

from striate.types import SizeHW

__all__ = ["COLOURS", "noise_spectrum", "to_pictures"]

COLOURS: tuple[tuple[float, float, float], ...] = (
    (0.26, 0.09, 0.02),
    (0.27, 0.00, -0.05),
    (0.27, -0.09, 0.03),
)
"""Square root of the covariance of red, green and blue in ImageNet's pictures (Olah et al. 2017): its
columns are lightness, red against blue, and green against both."""
_CONTRAST = 0.25
"""lucid's "magic constant": pictures start and stay within what a sigmoid can show."""


def noise_spectrum(count: int, size_hw: SizeHW, generator: torch.Generator) -> Tensor:
    """Coefficients float (count, 3, h, w // 2 + 1, 2) of faint noise, which `to_pictures` reads."""
    height, width = size_hw
    return 0.01 * torch.randn(count, 3, height, width // 2 + 1, 2, generator=generator)


def to_pictures(spectrum: Tensor, size_hw: SizeHW) -> Tensor:
    """Pictures float (B, 3, h, w), 0 … 1, of any size, for coefficients (B, 3, h, w // 2 + 1, 2)."""
    scaled = torch.view_as_complex(spectrum.contiguous()) * _weights(size_hw).to(spectrum.device)
    planes = _CONTRAST * torch.fft.irfft2(scaled, s=size_hw)  # (B, 3, h, w), colours that are apart
    colours = torch.tensor(COLOURS, device=spectrum.device)
    colours = colours / colours.norm(dim=0).max()
    return torch.einsum("ck,bkhw->bchw", colours, planes).sigmoid()


def _weights(size_hw: SizeHW) -> Tensor:
    """1/f float (h, w // 2 + 1), that of one cycle a picture where f is lower; times √(h·w)."""
    height, width = size_hw
    down = torch.fft.fftfreq(height)[:, None]
    across = torch.fft.rfftfreq(width)[None]
    lowest = 1.0 / max(height, width)
    found: Tensor = (height * width) ** 0.5 / (down**2 + across**2).sqrt().clamp_min(lowest)
    return found
