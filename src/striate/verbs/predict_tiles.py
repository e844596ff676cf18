"""Detection in large pictures: overlapping tiles at full size, then one answer for the whole.

What lies on a seam is seen in part by one tile and, if it is no larger than the overlap, whole by its
neighbour. What is larger is seen whole by the picture scaled down; and where that does not find it,
its parts are joined. Cutting and repairing follows the idea of slicing-aided inference (Akyon et al.
2022, "Slicing Aided Hyper Inference"); how parts are told from wholes is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched_or_slices  # placeholder
