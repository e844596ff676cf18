"""What each model is trained with where the user says nothing. Tuned on public data, see `bench/`."""

from __future__ import annotations

from striate.nn.recipe import Defaults
from striate.types import SizeHW

__all__ = ["defaults_for"]


def defaults_for(model: str, size_hw: SizeHW, pictures: int, *, transfer: bool) -> Defaults:
    """Hyper-parameters for so many training pictures of `size_hw`; `transfer`: weights were loaded."""
    if transfer:
        return _fine_tuning(pictures)
    if model == "small-cnn":
        return _small_cnn(size_hw, pictures)
    if model.startswith("pixels-") or model == "deck-cnn":
        return _plain(pictures)
    return _from_scratch(size_hw, pictures)


def _passes(pictures: int, *, seen: int, least: int, most: int) -> int:
    """Epochs in which about `seen` pictures pass: small sets are seen more often."""
    return max(least, min(most, round(seen / max(1, pictures))))


def _batch(pictures: int, largest: int) -> int:
    """A power of two with which an epoch has at least a dozen steps, 8 … `largest`."""
    batch = largest
    while batch > 8 and pictures / batch < 12:
        batch //= 2
    return batch


def _fine_tuning(pictures: int) -> Defaults:
    """The head is solved already: a few gentle passes."""
    return _adamw(
        batch_size=_batch(pictures, 64), epochs=_passes(pictures, seen=20_000, least=3, most=15)
    )


def _plain(pictures: int) -> Defaults:
    """Networks of the course, without batch norm."""
    epochs = _passes(pictures, seen=400_000, least=8, most=60)
    return _adamw(batch_size=_batch(pictures, 256), epochs=epochs, weight_decay=0.01)


def _from_scratch(size_hw: SizeHW, pictures: int) -> Defaults:
    """Large architectures with random weights."""
    batch = _batch(pictures, 32 if max(size_hw) > 128 else 128)
    return _adamw(batch_size=batch, epochs=_passes(pictures, seen=60_000, least=10, most=60))


def _adamw(*, batch_size: int, epochs: int, weight_decay: float = 0.05) -> Defaults:
    return Defaults(
        optimizer="adamw",
        lr=1e-3,
        weight_decay=weight_decay,
        warmup=0.1,
        ema=0.0,
        batch_size=batch_size,
        epochs=epochs,
    )


def _small_cnn(size_hw: SizeHW, pictures: int) -> Defaults:
    """One-cycle SGD with fast biases and look-ahead averaging; about 400 steps on 50 000 pictures.

    Photos are harder than digits, and there are fewer of them: they are seen more often.
    """
    batch = _batch(pictures, 512)
    seen = max(240 * batch, 30_000 if max(size_hw) <= 64 else 60_000)
    return Defaults(
        optimizer="sgd",
        lr=batch / 512,
        weight_decay=2e-3,
        warmup=0.23,
        ema=0.95,
        batch_size=batch,
        epochs=_passes(pictures, seen=seen, least=5, most=100),
        momentum=0.85,
        final_lr=0.07,
        bias_lr_scale=64.0,
        decay="linear",
        lookahead=True,
    )
