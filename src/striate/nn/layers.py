"""The layers of a torch module, read by letting a picture without memory run through it."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from striate.arithmetic.axes import Axes
from striate.arithmetic.layers import Network
from striate.arithmetic.tracing import Tracer
from striate.errors import MissingExtraError, UnknownNameError, UsageError
from striate.nn.layer_operations import HANDLERS
from striate.nn.layer_trace import LayerTrace
from striate.nn.networks.registry import build_backbone, is_own
from striate.nn.networks.timm_models import is_timm_name, timm_names

__all__ = ["layers_of_module", "layers_of_name"]


def layers_of_module(module: nn.Module, input_hwc: tuple[int, int, int], *, title: str = "") -> Network:
    """The network that `module` is for one picture (1, C, H, W) of its own type, in evaluation mode.

    Nothing is computed, only shapes, and the module stays as it is. A `UsageError` where the picture
    does not fit, or where shapes depend on values.
    """
    height, width, channels = input_hwc
    tracer = Tracer(input_hwc)
    was_training = module.training
    module.eval()
    params = {name: _empty(one) for name, one in module.named_parameters()}
    state = params | {name: _empty(one) for name, one in module.named_buffers()}
    trace = LayerTrace(tracer, list(params.values()), HANDLERS)
    kinds = [one.dtype for one in params.values() if one.is_floating_point()]
    kind = kinds[0] if kinds else torch.float32
    pictures = torch.empty(1, channels, height, width, device="meta", dtype=kind)
    trace.enter(pictures, tracer.picture((1, channels, height, width), Axes(2, 3, (height, width))))
    try:
        with torch.no_grad(), trace.naming(module), trace:
            functional_call(module, state, (pictures,))
    except (RuntimeError, ValueError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"a picture of {height}×{width}×{channels} does not run through {title or 'the module'}: "
            f"{reason}",
            remedy="give another --input",
        ) from error
    finally:
        module.train(was_training)
    total = sum(one.numel() for one in params.values())
    notes = () if tracer.layers else ("the module has no layers",)
    return tracer.build(title or type(module).__name__, params=total, notes=notes)


def _empty(tensor: Tensor) -> Tensor:
    """The same shape without memory."""
    return torch.empty_like(tensor, device="meta", requires_grad=False)


def layers_of_name(
    name: str, *, input_hwc: tuple[int, int, int] | None = None, classes: int | None = None
) -> Network:
    """The network of that name: one of ours, any of timm's, or `torchvision:NAME`.

    Built without memory for its weights. `input_hwc` None takes the size it was made for.
    """
    if is_own(name):
        return _own(name, input_hwc or (32, 32, 3), classes or 10)
    source, _, rest = name.rpartition(":")
    if source == "torchvision":
        module, size = _torchvision(rest, input_hwc, classes)
    elif source in ("", "timm"):
        module, size = _timm(rest, input_hwc, classes)
    else:
        raise UnknownNameError("source of models", source, ["timm", "torchvision"])
    return layers_of_module(module, size, title=name)


def _own(name: str, input_hwc: tuple[int, int, int], classes: int) -> Network:
    """A network of ours, with a linear head."""
    height, width, channels = input_hwc
    with torch.device("meta"):
        backbone = build_backbone(name, channels=channels, size_hw=(height, width))
        head = nn.Linear(backbone.features_dim, classes)
        module = nn.Sequential(OrderedDict(body=backbone.model, head=head))
    network = layers_of_module(module, input_hwc, title=name.replace("_", "-"))
    layers = tuple(replace(one, name=one.name.removeprefix("body.")) for one in network)
    return replace(network, layers=layers)


def _timm(
    name: str, input_hwc: tuple[int, int, int] | None, classes: int | None
) -> tuple[nn.Module, tuple[int, int, int]]:
    if not is_timm_name(name):
        raise UnknownNameError("model", name, timm_names())
    import timm

    settings = timm.models.get_pretrained_cfg(name)
    channels, height, width = settings.input_size if settings else (3, 224, 224)
    size = input_hwc or (height, width, channels)
    options: dict[str, Any] = {"in_chans": size[2]}
    if classes is not None:
        options["num_classes"] = classes
    if settings and settings.fixed_input_size and input_hwc:
        options["img_size"] = size[:2]
    return _built(timm.create_model, name, options), size


def _torchvision(
    name: str, input_hwc: tuple[int, int, int] | None, classes: int | None
) -> tuple[nn.Module, tuple[int, int, int]]:
    try:
        from torchvision import models
    except ImportError as error:
        raise MissingExtraError("torchvision", "train", needed_for="this network") from error
    known = models.list_models(module=models) + models.list_models(module=models.segmentation)
    if name not in known:
        raise UnknownNameError("torchvision model", name, known)
    options: dict[str, Any] = {"weights": None}
    if name in models.list_models(module=models.segmentation):
        options["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    if classes is not None:
        options["num_classes"] = classes
    default = (299, 299, 3) if name == "inception_v3" else (224, 224, 3)
    return _built(models.get_model, name, options), input_hwc or default


def _built(build: Any, name: str, options: dict[str, Any]) -> nn.Module:
    """Without memory, or where a model cannot be built so, with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of others: not ours to mend, and nothing is trained
        try:
            with torch.device("meta"):
                found: nn.Module = build(name, **options)
        except (RuntimeError, NotImplementedError):
            found = build(name, **options)
        except (ValueError, AssertionError) as error:
            raise UsageError(
                f"{name} cannot be built so: {error}", remedy="give another --input"
            ) from error
    return found
