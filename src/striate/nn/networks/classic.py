"""Winners of the ImageNet challenge that timm does not have; VGG-19 and ResNet-152 come from timm."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import nn

from striate.nn.networks.backbone import Backbone, probe_maps
from striate.nn.networks.pooling import FixedAverage
from striate.types import SizeHW

__all__ = ["alexnet", "googlenet", "zfnet"]


def alexnet(channels: int, size_hw: SizeHW) -> Backbone:
    """Krizhevsky 2014, as in torchvision: 5 convolutions and 3 dense layers with the head, 61 M."""
    from torchvision.models import alexnet as build

    model: Any = build(weights=None)
    if channels != 3:
        model.features[0] = nn.Conv2d(channels, 64, kernel_size=11, stride=4, padding=2)
    model.avgpool = _to_6x6(model.features, channels, size_hw)
    model.classifier = model.classifier[:-1]
    stages = [(f"features.{index}",) for index in (0, 3, 6, 8, 10)] + [("classifier",)]
    return Backbone(model, features_dim=4096, stages=stages)


def zfnet(channels: int, size_hw: SizeHW) -> Backbone:
    """Zeiler & Fergus 2014, figure 3: AlexNet on one device, with a 7×7 first filter of stride 2.

    Responses are normalised across maps, as there. Pictures of other sizes than 224, whose last maps
    are not 6×6, are averaged to that.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 96, kernel_size=7, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        nn.LocalResponseNorm(5),
        nn.Conv2d(96, 256, kernel_size=5, stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        nn.LocalResponseNorm(5),
        nn.Conv2d(256, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(kernel_size=3, stride=2),
    )
    average = _to_6x6(features, channels, size_hw)
    classifier = nn.Sequential(
        nn.Dropout(),
        nn.Linear(256 * 6 * 6, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
    )
    parts = OrderedDict(features=features, average=average, flatten=nn.Flatten(), classifier=classifier)
    model = nn.Sequential(parts)
    stages = [(f"features.{index}",) for index in (0, 4, 8, 10, 12)] + [("classifier",)]
    return Backbone(model, features_dim=4096, stages=stages)


def _to_6x6(features: nn.Module, channels: int, size_hw: SizeHW) -> nn.Module:
    """What makes the last maps 6×6: nothing at 224, an average at other sizes."""
    from_hw = probe_maps(features, channels=channels, size_hw=size_hw)
    return nn.Identity() if from_hw == (6, 6) else FixedAverage(from_hw, (6, 6))


def googlenet(channels: int, size_hw: SizeHW) -> Backbone:
    """Szegedy et al. 2015, as in torchvision (with batch normalisation), without auxiliary heads."""
    from torchvision.models import googlenet as build

    model: Any = build(weights=None, aux_logits=False, init_weights=False, transform_input=False)
    if channels != 3:
        model.conv1.conv = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    model.fc = nn.Identity()
    stages = [
        ("conv1",),
        ("conv2", "conv3"),
        ("inception3a", "inception3b"),
        tuple(f"inception4{letter}" for letter in "abcde"),
        ("inception5a", "inception5b"),
    ]
    return Backbone(model, features_dim=1024, stages=stages)
