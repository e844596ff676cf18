"""The gradient methods by name: a network, a question and a layer in, heat out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from striate.gradients.cam import grad_cam, grad_cam_plus_plus, hires_cam, layer_cam
from striate.gradients.question import Network, Question
from striate.gradients.saliency import (
    deconvolution,
    guided_backprop,
    guided_gradcam,
    input_x_gradient,
    integrated_gradients,
    saliency,
    smooth_grad,
)

__all__ = ["GRADIENT_METHODS", "GradientMethod"]


@dataclass(frozen=True, slots=True)
class GradientMethod:
    """`heat(network, question, layer, seed)`: float (B, h, w), 0 or more. `layered`: needs a layer."""

    heat: Callable[[Network, Question, str, int], Tensor]
    layered: bool = False


def _layered(method: Callable[[Network, Question, str], Tensor]) -> GradientMethod:
    return GradientMethod(lambda network, question, layer, _: method(network, question, layer), True)


def _plain(method: Callable[[Network, Question], Tensor]) -> GradientMethod:
    return GradientMethod(lambda network, question, *_: method(network, question))


def _integrated(network: Network, question: Question) -> Tensor:
    return question.strength(integrated_gradients(network, question).sum(dim=1))


def _size(method: Callable[[Network, Question], Tensor]) -> GradientMethod:
    """Signals of three channels: the largest size."""
    return _plain(lambda network, question: method(network, question).abs().amax(dim=1))


GRADIENT_METHODS: Mapping[str, GradientMethod] = {
    "gradcam": _layered(grad_cam),
    "gradcam++": _layered(grad_cam_plus_plus),
    "layercam": _layered(layer_cam),
    "hirescam": _layered(hires_cam),
    "saliency": _plain(saliency),
    "input-x-gradient": _plain(input_x_gradient),
    "integrated": _plain(_integrated),
    "smoothgrad": GradientMethod(
        lambda network, question, _, seed: smooth_grad(network, question, seed=seed)
    ),
    "guided-backprop": _size(guided_backprop),
    "guided-gradcam": _layered(guided_gradcam),
    "deconv": _size(deconvolution),
}
