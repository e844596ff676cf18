"""Named streams of chance: what one part draws never moves another part's draws."""

from __future__ import annotations

import hashlib
import random

from striate.data.scenes.names import Rgb

__all__ = ["jittered", "stream"]


def stream(seed: int, *names: str | int) -> random.Random:
    """A generator made from hash(seed, names): the same on every machine, in any order of calls."""
    text = "/".join(str(name) for name in (seed, *names))
    return random.Random(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()))


def jittered(rng: random.Random, colour: Rgb, amount: int = 9) -> Rgb:
    """`colour` a little lighter or darker and a little shifted, each channel within 0..255."""
    lift = rng.randint(-amount, amount)
    red, green, blue = (
        max(0, min(255, channel + lift + rng.randint(-amount // 3, amount // 3))) for channel in colour
    )
    return red, green, blue
