"""Any architecture of timm as a backbone. timm is imported inside: it takes seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from striate.errors import MissingExtraError
from striate.nn.networks.backbone import Backbone, Normalisation, probe_features
from striate.nn.networks.pooling import FixedAverage
from striate.types import SizeHW

__all__ = [
    "Published",
    "is_timm_name",
    "published",
    "timm_backbone",
    "timm_names",
    "timm_tags",
    "translate_pretrained",
]

_SMALLEST_STAGE = 0.01
"""A last group with a smaller part of the parameters (a final norm) belongs to the one before."""


def timm_names() -> list[str]:
    """All architectures, without tags."""
    names: list[str] = _timm().list_models()
    return names


def is_timm_name(name: str) -> bool:
    """Whether `name` is an architecture, or an architecture.tag; addresses are never looked up."""
    architecture, _, tag = name.partition(".")
    return bool(_timm().is_model(architecture)) and (not tag or name in timm_tags(architecture))


def timm_tags(architecture: str) -> list[str]:
    """The names architecture.tag for which weights are published."""
    names: list[str] = _timm().list_models(f"{architecture}.*", pretrained=True)
    return names


@dataclass(frozen=True, slots=True)
class Published:
    """Weights that others published. `name`: architecture.tag. `repository`: on the hub, None if
    there is none with a safe format. `licence`: lower case, "" if unknown."""

    name: str
    repository: str | None
    file: str
    licence: str


def published(name: str) -> Published:
    """What timm knows of the weights of `name`: an architecture (its first tag) or architecture.tag."""
    architecture = name.partition(".")[0]
    settings = _timm().models.get_pretrained_cfg(name)
    tag = settings.tag if settings is not None else None
    file = (settings.hf_hub_filename if settings is not None else None) or "model.safetensors"
    repository = settings.hf_hub_id if settings is not None and file.endswith(".safetensors") else None
    return Published(
        name=f"{architecture}.{tag}" if tag else architecture,
        repository=repository or None,
        file=file,
        licence=((settings.license if settings is not None else None) or "").lower(),
    )


def timm_backbone(name: str, *, channels: int, size_hw: SizeHW) -> Backbone:
    """The architecture `name` with random weights and without its classifier."""
    model = _create(name, channels=channels, size_hw=size_hw)
    settings = model.pretrained_cfg
    norm = Normalisation(tuple(settings["mean"]), tuple(settings["std"])).for_channels(channels)
    features = probe_features(model, channels=channels, size_hw=size_hw)
    return Backbone(model, features_dim=features, stages=_stages(model), norm=norm)


def translate_pretrained(
    name: str, state: Mapping[str, Tensor], *, channels: int, size_hw: SizeHW
) -> dict[str, Tensor]:
    """Published tensors as this size and number of channels needs them, by timm's own rules.

    Position embeddings are interpolated, first filters summed over colours. A `RuntimeError` of
    torch if the tensors are of another architecture.
    """
    source = {"state_dict": dict(state)}
    model = _create(name, channels=channels, size_hw=size_hw, source=source)
    found: dict[str, Tensor] = model.state_dict()
    return found


def _create(name: str, *, channels: int, size_hw: SizeHW, source: dict[str, Any] | None = None) -> Any:
    timm = _timm()
    assert timm.is_model(name), name
    options: dict[str, Any] = {"num_classes": 0, "in_chans": channels}
    if timm.models.get_pretrained_cfg(name).fixed_input_size:
        options["img_size"] = size_hw
    if source is not None:
        options |= {"pretrained": True, "pretrained_cfg_overlay": source}
    model = timm.create_model(name, **options)
    if isinstance(model, timm.models.VGG):
        _fit_vgg(model, size_hw)
    return model


def _fit_vgg(model: Any, size_hw: SizeHW) -> None:
    """VGG's dense layers want maps of 7×7; timm stretches smaller ones in a way that ONNX lacks."""
    maps_hw = (size_hw[0] // 32, size_hw[1] // 32)
    wanted_hw = (max(maps_hw[0], 7), max(maps_hw[1], 7))
    if min(maps_hw) >= 1 and maps_hw != wanted_hw:
        model.features.append(FixedAverage(maps_hw, wanted_hw))


def _stages(model: Any) -> list[list[str]]:
    """Names of whole parts by timm's own coarse grouping: stem, stages in order."""
    try:
        matcher = model.group_matcher(coarse=True)
    except (AttributeError, AssertionError):  # a few name no groups: their direct parts are the stages
        return [[name] for name, part in model.named_children() if _owners(part, name)]
    groups = _timm().models.group_modules(model, matcher)
    stages = [set(groups[order]) for order in sorted(groups)]
    whole = sum(parameter.numel() for parameter in model.parameters())
    while len(stages) > 1 and _count(model, stages[-1]) < _SMALLEST_STAGE * whole:
        tail = stages.pop()
        stages[-1] |= tail
    return [_whole_parts(model, names) for names in stages]


def _count(model: nn.Module, names: set[str]) -> int:
    return sum(p.numel() for name in names for p in model.get_submodule(name).parameters(recurse=False))


def _owners(part: nn.Module, name: str) -> set[str]:
    """Names of the modules in `part` that hold parameters themselves."""
    return {
        inner
        for inner, module in part.named_modules(prefix=name)
        if any(True for _ in module.parameters(False))
    }


def _whole_parts(model: nn.Module, names: set[str], prefix: str = "") -> list[str]:
    """The largest parts that lie in `names` entirely: what has no parameters (dropout) comes along."""
    found = []
    for child, part in model.named_children():
        name = f"{prefix}{child}"
        owners = _owners(part, name)
        if owners and owners <= names:
            found.append(name)
        elif owners & names:
            found += _whole_parts(part, names, f"{name}.")
    return found


def _timm() -> Any:
    try:
        import timm
        import timm.models
    except ImportError as error:
        raise MissingExtraError("timm", "train", needed_for="this network") from error
    return timm
