"""Panes and lamps: colours that change when the lights go on."""

from __future__ import annotations

from striate.data.scenes.names import Rgb
from striate.data.scenes.world import View

__all__ = ["GLASS", "LAMP", "PLATE", "TAIL", "glare", "lit_window", "window_colour"]

GLASS: Rgb = (74, 104, 128)
LIT: Rgb = (255, 214, 140)
LAMP: Rgb = (255, 246, 214)
TAIL: Rgb = (214, 40, 44)
PLATE: Rgb = (246, 240, 214)


def window_colour(view: View) -> Rgb:
    """Glass that mirrors the sky by day and darkens with it."""
    k = 1 - 0.35 * view.lamps
    return int(GLASS[0] * k), int(GLASS[1] * k), int(GLASS[2] * k)


def lit_window(view: View, *, on: bool = True) -> tuple[Rgb, float]:
    """Colour and glow of a pane with a lamp behind it if it is `on`, by how dark it is outside."""
    glass, power = window_colour(view), view.lamps if on else 0.0
    if power <= 0.02:
        return glass, 0.0
    red, green, blue = (
        int(g + (w - g) * min(1.0, 1.6 * power)) for g, w in zip(glass, LIT, strict=True)
    )
    return (red, green, blue), 0.92 * power


def glare(view: View) -> Rgb:
    """The streak of light across a pane."""
    return (226, 240, 248) if view.lamps < 0.5 else (150, 160, 190)
