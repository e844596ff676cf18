"""Settings of augmentation as a person would say them. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from striate.nn.augment.settings import AugmentSettings

__all__ = ["settings_in_words"]

_FLIPS: Mapping[str, str] = MappingProxyType(
    {
        "horizontal": "mirrored sideways half of the time",
        "vertical": "turned upside down half of the time",
        "both": "mirrored sideways and upside down, each half of the time",
    }
)
_POLICIES: Mapping[str, str] = MappingProxyType(
    {
        "randaugment": "RandAugment: {ops} operations at magnitude {magnitude:g} of 30",
        "trivialaugment": "TrivialAugment: {ops} operation of any strength up to {magnitude:g} of 30",
        "augmix": "AugMix: {ops} chains mixed, at severity {magnitude:g} of 10",
    }
)


def _share(value: float) -> str:
    """In per cent."""
    return f"{100 * value:.0f} %"


_WORDS: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {
        "crop": lambda v: f"cropped by up to {_share(v)} of the side",
        "translate": lambda v: f"shifted by up to {_share(v)}",
        "rotate_deg": lambda v: f"turned by up to {v:g}°",
        "scale": lambda v: f"zoomed by up to {_share(v)}",
        "shear_deg": lambda v: f"slanted by up to {v:g}°",
        "perspective": lambda v: f"tilted, corners inwards by up to {_share(v)}",
        "elastic": lambda v: f"distorted by up to {100 * v:.1f} %",
        "colour": lambda v: (
            f"brightness, contrast, saturation up to ±{_share(v)}, hue up to ±{90 * v:.0f}°"
        ),
        "exposure": lambda v: f"exposed up to {v:g} stops more or less",
        "gamma": lambda v: f"gamma {1 / (1 + v):.2g} to {1 + v:.2g}",
        "shade": lambda v: f"shaded from one side by up to {_share(v)}",
        "cast": lambda v: f"a colour cast of up to {_share(v)}",
        "greyscale": lambda v: f"grey with probability {v:g}",
        "blur": lambda v: f"blurred by up to {v:g} px",
        "sharpen": lambda v: f"sharpened up to {v:g} times",
        "noise": lambda v: f"noise of up to {_share(v)}",
        "colour_noise": lambda v: f"colour noise of up to {_share(v)}",
        "jpeg": lambda v: f"JPEG down to quality {100 - 99 * v:.0f}",
        "erase": lambda v: f"a rectangle erased with probability {v:g}",
        "mixup": lambda v: f"mixup, alpha {v:g}",
        "cutmix": lambda v: f"CutMix, alpha {v:g}",
    }
)


def settings_in_words(settings: AugmentSettings) -> list[str]:
    """What is on in resolved settings, in the order in which it happens; nothing is an empty list.

    >>> settings_in_words(AugmentSettings(flip="horizontal", rotate_deg=10.0))
    ['mirrored sideways half of the time', 'turned by up to 10°']
    """
    said = [_FLIPS[settings.flip]] if settings.flip in _FLIPS else []
    for name, words in _WORDS.items():
        value = getattr(settings, name)
        if value:
            said.append(words(value))
    pattern = _POLICIES.get(settings.policy or "none", "")
    if pattern and settings.policy_ops:
        text = pattern.format(ops=settings.policy_ops, magnitude=settings.policy_magnitude or 0.0)
        said.insert(0, text.replace("1 operations", "1 operation"))
    return said
