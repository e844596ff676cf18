"""The one door to OpenCV: imported when first used, with its threads and its noise held down."""

from __future__ import annotations

from functools import cache
from types import ModuleType

__all__ = ["cv2_module"]


@cache
def cv2_module() -> ModuleType:
    """OpenCV 4 with the contributed modules.

    It is given arrays, never paths: its own readers follow no limits and crash on odd names.
    """
    import cv2
    import cv2.utils.logging

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    return cv2
