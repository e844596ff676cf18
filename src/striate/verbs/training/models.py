"""Whether there is such a model: told before any data is read, which may take minutes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from striate.baselines.contract import baseline_type
from striate.baselines.names import is_baseline, parse_baseline
from striate.errors import MissingExtraError, UsageError
from striate.verbs.training.request import Request

__all__ = ["check_model", "training_extra"]

_PACKAGES = ("torch", "torchvision", "timm", "safetensors", "onnxscript")


def check_model(request: Request) -> None:
    """A `UsageError` unless the model that was asked for exists and can learn the task.

    A `MissingExtraError` where it is a network and the extra `train` is not installed.
    """
    if request.hand_made or request.model == "auto":
        return
    if is_baseline(request.model):
        _check_baseline(request)
        return
    with training_extra():
        from striate.nn.networks.registry import check_name
    check_name(request.model)


def _check_baseline(request: Request) -> None:
    baseline = baseline_type(request.task)
    if baseline is None:
        raise UsageError(
            f"{request.model} is for whole pictures, and cannot learn to {request.task}",
            expected="a network, or --method parts, which is hand-made too",
        )
    parse_baseline(request.model, kind=baseline.kind_of(request.config))


@contextmanager
def training_extra() -> Iterator[None]:
    """Imports within need the extra `train`: without it, a `MissingExtraError` says so."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        raise MissingExtraError(
            str(error.name), "train", needed_for="training a network (hand-made features do without)"
        ) from error
