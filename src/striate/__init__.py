"""striate: turn a folder of pictures into a model that you can use, explain, stress and trust.

    import striate

    striate.train("photos", out="runs/photos")          # needs striate[train]
    model = striate.load("runs/photos")
    model.predict("cat.jpg")

Names are looked up in their home module on first use, so that `import striate` costs nothing and
using a trained run never touches torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.errors import (
        DataError,
        Interrupted,
        MachineError,
        PictureError,
        RunError,
        StriateError,
        UsageError,
    )
    from striate.pictures import read
    from striate.verbs.ablate import Ablation, ablate
    from striate.verbs.compare import compare
    from striate.verbs.data.augment import Preview, augment
    from striate.verbs.doctor import doctor
    from striate.verbs.evaluate import Evaluation, evaluate
    from striate.verbs.export import Export, export
    from striate.verbs.model import Answer, Model, load
    from striate.verbs.stress.attack import attack
    from striate.verbs.stress.card import StressReport, stress_card
    from striate.verbs.train import train

__version__ = "0.1.0"

__all__ = [
    "Ablation",
    "Answer",
    "DataError",
    "Evaluation",
    "Export",
    "Interrupted",
    "MachineError",
    "Model",
    "PictureError",
    "Preview",
    "RunError",
    "StressReport",
    "StriateError",
    "UsageError",
    "__version__",
    "ablate",
    "attack",
    "augment",
    "compare",
    "doctor",
    "evaluate",
    "export",
    "load",
    "read",
    "stress_card",
    "train",
]

_HOME = {
    "Ablation": "striate.verbs.ablate",
    "Answer": "striate.verbs.model",
    "DataError": "striate.errors",
    "Evaluation": "striate.verbs.evaluate",
    "Export": "striate.verbs.export",
    "Interrupted": "striate.errors",
    "MachineError": "striate.errors",
    "Model": "striate.verbs.model",
    "PictureError": "striate.errors",
    "Preview": "striate.verbs.data.augment",
    "RunError": "striate.errors",
    "StressReport": "striate.verbs.stress.card",
    "StriateError": "striate.errors",
    "UsageError": "striate.errors",
    "ablate": "striate.verbs.ablate",
    "attack": "striate.verbs.stress.attack",
    "augment": "striate.verbs.data.augment",
    "compare": "striate.verbs.compare",
    "doctor": "striate.verbs.doctor",
    "evaluate": "striate.verbs.evaluate",
    "export": "striate.verbs.export",
    "load": "striate.verbs.model",
    "read": "striate.pictures",
    "stress_card": "striate.verbs.stress.card",
    "train": "striate.verbs.train",
}
"""Where each public name lives: strings, so that nothing is imported before it is asked for."""

_TRAIN_EXTRA = ("torch", "torchvision", "timm", "safetensors")


def __getattr__(name: str) -> object:
    """A public name, from its home."""
    if name not in _HOME:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        if error.name not in _TRAIN_EXTRA:
            raise
        from striate.errors import MissingExtraError

        raise MissingExtraError(error.name, "train", needed_for=f"striate.{name}") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
