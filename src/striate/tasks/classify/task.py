"""The classifier: a table of contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

from striate.data.dataset import Dataset
from striate.figures import Section
from striate.settings import Settings
from striate.task import Aim, Evidence, Meter, Task
from striate.tasks.classify.aims import aim_of, pull_of
from striate.tasks.classify.calibrate import calibrated_facts
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.data import Labels, align_labels, learn_facts, read_source
from striate.tasks.classify.decode import answers_from
from striate.tasks.classify.metrics import ClassMeter, LabelMeter
from striate.tasks.classify.report import class_sections, class_summary
from striate.tasks.classify.report_labels import label_sections, label_summary
from striate.tasks.classify.types import Classification
from striate.types import Array, Picture, Prepared, SizeHW

__all__ = ["TASK", "Classify"]


@final
class Classify(Task[Labels, Classification]):
    """Which class a picture shows; with `multi_label`, which of the labels. Targets are names."""

    name: ClassVar[str] = "classify"
    config_type: ClassVar[type[Settings]] = ClassifyConfig
    facts_type: ClassVar[type[Settings]] = ClassifyFacts
    headline: ClassVar[str] = "headline_score"
    headline_mode: ClassVar[str] = "max"
    config: ClassifyConfig

    @property
    def facts(self) -> ClassifyFacts:
        """What was learnt: classes, input, temperature, thresholds."""
        assert isinstance(self._facts, ClassifyFacts), "task used before learn()"
        return self._facts

    def read(self, source: Path | str) -> Dataset[Labels]:
        return read_source(source, self.config)

    def learn(self, train: Dataset[Labels]) -> Classify:
        return Classify(self.config, learn_facts(train, self.config))

    def align(self, dataset: Dataset[Labels]) -> Dataset[Labels]:
        return align_labels(dataset, self.facts)

    @property
    def input_hw(self) -> SizeHW:
        return self.facts.size_hw

    @property
    def read_at_least_hw(self) -> SizeHW | None:
        return self.facts.size_hw

    def prepare(self, picture: Picture) -> Prepared:
        from striate.pictures.resize import fit

        return fit(picture, self.facts.size_hw, how=self.facts.fit)

    def decode(self, outputs: Mapping[str, Array], prepared: Sequence[Prepared]) -> list[Classification]:
        return answers_from(outputs, self.facts)

    def calibrate(
        self, outputs: Mapping[str, Array], targets: Sequence[Labels], prepared: Sequence[Prepared]
    ) -> Classify:
        return Classify(self.config, calibrated_facts(outputs, targets, self.facts, self.config))

    def meter(self, *, full: bool = True) -> Meter[Classification, Labels]:
        if self.facts.multi_label:
            return LabelMeter(self.facts)
        return ClassMeter(self.facts, top_k=self.config.top_k)

    def render(self, picture: Picture, prediction: Classification) -> Picture:
        return prediction.plot(picture)

    def sections(self, evidence: Evidence[Labels, Classification]) -> list[Section]:
        chosen = label_sections if self.facts.multi_label else class_sections
        return chosen(evidence, self.facts)

    def summary(self, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
        return list((label_summary if "map" in metrics else class_summary)(metrics))

    def aim(self, prediction: Classification, prepared: Prepared, wish: str = "") -> Aim:
        return aim_of(prediction, wish)

    def pull(self, outputs: Mapping[str, Array], aims: Sequence[Aim]) -> Array:
        return pull_of(outputs, aims, self.facts)


TASK = Classify
