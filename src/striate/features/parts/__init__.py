"""Objects found by their parts: a coarse filter for the whole, finer ones for parts that may move."""

from striate.features.parts.drawing import draw_parts
from striate.features.parts.explain import PartEvidence, PartsExplanation, explain_parts
from striate.features.parts.find import detect_parts
from striate.features.parts.model import Component, Detections, PartsModel
from striate.features.parts.naming import name_parts
from striate.features.parts.settings import PartsSettings
from striate.features.parts.train import FEWEST, Effort, train_parts

__all__ = [
    "FEWEST",
    "Component",
    "Detections",
    "Effort",
    "PartEvidence",
    "PartsExplanation",
    "PartsModel",
    "PartsSettings",
    "detect_parts",
    "draw_parts",
    "explain_parts",
    "name_parts",
    "train_parts",
]
