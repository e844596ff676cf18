"""The regressor: a table of contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, final

from striate.data.dataset import Dataset
from striate.figures import Section
from striate.settings import Settings
from striate.task import Aim, Evidence, Meter, Task
from striate.tasks.regress.aims import aim_of, pull_of
from striate.tasks.regress.config import RegressConfig, RegressFacts
from striate.tasks.regress.data import Values, align_values, learn_facts, read_source
from striate.tasks.regress.decode import answers_from, calibrated_facts
from striate.tasks.regress.metrics import RegressMeter
from striate.tasks.regress.report import regress_sections, regress_summary
from striate.tasks.regress.types import Regression
from striate.types import Array, Picture, Prepared, SizeHW

__all__ = ["TASK", "Regress"]


@final
class Regress(Task[Values, Regression]):
    """Numbers for a picture, each with an interval; angles wrap. Targets are tuples of floats."""

    name: ClassVar[str] = "regress"
    config_type: ClassVar[type[Settings]] = RegressConfig
    facts_type: ClassVar[type[Settings]] = RegressFacts
    headline: ClassVar[str] = "mae"
    headline_mode: ClassVar[str] = "min"
    config: RegressConfig

    @property
    def facts(self) -> RegressFacts:
        """What was learnt: targets, scales, input, intervals."""
        assert isinstance(self._facts, RegressFacts), "task used before learn()"
        return self._facts

    def read(self, source: Path | str) -> Dataset[Values]:
        return read_source(source, self.config)

    def learn(self, train: Dataset[Values]) -> Regress:
        return Regress(self.config, learn_facts(train, self.config))

    def align(self, dataset: Dataset[Values]) -> Dataset[Values]:
        return align_values(dataset, self.facts)

    @property
    def input_hw(self) -> SizeHW:
        return self.facts.size_hw

    @property
    def read_at_least_hw(self) -> SizeHW | None:
        return self.facts.size_hw

    def prepare(self, picture: Picture) -> Prepared:
        from striate.pictures.resize import fit

        return fit(picture, self.facts.size_hw, how=self.facts.fit)

    def decode(self, outputs: Mapping[str, Array], prepared: Sequence[Prepared]) -> list[Regression]:
        return answers_from(outputs, self.facts)

    def calibrate(
        self, outputs: Mapping[str, Array], targets: Sequence[Values], prepared: Sequence[Prepared]
    ) -> Regress:
        return Regress(self.config, calibrated_facts(outputs, targets, self.facts, self.config))

    def meter(self, *, full: bool = True) -> Meter[Regression, Values]:
        return RegressMeter(self.facts)

    def render(self, picture: Picture, prediction: Regression) -> Picture:
        return prediction.plot(picture)

    def sections(self, evidence: Evidence[Values, Regression]) -> list[Section]:
        return regress_sections(evidence, self.facts)

    def summary(self, metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
        return regress_summary(metrics, self.facts)

    def aim(self, prediction: Regression, prepared: Prepared, wish: str = "") -> Aim:
        return aim_of(prediction, wish, self.facts)

    def pull(self, outputs: Mapping[str, Array], aims: Sequence[Aim]) -> Array:
        return pull_of(outputs, aims, self.facts)


TASK = Regress
