"""How training pictures are varied. No torch here: these become flags and forms."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from striate.settings import Settings

__all__ = ["AugmentSettings", "PolicyName"]

PolicyName: TypeAlias = Literal["none", "randaugment", "trivialaugment", "augmix"]


class AugmentSettings(Settings):
    """Random changes of training pictures; labels follow. Every value is a maximum, 0 is off.

    `augment` names a preset; a value given here overrides the preset's.
    """

    augment: Literal["auto", "none", "light", "standard", "heavy"] = "auto"
    """Preset; auto suits the picture size and what a change would do to the label."""
    flip: Literal["auto", "none", "horizontal", "vertical", "both"] = "auto"
    """Mirroring; auto mirrors photos sideways, and never what looks like writing."""
    crop: float | None = Field(default=None, ge=0, lt=1)
    """Part of the side by which a random crop may be smaller."""
    translate: float | None = Field(default=None, ge=0, lt=1)
    """Shift, as a part of the side; the border is reflected."""
    rotate_deg: float | None = Field(default=None, ge=0, le=180)
    """Rotation to either side, degrees."""
    scale: float | None = Field(default=None, ge=0, lt=1)
    """Zoom in or out, as a part."""
    shear_deg: float | None = Field(default=None, ge=0, le=60)
    """Slant to either side, along x and along y, degrees."""
    perspective: float | None = Field(default=None, ge=0, le=0.8)
    """Tilt: corners move inwards by up to this part of half the side."""
    elastic: float | None = Field(default=None, ge=0, le=0.05)
    """Elastic distortion: usual displacement (root mean square), as a part of the shorter side."""
    colour: float | None = Field(default=None, ge=0, le=1)
    """Brightness, contrast, saturation and hue; 1 is violent."""
    exposure: float | None = Field(default=None, ge=0, le=4)
    """Exposure to either side, stops; what is too bright burns out."""
    gamma: float | None = Field(default=None, ge=0, le=3)
    """Gamma: exponents from 1 / (1 + this) to 1 + this."""
    shade: float | None = Field(default=None, ge=0, lt=1)
    """Shade falling across the picture from any side; darkest where this part of the light is gone."""
    cast: float | None = Field(default=None, ge=0, lt=1)
    """Colour cast: red, green and blue each stronger or weaker by up to this part."""
    greyscale: float | None = Field(default=None, ge=0, le=1)
    """Probability that a picture loses its colour."""
    blur: float | None = Field(default=None, ge=0, le=16)
    """Gaussian blur: standard deviation, pixels of the network's input."""
    sharpen: float | None = Field(default=None, ge=0, le=10)
    """Sharpening: how much of the fine detail is added once more."""
    noise: float | None = Field(default=None, ge=0, le=1)
    """Standard deviation of Gaussian noise, as a part of the full range."""
    colour_noise: float | None = Field(default=None, ge=0, le=1)
    """Like noise, in colour only: the brightness of each pixel stays."""
    jpeg: float | None = Field(default=None, ge=0, le=1)
    """Traces of JPEG compression: 0.5 goes down to quality 50, 1 to the very lowest."""
    erase: float | None = Field(default=None, ge=0, le=1)
    """Probability that a random rectangle is overwritten (random erasing)."""
    mixup: float | None = Field(default=None, ge=0)
    """alpha of mixup's Beta distribution (Zhang et al. 2018)."""
    cutmix: float | None = Field(default=None, ge=0)
    """alpha of CutMix's Beta distribution (Yun et al. 2019)."""
    policy: PolicyName | None = None
    """Random operations besides: RandAugment (Cubuk et al. 2020), TrivialAugment (Müller & Hutter 2021)
    or AugMix (Hendrycks et al. 2020)."""
    policy_ops: int | None = Field(default=None, ge=0, le=10)
    """Operations a picture, in turn; for augmix, chains that are mixed. As published: 2, 1, 3."""
    policy_magnitude: float | None = Field(default=None, ge=0, le=30)
    """Strength: of 30 for randaugment (9) and, the strongest, for trivialaugment (30); of 10 for augmix
    (3)."""
    border: Literal["auto", "reflect", "grey"] = "auto"
    """What lies beyond a picture that was moved: its mirror image, or grey; auto never mirrors objects
    that are to be found."""
