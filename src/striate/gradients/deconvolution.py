"""Zeiler & Fergus' deconvolutional network: what in a picture one unit answers to, in pixels.

"Visualizing and understanding convolutional networks" (2014), section 2.1. All activations of a layer
but one are set to zero, and that one is sent back to the picture: maxima are put where they were found
(switches), signals are rectified, and convolutions run transposed, with the same filters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from striate.errors import UsageError
from striate.gradients.listening import Place, hear
from striate.gradients.nonlinear import Nonlinear, rectified

__all__ = ["reconstruct", "strongest_places"]


def reconstruct(
    module: nn.Module, layer: Place, pixels: Tensor, channels: Tensor, places: Tensor | None = None
) -> Tensor:
    """The activation of one unit a picture, projected back to the pixels: float (B, 3, h, w).

    `pixels`: (B, 3, h, w), 0 … 255. `channels`: (B,) int64. `places`: (B, 2) row and column in the
    layer's map; None: where the channel is strongest in each picture. A unit at or below zero sends
    nothing. Values are signed: what would have to be brighter is above zero, darker below; only their
    proportions have a meaning.

    What a signal meets on its way back (it is the backward pass of autograd but for nonlinearities,
    which is the same for networks of convolutions, ReLU and max-pooling: Simonyan et al. 2014,
    section 4; Springenberg et al. 2015):

    - convolution, dense: the transposed one, also where it is strided, dilated or grouped;
    - max-pooling: back to where each maximum was; where windows overlap, signals add up;
    - average pooling, resizing, padding, concatenation: the transposed operation;
    - ReLU: the signal is rectified, whatever the unit's input was;
    - GELU, SiLU and other smooth nonlinearities have no deconvolutional network: treated as ReLU;
    - batch normalisation: multiplied by its scale, as it is in use; a shift has no share;
    - additions of residual networks: the signal goes both ways;
    - sigmoid and softmax as gates (squeeze and excitation, attention): held fixed, nothing goes back;
      where they multiply nothing, as those of `layer` itself: their derivative;
    - layer and group normalisation: their derivative.

    A `UsageError` where nothing of the picture reaches the layer but through gates that are held.
    """
    given = pixels.detach().clone().requires_grad_(True)
    was_training = module.training
    module.eval()
    try:
        with Nonlinear(rectified, hold_gates=True):
            values = hear(module, layer, given)
    finally:
        module.train(was_training)
    if not values.requires_grad:
        raise UsageError(
            "nothing can be sent back from this layer: the picture reaches it only by way of gates",
            remedy="choose another layer",
        )
    found = values if values.ndim == 4 else values[:, :, None, None]
    at = strongest_places(found, channels) if places is None else places.to(found.device)
    rows = torch.arange(len(found), device=found.device)
    one = found[rows, channels.to(found.device), at[:, 0], at[:, 1]]  # (B,)
    (signal,) = torch.autograd.grad(one, given, grad_outputs=one.detach().clamp_min(0))
    return signal


def strongest_places(values: Tensor, channels: Tensor) -> Tensor:
    """Row and column (B, 2) of the largest value of one channel a picture; `values` (B, C, h, w)."""
    rows = torch.arange(len(values), device=values.device)
    best = values.detach()[rows, channels.to(values.device)].flatten(1).argmax(dim=1)
    return torch.stack([best // values.shape[3], best % values.shape[3]], dim=1)
