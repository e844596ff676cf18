"""Mean corruption error (mCE): errors under corruption as a share of a baseline's, which is named.

mCE means nothing without its baseline. The paper's is AlexNet on ImageNet-C; it fits no other data, so
there is no default: a run is compared with AlexNet only where the caller says that it was measured on
ImageNet's validation pictures, and else with another run, measured on the same pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from striate.errors import UsageError
from striate.stress.corruptions.tables import COMMON, CorruptionName

__all__ = ["ALEXNET", "Baseline", "CorruptionErrors", "mce_against", "mean_corruption_error"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Errors 0 … 1, mean over severities 1 … 5, by corruption; `clean`: without any, where known."""

    title: str
    errors: Mapping[CorruptionName, float]
    clean: float | None = None


ALEXNET = Baseline(
    "AlexNet on ImageNet-C (Hendrycks & Dietterich 2019)",
    {
        "gaussian_noise": 0.886428,
        "shot_noise": 0.894468,
        "impulse_noise": 0.922640,
        "defocus_blur": 0.819880,
        "glass_blur": 0.826268,
        "motion_blur": 0.785948,
        "zoom_blur": 0.798360,
        "snow": 0.866816,
        "frost": 0.826572,
        "fog": 0.819324,
        "brightness": 0.564592,
        "contrast": 0.853204,
        "elastic_transform": 0.646056,
        "pixelate": 0.717840,
        "jpeg_compression": 0.606500,
    },
    clean=0.435,
)
"""Table 1 of the paper, in the digits of its code. For ImageNet's validation pictures at 224 px only."""


@dataclass(frozen=True, slots=True)
class CorruptionErrors:
    """`mce`: 1 is as bad as the baseline. `relative_mce`: of what is lost beyond clean; None if unknown.

    `by_corruption`: the corruption error CE of each, whose mean mCE is.
    """

    mce: float
    by_corruption: Mapping[CorruptionName, float]
    baseline: str
    relative_mce: float | None = None
    relative_by_corruption: Mapping[CorruptionName, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "mce": self.mce,
            "relative_mce": self.relative_mce,
            "baseline": self.baseline,
            "by_corruption": dict(self.by_corruption),
            "relative_by_corruption": dict(self.relative_by_corruption),
        }

    @property
    def statement(self) -> str:
        """In words."""
        return f"mCE {100 * self.mce:.1f} % of the errors of {self.baseline}"


def mean_corruption_error(
    errors: Mapping[CorruptionName, Sequence[float]], baseline: Baseline, *, clean: float | None = None
) -> CorruptionErrors:
    """mCE and relative mCE of `errors`: 0 … 1 at severities 1 … 5 of each of the fifteen corruptions.

    CE = Σ errors / Σ the baseline's; relative CE = Σ(errors - clean) / Σ(baseline's - its clean) (paper,
    section 4). `clean`: this run's error without corruption. `UsageError` if a corruption is missing, or
    the baseline makes no error under one.
    """
    mean = {name: _mean_error(errors, name, "the run's errors") for name in COMMON}
    base = {name: _base_error(baseline, name) for name in COMMON}
    shares = {name: mean[name] / base[name] for name in COMMON}
    relative: dict[CorruptionName, float] = {}
    if clean is not None and baseline.clean is not None:
        lost = {name: base[name] - baseline.clean for name in COMMON}
        if min(lost.values()) > 0:
            relative = {name: (mean[name] - clean) / lost[name] for name in COMMON}
    return CorruptionErrors(
        sum(shares.values()) / len(shares),
        shares,
        baseline.title,
        sum(relative.values()) / len(relative) if relative else None,
        relative,
    )


def mce_against(
    errors: Mapping[CorruptionName, Sequence[float]],
    other: Mapping[CorruptionName, Sequence[float]],
    *,
    title: str,
    clean: float | None = None,
    other_clean: float | None = None,
) -> CorruptionErrors:
    """mCE against another run's errors, measured on the same pictures at the same severities."""
    means = {name: _mean_error(other, name, f"the errors of {title}") for name in COMMON}
    return mean_corruption_error(errors, Baseline(title, means, other_clean), clean=clean)


def _mean_error(
    errors: Mapping[CorruptionName, Sequence[float]], name: CorruptionName, whose: str
) -> float:
    found = errors.get(name)
    if found is None or len(found) != 5 or not all(0.0 <= one <= 1.0 for one in found):
        raise UsageError(
            f"mCE: {whose} under {name} are {found if found is None else list(found)}",
            expected="five numbers from 0 to 1, for severities 1 … 5 of all fifteen corruptions",
        )
    return sum(found) / 5


def _base_error(baseline: Baseline, name: CorruptionName) -> float:
    found = baseline.errors.get(name, 0.0)
    if not found > 0.0:
        raise UsageError(
            f"mCE: {baseline.title} makes no error under {name}",
            expected="a baseline with errors under each corruption, for they are what is divided by",
            remedy="choose a weaker baseline, or compare the errors themselves",
        )
    return found
