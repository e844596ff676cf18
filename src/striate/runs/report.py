"""The report of a run: one HTML file that needs no network, no script and no other file.

It says first how good the model is, then what it was trained on and what to do next, then shows what
training, the task and the data have to tell, and last how to make it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from striate.figures import Section
from striate.runs.atomic import shown_bytes
from striate.runs.commands import next_commands, python_example, reproduce_command
from striate.runs.energy import STABLE_DIFFUSION_CARS, STABLE_DIFFUSION_KG, EnergyRecord
from striate.runs.header import RunHeader
from striate.runs.history import training_section
from striate.runs.markup import escape, number, text_of
from striate.runs.page import contents, document, masthead, section_body, tiles
from striate.runs.summary import Summary, headline_of, shown_split, summary_of
from striate.types import Problem

__all__ = ["render_report"]

_NAMES = 30
_EXAMPLES = 3


def render_report(
    header: RunHeader,
    sections: Sequence[Section],
    history: Sequence[Mapping[str, Any]],
    problems: Sequence[Problem],
    *,
    name: str = "",
    run: str = "RUN",
    summary: Summary | None = None,
    measured_on: str = "",
) -> str:
    """The page.

    `sections`: what the task shows of its evaluation. `history`: the rows of `metrics.jsonl`.
    `problems`: of the data. `name`: the heading, by default the name of the data. `run`: the run's
    folder as the commands should name it. `summary`: the numbers at the top, by default the task's own
    of the test (else validation) split; `measured_on` says on what.
    """
    title = name or header.data.name
    split, metrics = shown_split(header)
    if summary is None:
        summary = summary_of(header, metrics)
        measured_on = measured_on or (f"{split} pictures" if split else "")
    course = training_section(history, headline_of(header))
    drawn = [*([course] if course else []), *sections]
    parts = [
        *((section.title, section_body(section)) for section in drawn),
        ("Data health", _data_health(problems)),
        ("Settings and plan", _settings(header, run)),
        ("Energy and CO₂e", _energy(header.energy)),
        ("Versions and machine", _machine(header)),
    ]
    body = (
        _top(header, title, summary, measured_on)
        + f'<div class="pair">{_trained_on(header, problems)}{_next(run)}</div>'
        + contents(parts)
    )
    return document(f"{title} · striate", body, version=header.striate_version)


# -- the first screen -------------------------------------------------------------------------


def _top(header: RunHeader, title: str, summary: Summary, measured_on: str) -> str:
    made = datetime.fromisoformat(header.created)
    facts = f"{header.task} · {made.day} {made:%B %Y, %H:%M %Z} · {header.machine.cpu}"
    on = f'<p class="on">On {escape(measured_on)}</p>' if measured_on else ""
    results = f'<h2 class="unseen">Results</h2>{on}{tiles(summary)}'
    return masthead(title, kind="striate run", facts=facts) + (
        results if summary else '<p class="none">Nothing was measured.</p>'
    )


def _trained_on(header: RunHeader, problems: Sequence[Problem]) -> str:
    data = header.data
    rows = [(f"{split} pictures", number(count)) for split, count in data.counts.items()]
    rows += [("layout", data.layout), ("started from", _started_from(header))]
    serious = sum(problem.severity != "note" for problem in problems)
    health = f'<a href="#data-health">{serious} to look at</a>' if serious else "nothing found"
    shown = "".join(f"<li><bdi>{escape(one)}</bdi></li>" for one in data.names[:_NAMES])
    more = len(data.names) - _NAMES
    shown += f'<li class="more">and {more} more</li>' if more > 0 else ""
    names = f'<h3>{len(data.names)} names</h3><ul class="chips">{shown}</ul>' if shown else ""
    return (
        '<section class="card"><h2>Trained on</h2><dl class="rows">'
        + "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in rows)
        + f"<div><dt>problems</dt><dd>{health}</dd></div></dl>{names}</section>"
    )


def _started_from(header: RunHeader) -> str:
    weights = header.weights
    if weights.source in ("", "none"):
        return "random weights"
    return f"{weights.source} ({weights.licence or 'licence unknown'})"


def _next(run: str) -> str:
    steps = "".join(
        f"<dt>{escape(what)}</dt><dd><code>{escape(command)}</code></dd>"
        for what, command in next_commands(run)
    )
    python = f"<h3>In Python</h3><pre>{escape(python_example(run))}</pre>"
    return (
        f'<section class="card"><h2>What to do next</h2><dl class="steps">{steps}</dl>{python}</section>'
    )


# -- sections ---------------------------------------------------------------------------------


def _data_health(problems: Sequence[Problem]) -> str:
    """Problems gathered by kind, the gravest first, each with examples and its repair."""
    if not problems:
        return '<p class="none">No problems were found while reading the data.</p>'
    order = {"error": 0, "warning": 1, "note": 2}
    kinds: dict[tuple[int, str], list[Problem]] = {}
    for problem in problems:
        kinds.setdefault((order[problem.severity], problem.kind), []).append(problem)
    rows = "".join(_kind_row(found) for _, found in sorted(kinds.items()))
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "what", "where", "what to do"))
    intro = f"{len(problems)} findings. What could not be used was left out, never silently."
    return (
        f'<p class="intro">{intro}</p><figure class="table wide health">'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Data health">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></figure>"
    )


def _kind_row(problems: Sequence[Problem]) -> str:
    first = problems[0]
    places = [f"{one.key}, line {one.line}" if one.line is not None else one.key for one in problems]
    examples = "<br>".join(f"<bdi>{escape(place)}</bdi>" for place in places[:_EXAMPLES])
    more = len(places) - _EXAMPLES
    examples += f"<br>and {number(more)} more" if more > 0 else ""
    count = f" × {number(len(problems))}" if len(problems) > 1 else ""
    return (
        f'<tr><td><span class="badge {first.severity}">{first.severity}</span></td>'
        f"<td><strong>{escape(first.kind.replace('-', ' '))}{count}</strong><br>"
        f"{escape(first.reason)}</td>"
        f"<td>{examples}</td><td>{escape(first.repair)}</td></tr>"
    )


# -- how it was made --------------------------------------------------------------------------


def _settings(header: RunHeader, run: str) -> str:
    groups = [
        ("Task", header.config),
        ("Training", header.train),
        ("Augmentation", header.augment),
        ("Chosen on this machine", header.plan),
        ("Learnt from the data", header.facts),
    ]
    tables = "".join(_pairs(title, values.items()) for title, values in groups if values)
    command = escape(reproduce_command(header, run))
    exact = str(header.plan.get("device", "cpu")).startswith("cpu")
    promise = "is the same to the last bit" if exact else "is much the same, not to the last bit"
    again = (
        '<figure class="wide again"><figcaption><h3>Make it again</h3><p>On this machine, with these '
        f"versions and this data, the result {promise}.</p></figcaption><pre>{command}</pre></figure>"
    )
    return f'<div class="figures">{again}</div><div class="columns">{tables}</div>'


def _pairs(title: str, pairs: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escape(str(key).replace("_", " "))}</bdi></th>'
        f"<td><bdi>{escape(text_of(value))}</bdi></td></tr>"
        for key, value in pairs
    )
    table = f"<table><tbody>{rows}</tbody></table>"
    return (
        f'<figure class="table pairs"><figcaption><h3>{escape(title)}</h3></figcaption>{table}</figure>'
    )


def _energy(energy: EnergyRecord | None) -> str:
    if energy is None:
        return '<p class="none">The energy of this run was not metered.</p>'
    low, high = number(energy.kwh_low * 1000, 3), number(energy.kwh_high * 1000, 3)
    ends = f"{number(energy.co2e_low_g, 2)} to {number(energy.co2e_high_g, 2)}"
    stated = energy.co2e_g is not None
    carbon = f"{number(energy.co2e_g or 0.0, 3)} g ({ends})" if stated else f"{ends} g"
    pairs = [
        ("energy", f"{number(energy.kwh * 1000, 3)} Wh ({low} to {high})"),
        ("CO₂e", carbon),
        ("as a drive in a car", energy.car_text()),
    ]
    parts = [(part, f"{number(kwh * 1000, 3)} Wh") for part, kwh in energy.parts_kwh.items()]
    rows = [*parts, *(("known by", method) for method in energy.methods)]
    cars = f"as much as {number(STABLE_DIFFUSION_CARS)} cars emit in a year"
    words = (
        f"{energy.grid_text()} For scale: training Stable Diffusion v1 took "
        f"{number(STABLE_DIFFUSION_KG)} kg, {cars}. "
        "Cooling of a data centre and the making of the machine are not counted."
    )
    return (
        f'{tiles(pairs, "tiles small")}<p class="intro">{escape(words)}</p>'
        f'<div class="columns">{_pairs("How it is known", rows)}</div>'
    )


def _machine(header: RunHeader) -> str:
    machine = header.machine
    memory = shown_bytes(machine.memory_bytes) if machine.memory_bytes else "unknown"
    rows = [
        ("processor", machine.cpu),
        ("cores", machine.cores),
        ("memory", memory),
        ("accelerator", machine.accelerator),
        ("system", machine.os),
    ]
    stages = [(stage, f"{number(seconds, 3)} s") for stage, seconds in header.timings.items()]
    proof = [
        ("data", header.data.fingerprint),
        ("weights it started from", header.weights.sha256 or "none"),
    ]
    tables = (
        _pairs("Machine", rows)
        + _pairs("Packages", [("striate", header.striate_version), *header.versions.items()])
        + (_pairs("Time", stages) if stages else "")
        + _pairs("Fingerprints (sha256)", proof)
    )
    return f'<div class="columns">{tables}</div>'
