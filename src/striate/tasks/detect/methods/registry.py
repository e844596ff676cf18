"""Which head a method's name stands for."""

from __future__ import annotations

from collections.abc import Mapping

from striate.tasks.detect.config import DetectFacts, Method
from striate.tasks.detect.methods.one_stage import Fcos, Retina, Ssd
from striate.tasks.detect.methods.queries import RtDetr
from striate.tasks.detect.methods.regions import FasterRcnn, FastRcnn, Rcnn
from striate.tasks.detect.methods.regressed import FixedSlots, Single
from striate.tasks.detect.methods.turned import TurnedFcos
from striate.tasks.detect.methods.window import SlidingWindow
from striate.tasks.detect.network import DetectHead

__all__ = ["HEADS", "head_of"]

HEADS: Mapping[Method, type[DetectHead]] = {
    "single": Single,
    "fixed-slots": FixedSlots,
    "sliding-window": SlidingWindow,
    "rcnn": Rcnn,
    "fast-rcnn": FastRcnn,
    "faster-rcnn": FasterRcnn,
    "ssd": Ssd,
    "retinanet": Retina,
    "fcos": Fcos,
    "rtdetr": RtDetr,
}


def head_of(facts: DetectFacts) -> type[DetectHead]:
    """The head of a detector with these facts."""
    return TurnedFcos if facts.oriented else HEADS[facts.method]
