"""Which head a method's name stands for."""

from __future__ import annotations

from collections.abc import Mapping

from striate.tasks.detect.config import Method
from striate.tasks.detect.methods.one_stage import Fcos, Retina, Ssd
from striate.tasks.detect.network import DetectHead

__all__ = ["HEADS"]

HEADS: Mapping[Method, type[DetectHead]] = {
    "ssd": Ssd,
    "retinanet": Retina,
    "fcos": Fcos,
}
