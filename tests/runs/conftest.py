"""A header to build runs with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from striate.runs.header import RunHeader


def header_values() -> dict[str, Any]:
    return {
        "striate_version": "0.1.0",
        "created": "2026-11-20T09:30:00+00:00",
        "task": "sorting",
        "config": {"model": "resnet18", "multi_label": False},
        "facts": {"names": ["cat", "dog"], "temperature": 1.25},
        "train": {"epochs": 3, "seed": 7},
        "augment": {"augment": "light"},
        "plan": {"epochs": 3, "batch": 16, "threads": 2, "precision": "float32", "device": "cpu"},
        "data": {
            "name": "pets",
            "layout": "class folders with train/ and test/",
            "fingerprint": "ab" * 32,
            "counts": {"train": 80, "validation": 10, "test": 10},
            "names": ["cat", "dog"],
        },
        "weights": {"source": "resnet18.a1_in1k", "licence": "Apache-2.0", "sha256": "cd" * 32},
        "graphs": {"main": "graphs/main.onnx"},
        "metrics": {"test": {"accuracy": 0.9, "accuracy_interval": [0.85, 0.94]}},
        "timings": {"read": 0.5, "train": 61.2},
        "versions": {"python": "3.11.7", "numpy": "2.4.0"},
        "machine": {"cpu": "Testor 3000", "cores": 2, "memory_bytes": 8_000_000_000, "os": "Linux 6"},
    }


@pytest.fixture
def make_header() -> Callable[..., RunHeader]:
    """A header with some of its fields replaced."""

    def make(changes: dict[str, Any] | None = None) -> RunHeader:
        return RunHeader.parse(header_values() | (changes or {}))

    return make
