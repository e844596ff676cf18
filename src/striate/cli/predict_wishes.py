"""What was asked of `striate predict`, and which wishes do not go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.verbs.predict.tiles import Tiling

__all__ = ["Wishes"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The flags, as they were given; see `striate.cli.predict.predict`."""

    out: Path | None = None
    annotate: Path | None = None
    csv: Path | None = None
    overwrite: bool = False
    top: int | None = None
    min_score: float | None = None
    tile: int | None = None
    overlap: float = 0.2
    tiles_only: bool = False
    sheet: Path | None = None
    coco: Path | None = None
    yolo: Path | None = None
    track: bool = False
    every: int = 1
    camera: int | None = None
    codec: Literal["vp9", "mpeg4"] = "vp9"

    def check(self) -> None:
        """Numbers that cannot be, whatever is asked about."""
        if self.top is not None and self.top < 1:
            raise UsageError(f"--top was given {self.top}", expected="a number from 1")
        if self.every < 1:
            raise UsageError(f"--every was given {self.every}", expected="a number from 1")
        self.tiling()

    def tiling(self) -> Tiling | None:
        """How large pictures are cut, if they are."""
        if self.tile is None:
            if self.tiles_only:
                raise UsageError("--tiles-only was given without --tile", remedy="add --tile 640")
            return None
        from striate.verbs.predict.tiles import Tiling

        return Tiling(self.tile, self.overlap, not self.tiles_only)

    def check_pictures(self) -> None:
        """Wishes that only a film can grant."""
        films: Mapping[str, object] = {"--track": self.track, "--every": self.every > 1}
        _refuse(films, "is for films", "name a video or an animated picture, or use --camera 0")
        if self.out is not None and self.annotate is not None:
            raise UsageError(
                "--out and --annotate were both given",
                remedy="use one of them: --out writes the annotated pictures too",
            )

    def check_films(self, *, named: int, films: int, json: bool) -> None:
        """Wishes that only pictures can grant; `films` of the `named` sources are films."""
        if films < named:
            raise UsageError(
                "films and pictures were named together", remedy="ask about one kind at a time"
            )
        pictures: Mapping[str, object] = {
            "--annotate": self.annotate,
            "--csv": self.csv,
            "--sheet": self.sheet,
            "--coco": self.coco,
            "--yolo": self.yolo,
        }
        _refuse(pictures, "is for pictures", "use --out: it writes the film and a line for each frame")
        if self.out is None and not json:
            raise UsageError(
                "there is no place for what is found in a film",
                remedy="add --out FOLDER for the annotated film, or --json for a line a frame",
            )

    def for_detectors(self) -> list[str]:
        """The flags that were given and that only a detector understands."""
        asked: Mapping[str, object] = {
            "--min-score": self.min_score is not None,
            "--tile": self.tile is not None,
            "--sheet": self.sheet,
            "--coco": self.coco,
            "--yolo": self.yolo,
        }
        return [flag for flag, value in asked.items() if value]


def _refuse(flags: Mapping[str, object], reason: str, remedy: str) -> None:
    for flag, value in flags.items():
        if value:
            raise UsageError(f"{flag} {reason}", remedy=remedy)
