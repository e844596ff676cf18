"""The model card, `card.md`: what the model is, what it is for, how good it is, how it was made.

The headings follow Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019). What only people
can know is said to be open, not made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from striate.runs.atomic import shown_bytes
from striate.runs.commands import next_commands, python_example, reproduce_command
from striate.runs.header import RunHeader
from striate.runs.markup import escape_markdown, number, span, text_of
from striate.runs.summary import shown_split, summary_of
from striate.types import Problem

__all__ = ["render_card"]

_NAMES = 50


def render_card(
    header: RunHeader,
    problems: Sequence[Problem] = (),
    *,
    name: str = "",
    run: str = "RUN",
) -> str:
    """The card in Markdown. `problems` of the data, `name` for the heading (by default the data's),
    `run`: the run's folder as the commands should name it."""
    title = name or header.data.name
    made = datetime.fromisoformat(header.created)
    parts = [
        f"# {escape_markdown(title)}",
        f"A model for the task **{escape_markdown(header.task)}**, trained on {made.day} {made:%B %Y} "
        f"with striate {escape_markdown(header.striate_version)}.",
        *_results(header),
        *_calibration(header),
        *_use(header),
        *_data(header, problems),
        *_training(header),
        *_energy(header),
        *_how_to_use(run),
        *_again(header, run),
    ]
    return "\n\n".join(parts) + "\n"


def _results(header: RunHeader) -> Iterable[str]:
    yield "## Results"
    split, metrics = shown_split(header)
    summary = summary_of(header, metrics)
    if not summary:
        yield "Nothing was measured: there were no validation or test pictures."
        return
    yield (
        f"On {escape_markdown(split)} pictures, by the exported graph that a user of the run gets. "
        "Ranges in brackets are 95 % intervals; they do not cover pictures of another kind."
    )
    yield _table(("measure", "value"), summary)
    others = _plain_metrics(metrics)
    if others:
        yield "All measures that are single numbers:"
        yield _table(("measure", "value"), others)


def _plain_metrics(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        match metrics.get(f"{name}_interval"):
            case [int() | float() as low, int() | float() as high]:
                interval = f" ({span(low, high)})"
            case _:
                interval = ""
        rows.append((name.replace("_", " "), number(value) + interval))
    return rows


def _calibration(header: RunHeader) -> Iterable[str]:
    yield "## Can its scores be believed?"
    error = shown_split(header)[1].get("ece")
    temperature = header.facts.get("temperature")
    if not isinstance(error, int | float):
        yield "Its calibration was not measured."
        return
    text = (
        f"An answer given with 80 % should be right 8 times in 10. The expected calibration error, the "
        f"mean distance from that, is {100 * error:.1f} %."
    )
    if isinstance(temperature, int | float) and temperature != 1:
        text += f" A temperature of {number(temperature)}, fitted on validation pictures, corrects it."
    yield text


def _use(header: RunHeader) -> Iterable[str]:
    yield "## Intended use and limits"
    yield (
        "Meant for pictures like those that it was trained on: of the same things, taken in a similar "
        "way. Who it is for, and what it must not decide, is for its user to add here."
    )
    yield (
        "- It answers for every picture, also for one that shows none of what it knows.\n"
        "- On other cameras, places, seasons or people it can be worse than the numbers above; "
        "measure it there with `striate evaluate`.\n"
        "- What was rare or mislabelled in training is learnt badly or wrongly.\n"
        "- If it saw pictures of persons: whether all groups of them fare alike was not measured."
    )
    licence = header.weights.licence
    source = escape_markdown(header.weights.source)
    if header.weights.source in ("", "none"):
        yield "**Licence of the weights:** trained from random weights; they are its user's own."
    else:
        yield (
            f"**Licence of the weights:** training started from {source}, published under "
            f"{escape_markdown(licence or 'an unknown licence')}; its terms apply to this model too."
        )


def _data(header: RunHeader, problems: Sequence[Problem]) -> Iterable[str]:
    data = header.data
    yield "## Data"
    rows = [("name", data.name), ("layout", data.layout)]
    rows += [(f"{split} pictures", number(count)) for split, count in data.counts.items()]
    rows.append(("fingerprint (sha256)", data.fingerprint))
    yield _table(("", ""), rows)
    if data.names:
        shown = ", ".join(escape_markdown(one) for one in data.names[:_NAMES])
        more = len(data.names) - _NAMES
        yield f"{len(data.names)} names: {shown}" + (f", and {more} more." if more > 0 else ".")
    kinds: dict[str, int] = {}
    for problem in problems:
        kinds[problem.kind] = kinds.get(problem.kind, 0) + 1
    if kinds:
        found = "; ".join(f"{escape_markdown(kind)}: {count}" for kind, count in kinds.items())
        yield f"Found while reading: {found}. The report says where."


def _training(header: RunHeader) -> Iterable[str]:
    yield "## Training"
    machine = header.machine
    memory = f", {shown_bytes(machine.memory_bytes)}" if machine.memory_bytes else ""
    accelerator = "" if machine.accelerator == "none" else f", {machine.accelerator}"
    rows: list[tuple[str, object]] = [*header.config.items(), *header.plan.items()]
    rows.append(("machine", f"{machine.cpu}, {machine.cores} cores{memory}{accelerator}, {machine.os}"))
    if header.timings:
        rows.append(("time", f"{number(sum(header.timings.values()), 3)} s"))
    texts = [(name.replace("_", " "), text_of(value)) for name, value in rows]
    yield _table(("setting", "value"), texts)


def _energy(header: RunHeader) -> Iterable[str]:
    yield "## Energy and CO₂e"
    energy = header.energy
    if energy is None:
        yield "Not metered."
        return
    wh = f"{number(1000 * energy.kwh, 3)} Wh ({span(1000 * energy.kwh_low, 1000 * energy.kwh_high)})"
    grams = span(energy.co2e_low_g, energy.co2e_high_g)
    if energy.co2e_g is not None:
        grams = f"{number(energy.co2e_g, 3)} g ({grams})"
    else:
        grams += " g"
    yield (
        f"{wh} of electricity, {grams} of CO₂e: {energy.car_text()} in an average car. "
        f"{escape_markdown(energy.grid_text())}"
    )
    yield "\n".join(f"- {escape_markdown(method)}" for method in energy.methods)


def _how_to_use(run: str) -> Iterable[str]:
    yield "## How to use it"
    steps = next_commands(run)
    width = max(len(command) for _, command in steps)
    yield _code("sh", "\n".join(f"{command:{width}}  # {what.lower()}" for what, command in steps))
    yield _code("python", python_example(run))


def _again(header: RunHeader, run: str) -> Iterable[str]:
    yield "## How to make it again"
    yield _code("sh", reproduce_command(header, run))
    versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
    yield f"With {escape_markdown(versions)}, and the data of the fingerprint above."


def _code(language: str, text: str) -> str:
    """A block that nothing in `text` can end."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "| --- | --- |"]
    lines += [f"| {escape_markdown(name)} | {escape_markdown(value)} |" for name, value in rows]
    return "\n".join(lines)
