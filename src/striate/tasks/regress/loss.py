"""Losses of standardised values and of angles, with a learnt spread. Pure functions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["angle_error_deg", "huber_per_picture", "spread_per_picture"]


def angle_error_deg(predicted: Tensor, true: Tensor) -> Tensor:
    """Signed difference of angles in degrees, wrapped into [−180, 180)."""
    return torch.remainder(predicted - true + 180.0, 360.0) - 180.0


def huber_per_picture(errors: Tensor, *, delta: float = 1.0) -> Tensor:
    """Huber's loss of standardised errors (B, K), mean over targets, (B,) (Huber 1964)."""
    return F.huber_loss(errors, torch.zeros_like(errors), reduction="none", delta=delta).mean(dim=1)


def spread_per_picture(errors: Tensor, log_sigmas: Tensor) -> Tensor:
    """Laplace negative log-likelihood of |error| with scale exp(log_sigma), (B,).

    The errors are detached by the caller: the spread learns from the values, never the reverse, so
    that hard pictures are not given up (Seitzer et al. 2022 show that joint likelihoods do).
    """
    clamped = log_sigmas.clamp(-7.0, 7.0)
    return (errors.abs() * torch.exp(-clamped) + clamped + math.log(2.0)).mean(dim=1)
