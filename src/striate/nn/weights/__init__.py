"""Weights to start from: their licence, their hash, their way into a network."""

from striate.nn.weights.load import load_weights
from striate.nn.weights.source import WeightsSource, cached_weights, resolve_weights

__all__ = ["WeightsSource", "cached_weights", "load_weights", "resolve_weights"]
