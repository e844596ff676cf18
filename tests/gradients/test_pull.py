"""What is differentiated for each task, with the task's own recipe."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from striate.gradients.question import Network, Question, gradient
from striate.task import Aim
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.recipe import ClassifyRecipe
from striate.tasks.classify.task import Classify
from striate.tasks.detect.aims import aim_of, pull_of
from striate.tasks.detect.config import DetectConfig, DetectFacts
from striate.tasks.detect.recipe import DetectRecipe
from striate.tasks.detect.task import Detect
from striate.tasks.detect.types import Detections
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.tasks.regress.recipe import RegressRecipe
from striate.tasks.regress.task import Regress
from striate.types import Prepared


class Means(nn.Module):
    """Mean colour as columns, and as many spreads."""

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        found = pixels.mean(dim=(2, 3)) / 255
        return found, found[:, :2]


def regress() -> Regress:
    facts: dict[str, Any] = {
        "model": "small-cnn", "names": ("size", "yaw"), "is_angle": (False, True), "mean": (10.0, 0.0),
        "scale": (4.0, 30.0), "middle": (10.0, 0.0), "size_hw": (4, 6), "fit": "squash", "channels": 3,
        "coverage": 0.9,
    }  # fmt: skip
    return Regress(RegressConfig(), RegressFacts.parse(facts))


def test_a_number_and_an_angle_have_gradients_in_their_own_units() -> None:
    recipe = RegressRecipe(regress())
    network = Network.of(recipe, Means())
    pixels = torch.rand(2, 3, 4, 6) * 200 + 20
    size = Question(pixels, [Aim("size", 0, 1.0, "", either_way=True)] * 2)
    found = gradient(network, size)
    assert torch.allclose(found[:, 0], torch.full((2, 4, 6), 4.0 / 255 / 24))
    assert not found[:, 1:].any()
    yaw = gradient(network, Question(pixels, [Aim("yaw", 1, 1.0, "", either_way=True)] * 2))
    sine, cosine = (pixels[:, row].mean(dim=(1, 2)) / 255 for row in (1, 2))
    expected = torch.rad2deg(cosine / (sine**2 + cosine**2)) / 255 / 24
    assert torch.allclose(yaw[:, 1], expected[:, None, None].expand(2, 4, 6), rtol=1e-4)


def test_what_is_left_of_a_number_wraps_for_angles() -> None:
    task = regress()
    outputs = {"values": np.array([[10.0, -179.0], [14.0, 179.0]])}
    aims = [Aim("yaw", 1, 179.0, "", unit=30.0), Aim("size", 0, 10.0, "", unit=4.0)]
    assert np.allclose(task.pull(outputs, aims), [np.exp(-2 / 30), np.exp(-1)])


def test_a_class_is_its_logit_for_gradients_and_its_probability_for_asking() -> None:
    facts: dict[str, Any] = {
        "model": "small-cnn", "names": ("a", "b", "c"), "counts": (3, 3, 3), "size_hw": (4, 6),
        "fit": "squash", "channels": 3,
    }  # fmt: skip
    task = Classify(ClassifyConfig(), ClassifyFacts.parse(facts))
    logits = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])
    aims = [Aim("c", 2, 0.2, ""), Aim("a", 0, 0.9, "")]
    assert ClassifyRecipe(task).pull({"logits": logits}, aims).tolist() == [1.0, 3.0]
    asked = task.pull({"logits": logits.numpy()}, aims)
    assert np.allclose(asked, torch.softmax(logits, dim=1)[[0, 1], [2, 0]].numpy(), atol=1e-6)


def test_an_object_is_the_best_overlap_times_score_of_its_class() -> None:
    facts = {
        "method": "fcos",
        "model": "resnet18",
        "names": ("cat", "dog"),
        "counts": (3, 3),
        "size_hw": (40, 40),
    }
    task = Detect(DetectConfig(), DetectFacts.parse(facts))
    boxes = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 10], [0, 0, 0, 0]]])
    scores = torch.tensor([[0.5, 0.9, 0.99, 0.0]], requires_grad=True)
    labels = torch.tensor([[0, 0, 1, 0]])
    aims = [Aim("cat", 0, 0.5, "", box_xyxy=(0.0, 0.0, 10.0, 10.0))]
    outputs = {"boxes": boxes, "scores": scores, "labels": labels}
    pulled = DetectRecipe(task).pull(outputs, aims)
    assert pulled.tolist() == [0.5]
    pulled.sum().backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[1.0, 0.0, 0.0, 0.0]]
    asked = pull_of({name: value.detach().numpy() for name, value in outputs.items()}, aims)
    assert asked.tolist() == [0.5]


def test_a_detection_is_sought_in_input_pixels() -> None:
    found = Detections(
        ("cat", "dog"),
        np.array([[10, 20, 30, 60], [0, 0, 8, 8]], np.float32),
        np.array([0.75, 0.5], np.float32),
        np.array([1, 0]),
    )
    prepared = Prepared(np.zeros((40, 40, 3), np.uint8), (80, 80), (0.5, 0.5), (2.0, 1.0))
    first = aim_of(found, prepared, "")
    assert first is not None
    assert (first.name, first.box_xyxy) == ("dog", (6.0, 12.0, 16.0, 32.0))
    second, cat = aim_of(found, prepared, "2"), aim_of(found, prepared, "cat")
    assert second == cat
    assert aim_of(found, prepared, "3") is None
