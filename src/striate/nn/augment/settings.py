"""How training pictures are varied. No torch here: these become flags and forms."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from striate.settings import Settings

__all__ = ["AugmentSettings"]


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
    colour: float | None = Field(default=None, ge=0, le=1)
    """Brightness, contrast, saturation and hue; 1 is violent."""
    noise: float | None = Field(default=None, ge=0, le=1)
    """Standard deviation of Gaussian noise, as a part of the full range."""
    erase: float | None = Field(default=None, ge=0, le=1)
    """Probability that a random rectangle is overwritten (random erasing)."""
    mixup: float | None = Field(default=None, ge=0)
    """alpha of mixup's Beta distribution (Zhang et al. 2018)."""
    cutmix: float | None = Field(default=None, ge=0)
    """alpha of CutMix's Beta distribution (Yun et al. 2019)."""
    border: Literal["auto", "reflect", "grey"] = "auto"
    """What lies beyond a picture that was moved: its mirror image, or grey; auto never mirrors objects
    that are to be found."""
