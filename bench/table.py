"""Rows as a table: for the terminal, and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.outcome import Row, shown
from bench.record import rows_of

HEAD = ("what", "ours", "peer", "ratio", "goal", "reached")
BEGIN, END = "<!-- results: python -m bench --table -->", "<!-- end of results -->"


def cells(row: Row) -> tuple[str, ...]:
    """The six cells of a row, as plain text."""
    peer = "" if row.peer is None else f"{shown(row.peer, row.unit)} ({row.peer_name})"
    reached = {None: "", True: "yes", False: "no"}[row.reached]
    return (
        row.what,
        shown(row.ours, row.unit),
        peer,
        "" if row.ratio is None else shown(row.ratio, "×"),
        "" if row.goal is None else str(row.goal),
        f"{reached}: {row.fault}" if row.fault else reached,
    )


def print_table(console: Console, rows: Iterable[Row], *, title: str) -> None:
    table = Table(*HEAD, title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for row in rows:
        style = {None: "dim", True: "green", False: "bold red"}[row.reached]
        *others, reached = cells(row)
        table.add_row(*others, f"[{style}]{reached}[/]")
    console.print(table)


def as_markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One table of all results, and under it the machine and the versions they were measured with."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for result in results.values():
        lines += ["| " + " | ".join(cells(row)) + " |" for row in rows_of(result)]
    return "\n".join([*lines, "", *_footnotes(results)])


def _footnotes(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    machines = {_machine(result["machine"]): None for result in results.values()}
    ours = _versions(result["versions"] for result in results.values())
    peers = _versions(result.get("peer_versions", {}) for result in results.values())
    days = sorted({str(result["date"])[:10] for result in results.values()})
    notes = [f"Measured {', '.join(days)} on {'; '.join(machines)}.", f"Ours: {ours}."]
    return [*notes, f"Peers: {peers}."] if peers else notes


def _machine(found: Mapping[str, Any]) -> str:
    return f"{found['cpu']}, {found['cores']} cores, {found['memory_bytes'] / 2**30:.0f} GiB"


def _versions(found: Iterable[Mapping[str, str]]) -> str:
    together: dict[str, dict[str, None]] = {}
    for versions in found:
        for name, version in versions.items():
            together.setdefault(name, {})[version] = None
    return ", ".join(f"{name} {'/'.join(seen)}" for name, seen in together.items())


def put_into(page: Path, table: str) -> bool:
    """Replace what stands between the two marks of `page`; False if it has none."""
    text = page.read_text("utf-8") if page.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return False
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
    return True
