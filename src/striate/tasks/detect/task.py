"""The detector: a table of contents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

from striate.data.boxes.truth import Boxes
from striate.data.dataset import Dataset
from striate.figures import Section
from striate.settings import Settings
from striate.task import Aim, Evidence, Meter, Task
from striate.tasks.detect.agreement import detection_differences
from striate.tasks.detect.aims import aim_of, pull_of
from striate.tasks.detect.config import DetectConfig, DetectFacts
from striate.tasks.detect.data import align_boxes, learn_facts, read_source
from striate.tasks.detect.decode import answers_from, calibrated_facts
from striate.tasks.detect.metrics import DetectMeter
from striate.tasks.detect.moving import moved_boxes
from striate.tasks.detect.proposing import PROPOSED_OUTSIDE, proposals_of
from striate.tasks.detect.types import Detections
from striate.types import Array, Picture, PictureArray, Prepared, SizeHW

__all__ = ["TASK", "Detect"]


@final
class Detect(Task[Boxes, Detections]):
    """What is where: boxes, classes and scores. Targets are tuples of `Box`."""

    name: ClassVar[str] = "detect"
    config_type: ClassVar[type[Settings]] = DetectConfig
    facts_type: ClassVar[type[Settings]] = DetectFacts
    headline: ClassVar[str] = "ap50"
    headline_mode: ClassVar[str] = "max"
    placed: ClassVar[bool] = True
    config: DetectConfig

    @property
    def facts(self) -> DetectFacts:
        """What was learnt: classes, method, input, curve of scores."""
        assert isinstance(self._facts, DetectFacts), "task used before learn()"
        return self._facts

    def read(self, source: Path | str) -> Dataset[Boxes]:
        return read_source(source)

    def learn(self, train: Dataset[Boxes]) -> Detect:
        return Detect(self.config, learn_facts(train, self.config))

    def align(self, dataset: Dataset[Boxes]) -> Dataset[Boxes]:
        return align_boxes(dataset, self.facts)

    @property
    def input_hw(self) -> SizeHW:
        return self.facts.size_hw

    @property
    def read_at_least_hw(self) -> SizeHW | None:
        return None  # boxes are in pixels of the whole picture, so its size must be known

    def prepare(self, picture: Picture) -> Prepared:
        from striate.pictures.resize import fit

        return fit(picture, self.facts.size_hw, how="pad")

    def feeds(self, pixels: PictureArray) -> Mapping[str, Array]:
        if self.facts.method not in PROPOSED_OUTSIDE:
            return {"pictures": pixels}
        return {"pictures": pixels, "proposals": proposals_of(pixels)}

    def decode(self, outputs: Mapping[str, Array], prepared: Sequence[Prepared]) -> list[Detections]:
        return answers_from(outputs, prepared, self.facts)

    def calibrate(
        self, outputs: Mapping[str, Array], targets: Sequence[Boxes], prepared: Sequence[Prepared]
    ) -> Detect:
        plain = self.facts.model_copy(update={"score_curve": ()})
        answers = answers_from(outputs, prepared, plain)
        meter = DetectMeter(plain.names, score_from=plain.show_from, oriented=plain.oriented, full=False)
        meter.update(answers, targets)
        best = meter.compute()["best_f1_score"]
        show_from = plain.show_from if best is None else float(best)
        return Detect(self.config, calibrated_facts(answers, targets, plain, show_from))

    def differences(self, own: Mapping[str, Array], answers: Mapping[str, Array]) -> dict[str, float]:
        return detection_differences(own, answers, self.facts)

    def moved(self, target: Boxes, prepared: Prepared, move: Callable[[Array], Array]) -> Boxes:
        return moved_boxes(target, prepared, move, oriented=self.facts.oriented)

    def meter(self, *, full: bool = True) -> Meter[Detections, Boxes]:
        facts = self.facts
        return DetectMeter(facts.names, score_from=facts.show_from, oriented=facts.oriented, full=full)

    def render(self, picture: Picture, prediction: Detections) -> Picture:
        return prediction.above(self.facts.show_from).plot(picture)

    def sections(self, evidence: Evidence[Boxes, Detections]) -> list[Section]:
        from striate.tasks.detect.report import detect_sections

        return detect_sections(evidence, self.facts)

    def summary(self, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
        from striate.tasks.detect.report import detect_summary

        return detect_summary(metrics)

    def aim(self, prediction: Detections, prepared: Prepared, wish: str = "") -> Aim | None:
        return aim_of(prediction, prepared, wish)

    def pull(self, outputs: Mapping[str, Array], aims: Sequence[Aim]) -> Array:
        return pull_of(outputs, aims)


TASK = Detect
