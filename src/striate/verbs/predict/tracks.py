"""Which object of a film is which: ByteTrack, by the library trackers.

Zhang et al. 2022, "ByteTrack: Multi-Object Tracking by Associating Every Detection Box": likely
detections are matched first with where the known objects should be, and unlikely ones then with the
objects that are left, which carries them through moments in which they are half hidden.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from striate.errors import MissingExtraError
from striate.ops.rotated import upright_xyxy
from striate.pictures.quiet import quiet
from striate.tasks.detect.types import Detections
from striate.types import Array

__all__ = ["Tracks"]

_UNLIKELY = 0.1
"""Below this score, or half of what is likely, a detection says nothing of an object."""


class Tracks:
    """Gives detections of one frame after another the numbers of their objects, from 1.

    `fps`: frames a second; an object that is out of sight for a second and comes back is a new one.
    `sure`: the score from which a detection may begin a new object. Objects are told apart by place
    alone, so that one whose class is uncertain keeps its number. Turned boxes are followed by the
    upright boxes around them.
    """

    def __init__(self, *, fps: float, sure: float) -> None:
        self._library = _supervision()
        self._tracker = _byte_track(fps, sure)
        self._least = min(_UNLIKELY, sure / 2)
        self._numbers: dict[int, int] = {}
        self._labels: dict[int, Counter[str]] = {}

    def follow(self, found: Detections) -> Detections:
        """`found` in the next frame, with `track_ids`; −1 where no object is known (yet)."""
        ids = np.full(len(found), -1, np.int64)
        rows = np.flatnonzero(found.scores >= self._least)
        for row, own in self._matched(found.take(rows)):
            ids[rows[row]] = self._number(own)
        numbered = Detections(
            found.names, found.boxes_xyxy, found.scores, found.labels, found.angles_deg, ids
        )
        for number, label in zip(ids.tolist(), found.label_names(), strict=True):
            if number >= 0:
                self._labels.setdefault(number, Counter())[label] += 1
        return numbered

    def _number(self, own: int) -> int:
        """Numbers in the order of appearance; the library counts across all films of a process."""
        return self._numbers.setdefault(own, len(self._numbers) + 1)

    def _matched(self, found: Detections) -> list[tuple[int, int]]:
        """(row, number of the library) of those that belong to an object."""
        boxes = found.boxes_xyxy
        if found.angles_deg is not None:
            boxes = upright_xyxy(boxes, found.angles_deg)
        given = self._library.Detections(
            xyxy=np.asarray(boxes, np.float64).reshape(-1, 4),
            confidence=found.scores.astype(np.float64),
            class_id=found.labels.copy(),
            data={"row": np.arange(len(found))},
        )
        with quiet():
            answer = self._tracker.update(given)
        if not len(answer):
            return []
        ids: Array = np.asarray(answer.tracker_id).astype(int)
        rows = np.asarray(answer.data["row"]).astype(int)
        return sorted(
            (row, own) for row, own in zip(rows.tolist(), ids.tolist(), strict=True) if own >= 0
        )

    def counts(self) -> dict[str, int]:
        """How many objects of each class there were, most first; an object is what it was most often."""
        found = Counter(labels.most_common(1)[0][0] for labels in self._labels.values())
        return dict(found.most_common())


def _supervision() -> Any:
    try:
        with quiet():
            import supervision
            import trackers  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("trackers", "track", needed_for="following objects (--track)") from error
    return supervision


def _byte_track(fps: float, sure: float) -> Any:
    from trackers import ByteTrackTracker

    return ByteTrackTracker(
        frame_rate=max(1.0, fps), track_activation_threshold=sure, high_conf_det_threshold=sure
    )
