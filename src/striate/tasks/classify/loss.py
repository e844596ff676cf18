"""Cross-entropy over classes, or over each label by itself. Pure functions of logits."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["cross_entropy_per_picture", "label_cross_entropy_per_picture"]


def cross_entropy_per_picture(
    logits: Tensor, labels: Tensor, *, smoothing: float, class_weights: Tensor | None
) -> Tensor:
    """−Σ y log softmax(logits), (B,). `labels` (B,) int64.

    `smoothing` moves that part of the truth evenly over all classes (Szegedy et al. 2016).
    `class_weights` (K,) scale each picture's loss by its class.
    """
    loss = F.cross_entropy(logits.float(), labels, reduction="none", label_smoothing=smoothing)
    return loss if class_weights is None else loss * class_weights[labels]


def label_cross_entropy_per_picture(
    logits: Tensor, labels: Tensor, *, smoothing: float, class_weights: Tensor | None
) -> Tensor:
    """Binary cross-entropy, mean over labels, (B,). `labels` (B, K), 0 or 1."""
    soft = labels.float() * (1.0 - smoothing) + 0.5 * smoothing
    loss = F.binary_cross_entropy_with_logits(logits.float(), soft, reduction="none")
    return (loss if class_weights is None else loss * class_weights).mean(dim=1)
