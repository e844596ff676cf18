"""Class activation maps: a layer's map, its channels weighed by what they do for the answer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.gradients.layer_choice import as_maps
from striate.gradients.question import Network, Question

__all__ = ["grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam", "maps_and_gradients"]


def maps_and_gradients(network: Network, question: Question, layer: str) -> tuple[Tensor, Tensor]:
    """The map of `layer` and the gradient of the answer there, both float (B, C, h, w)."""
    size_hw = (int(question.pixels.shape[2]), int(question.pixels.shape[3]))
    heard: list[Tensor] = []

    def hook(module: nn.Module, given: Any, values: Tensor) -> Tensor:
        heard.append(values.detach().requires_grad_(True))
        # a copy goes on: some layers write over what they are given
        return heard[0].clone()

    handle = network.module.get_submodule(layer).register_forward_hook(hook)
    try:
        with torch.enable_grad():
            pulled = network.pull(question).sum()
    finally:
        handle.remove()
    slopes = torch.zeros_like(heard[0])
    if pulled.requires_grad:
        (slopes,) = torch.autograd.grad(pulled, heard[0], materialize_grads=True)
    maps, gradients = as_maps(heard[0].detach(), size_hw), as_maps(slopes, size_hw)
    assert maps is not None, f"{layer} was chosen for its map"
    assert gradients is not None
    return maps, gradients


def grad_cam(network: Network, question: Question, layer: str) -> Tensor:
    """Heat float (B, h, w) at input size: channels weighed by their mean gradient.

    Selvaraju et al. (2017), "Grad-CAM", equations 1 and 2.
    """
    maps, slopes = maps_and_gradients(network, question, layer)
    signed = (slopes.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)
    return _enlarged(question.strength(signed), question)


def grad_cam_plus_plus(network: Network, question: Question, layer: str) -> Tensor:
    """Heat float (B, h, w): places count by how sure they are, so that several objects are all seen.

    Chattopadhay et al. (2018), "Grad-CAM++", equation 19, for an answer that is an exponential.
    """
    maps, slopes = maps_and_gradients(network, question, layer)
    square = slopes.square()
    below = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * square * slopes
    shares = torch.where(below.abs() > 1e-12, square / below, torch.zeros_like(below))
    weights = (shares * question.strength(slopes)).sum(dim=(2, 3), keepdim=True)
    return _enlarged(question.strength((weights * maps).sum(dim=1)), question)


def layer_cam(network: Network, question: Question, layer: str) -> Tensor:
    """Heat float (B, h, w): each place of each channel weighed by its own gradient above zero.

    Jiang et al. (2021), "LayerCAM", equations 5 and 6.
    """
    maps, slopes = maps_and_gradients(network, question, layer)
    return _enlarged(question.strength((question.strength(slopes) * maps).sum(dim=1)), question)


def hires_cam(network: Network, question: Question, layer: str) -> Tensor:
    """Heat float (B, h, w): map × gradient, place by place.

    Draelos & Carin (2020), "HiResCAM": faithful where one dense layer follows.
    """
    maps, slopes = maps_and_gradients(network, question, layer)
    return _enlarged(question.strength((slopes * maps).sum(dim=1)), question)


def _enlarged(heat: Tensor, question: Question) -> Tensor:
    size = (int(question.pixels.shape[2]), int(question.pixels.shape[3]))
    found = F.interpolate(heat[:, None].float(), size=size, mode="bilinear", align_corners=False)
    return found[:, 0]
