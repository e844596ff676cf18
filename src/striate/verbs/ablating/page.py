"""The page of an ablation: what each augmentation is worth, how sure that is, and how it was found."""

from __future__ import annotations

from collections.abc import Sequence

from striate.figures import Bars, Figure, Section, Table
from striate.verbs.ablating.effects import Ablation, Effect, number_of

__all__ = ["ablation_sections", "headline_numbers"]


def ablation_sections(found: Ablation) -> list[Section]:
    """What falls short, gains of what was added, of what was left out, and the terms."""
    sections = []
    if found.limits():
        sections.append(Section("What falls short", " ".join(found.limits())))
    if found.added:
        intro = (
            "Each is switched on alone, beside the same training without any. Right of zero is a gain; "
            "an interval that touches zero shows no effect."
        )
        sections.append(Section("Added, one at a time", intro, _figures(found, found.added)))
    if found.left_out:
        intro = (
            "Each part of the preset is switched off alone. The bar is what the preset has from it: a "
            "part whose bar is left of zero costs more than it brings."
        )
        sections.append(Section("Taken out of the preset", intro, _figures(found, found.left_out)))
    return [*sections, _method(found)]


def headline_numbers(found: Ablation) -> list[tuple[str, str]]:
    """The tiles."""
    best = found.best()
    numbers = [
        ("gains most", best.name if best else "nothing measurable"),
        *([(f"its gain, {found.unit.of_changes}", _interval(found, best))] if best else []),
    ]
    numbers += [(name, found.unit.level(score)) for name, score in found.references.items()]
    return numbers


def _interval(found: Ablation, one: Effect) -> str:
    unit = found.unit
    return f"{unit.number(one.gain)} ({unit.number(one.low)} to {unit.number(one.high)})"


def _figures(found: Ablation, effects: Sequence[Effect]) -> list[Figure]:
    times, digits = (100.0, 1) if found.unit.share else (1.0, 4)
    unit, number = found.unit.of_changes, found.unit.number

    def drawn(values: Sequence[float]) -> list[float]:
        return [round(times * value, digits) for value in values]

    bars = Bars(
        "Gain",
        f"{found.measured}, {unit}; the lines are 95 % intervals.",
        [one.name for one in effects],
        drawn([one.gain for one in effects]),
        unit,
        drawn([one.low for one in effects]),
        drawn([one.high for one in effects]),
    )
    rows = [
        (
            one.name,
            number(one.gain),
            f"{number(one.low)} to {number(one.high)}",
            one.verdict,
            " · ".join(number(gain) for gain in one.per_seed),
            _settings(one),
        )
        for one in effects
    ]
    columns = ("augmentation", f"gain, {unit}", "95 % interval", "so it", "with each seed", "by")
    return [bars, Table("The numbers", "", columns, rows)]


def _settings(one: Effect) -> str:
    """As flags."""
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in one.settings.items())


def _method(found: Ablation) -> Section:
    seeds = ", ".join(map(str, found.seeds))
    rows = [
        ("measured", found.measured),
        (
            "trainings",
            f"{found.trainings}, each of {number_of(found.epochs, 'epoch')}: equal steps, not time",
        ),
        ("seeds", f"{seeds}: with one seed all arms start alike and see the same split"),
        ("pictures measured", f"{found.pictures}"),
        (
            "intervals",
            "95 %. The luck of training, from all arms and seeds (randomised blocks, Student's t), and "
            "the luck of the pictures, by a bootstrap of pairs, added at a right angle",
        ),
        (
            "beware",
            "what helps in a short training may not in a long one, where there is more time to learn by "
            "heart; several at once may not add up; and all gains of a section share the luck of what "
            "they are compared with",
        ),
    ]
    return Section("How it is measured", "", [Table("Terms", "", ("what", "how"), rows)])
