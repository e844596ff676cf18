"""What a detector answers for one picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from striate.types import Array, Picture

__all__ = ["Detections"]


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in one picture, best first, in pixels of the original picture.

    `names`: all K classes. `boxes_xyxy`: float32 (N, 4), left, top, right, bottom. `scores`: float32
    (N,), 0..1, falling. `labels`: int64 (N,), indices into `names`. `angles_deg`: float32 (N,), by how
    much each box is turned, clockwise, about its middle; None for upright boxes. `track_ids`: int64
    (N,), which object of a film each one is, −1 while that is not known; None for single pictures.

    >>> box, score = np.array([[1, 2, 9, 8]], np.float32), np.array([0.75], np.float32)
    >>> found = Detections(("cat", "dog"), box, score, np.array([1]))
    >>> found.to_dict()
    {'detections': [{'box_xyxy': [1.0, 2.0, 9.0, 8.0], 'label': 'dog', 'score': 0.75}]}
    """

    names: tuple[str, ...]
    boxes_xyxy: Array
    scores: Array
    labels: Array
    angles_deg: Array | None = None
    track_ids: Array | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        forms = {
            "boxes_xyxy": (self.boxes_xyxy, np.float32, (count, 4)),
            "scores": (self.scores, np.float32, (count,)),
            "labels": (self.labels, np.int64, (count,)),
            "angles_deg": (self.angles_deg, np.float32, (count,)),
            "track_ids": (self.track_ids, np.int64, (count,)),
        }
        for name, (array, dtype, shape) in forms.items():
            if array is not None and (array.dtype != dtype or array.shape != shape):
                wanted = f"{np.dtype(dtype).name} {shape}"
                raise ValueError(f"{name}: expected {wanted}, got {array.dtype} {array.shape}")
        if count and not (self.labels.min() >= 0 and self.labels.max() < len(self.names)):
            raise ValueError(f"labels must lie in 0..{len(self.names) - 1}")
        if count and not (self.scores.min() >= 0 and self.scores.max() <= 1.001):
            raise ValueError("scores must lie in [0, 1]")
        if (np.diff(self.scores) > 0).any():
            raise ValueError("scores must fall: best first")

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: Array) -> Detections:
        """Those at `rows` (indices or flags), which must keep the best first."""
        return Detections(
            self.names,
            self.boxes_xyxy[rows],
            self.scores[rows],
            self.labels[rows],
            None if self.angles_deg is None else self.angles_deg[rows],
            None if self.track_ids is None else self.track_ids[rows],
        )

    def above(self, score: float) -> Detections:
        """Those with at least this score."""
        return self.take(self.scores >= score)

    def label_names(self) -> list[str]:
        """The class name of each."""
        return [self.names[label] for label in self.labels.tolist()]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: a list of detections, best first; edges to a thousandth of a pixel."""
        found = []
        rows = zip(self.boxes_xyxy.tolist(), self.label_names(), self.scores.tolist(), strict=True)
        for index, (box, label, score) in enumerate(rows):
            one: dict[str, Any] = {
                "box_xyxy": [round(edge, 3) for edge in box],
                "label": label,
                "score": round(score, 6),
            }
            if self.angles_deg is not None:
                one["angle_deg"] = round(float(self.angles_deg[index]), 3)
            if self.track_ids is not None:
                one["track_id"] = int(self.track_ids[index])
            found.append(one)
        return {"detections": found}

    def plot(self, picture: Picture) -> Picture:
        """`picture` with the boxes drawn on it."""
        from striate.tasks.detect.render import render_detections

        return render_detections(picture, self)

    def _repr_html_(self) -> str:
        """A small table for notebooks; nothing is fetched."""
        cells = [
            f"<tr><td>{escape(label)}</td><td>{score:.2f}</td>"
            f"<td>{', '.join(f'{edge:.0f}' for edge in box)}</td></tr>"
            for box, label, score in zip(
                self.boxes_xyxy.tolist(), self.label_names(), self.scores.tolist(), strict=True
            )
        ]
        head = "<tr><th>label</th><th>score</th><th>left, top, right, bottom</th></tr>"
        rows = "".join(cells) or '<tr><td colspan="3">nothing was found</td></tr>'
        return f'<table style="font-family:sans-serif;font-size:13px">{head}{rows}</table>'
