"""Detections are explained by a deconvolutional network, whatever their scores are made by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from striate.gradients.question import Network, Question, gradient  # noqa: E402
from striate.gradients.saliency import deconvolution  # noqa: E402
from striate.task import Aim  # noqa: E402


@pytest.mark.parametrize("method", ["fcos", "ssd"])  # sigmoids, and a softmax
def test_a_detection_sends_a_signal_to_the_pixels(
    make_detection: Callable[..., Any], method: str
) -> None:
    made = make_detection(method, score_threshold=0.0)
    network = Network.of(made.recipe, made.network())
    pixels = torch.from_numpy(np.array(made.pixels)).permute(0, 3, 1, 2).float().contiguous()
    with torch.no_grad():
        seen = made.recipe.outputs(network.module, pixels, {})
    # what overlaps most with the middle, since an untrained network's best box may be empty
    aims = [
        Aim("any", int(label), 0.0, "", box_xyxy=(16.0, 16.0, 80.0, 48.0))
        for label in seen["labels"][:, 0]
    ]
    question = Question(pixels, aims)
    assert gradient(network, question).abs().amax(dim=(1, 2, 3)).min() > 0
    found = deconvolution(network, question)
    assert found.shape == pixels.shape
    assert found.abs().amax(dim=(1, 2, 3)).min() > 0
