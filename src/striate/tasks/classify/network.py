"""The classifier's graph: pictures in, logits and calibrated probabilities out."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["ClassifyGraph"]


class ClassifyGraph(nn.Module):
    """uint8 (B, H, W, 3) → logits (B, K) and probabilities (B, K) at the calibrated temperature."""

    def __init__(self, network: nn.Module, *, temperature: float, multi_label: bool) -> None:
        super().__init__()
        self.network, self.temperature, self.multi_label = network, temperature, multi_label

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Both outputs, float32."""
        logits: Tensor = self.network(pictures.permute(0, 3, 1, 2).float())  # (B, 3, H, W), 0..255
        scaled = logits / self.temperature
        return logits, scaled.sigmoid() if self.multi_label else scaled.softmax(dim=1)
