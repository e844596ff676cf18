"""Heat from gradients at the pixels: as they are, times the input, averaged, or sent back by rule."""

from __future__ import annotations

import torch
from torch import Tensor

from striate.gradients.cam import grad_cam
from striate.gradients.nonlinear import Nonlinear, rectified
from striate.gradients.question import Network, Question, gradient

__all__ = [
    "GREY",
    "deconvolution",
    "guided_backprop",
    "guided_gradcam",
    "input_x_gradient",
    "integrated_gradients",
    "saliency",
    "smooth_grad",
]

GREY = 127.0
"""The picture that says least, which evidence is counted from; as in padding and occlusion."""


def saliency(network: Network, question: Question) -> Tensor:
    """Heat float (B, h, w): the size of the gradient, the largest of the three channels.

    Simonyan, Vedaldi & Zisserman (2014), section 3.
    """
    return gradient(network, question).abs().amax(dim=1)


def input_x_gradient(network: Network, question: Question, *, baseline: float = GREY) -> Tensor:
    """Heat float (B, h, w): (pixel − grey) × gradient, summed over channels (Shrikumar et al. 2016)."""
    signed = (question.pixels - baseline) * gradient(network, question)
    return question.strength(signed.sum(dim=1))


def integrated_gradients(
    network: Network, question: Question, *, steps: int = 32, baseline: float = GREY
) -> Tensor:
    """Evidence float (B, 3, h, w), signed: gradients averaged on the way from grey to the picture.

    Sundararajan, Taly & Yan (2017), equation 1, by the midpoint rule. It adds up to the answer's
    difference between the picture and the grey one, but for the error of `steps`.
    """
    away = question.pixels - baseline
    total = torch.zeros_like(away)
    for step in range(steps):
        total += gradient(network, question.at(baseline + away * ((step + 0.5) / steps)))
    return away * total / steps


def smooth_grad(
    network: Network, question: Question, *, draws: int = 25, spread: float = 0.15, seed: int = 0
) -> Tensor:
    """Heat float (B, h, w): gradients averaged over pictures with noise of `spread` × their range.

    Smilkov et al. (2017), "SmoothGrad". The noise is the same for all pictures.
    """
    pixels = question.pixels
    span = pixels.amax(dim=(1, 2, 3), keepdim=True) - pixels.amin(dim=(1, 2, 3), keepdim=True)
    chance = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(pixels)
    for _ in range(draws):
        noise = torch.randn(pixels.shape[1:], generator=chance).to(pixels.device)
        total += gradient(network, question.at(pixels + noise * spread * span))
    return (total / draws).abs().amax(dim=1)


def guided_backprop(network: Network, question: Question) -> Tensor:
    """Signal float (B, 3, h, w): only what raises active units goes back.

    Springenberg et al. (2015), "Striving for simplicity", section 3.4. Smooth nonlinearities as ReLU.
    """
    with Nonlinear(_guided):
        return gradient(network, question)


def _guided(entered: Tensor, signal: Tensor) -> Tensor:
    return signal.clamp_min(0) * (entered > 0)


def guided_gradcam(network: Network, question: Question, layer: str) -> Tensor:
    """Heat float (B, h, w): guided backpropagation where Grad-CAM looks (Selvaraju et al. 2017, 3.3)."""
    fine = guided_backprop(network, question).abs().amax(dim=1)
    return fine * grad_cam(network, question, layer)


def deconvolution(network: Network, question: Question) -> Tensor:
    """Signal float (B, 3, h, w): the answer sent back through a deconvolutional network.

    Zeiler & Fergus (2014), section 2.1; for single units see `striate.gradients.deconvolution`. Gates
    are held; the sigmoid or softmax of a score sends its signal by derivative.
    """
    with Nonlinear(rectified, hold_gates=True):
        return gradient(network, question)
