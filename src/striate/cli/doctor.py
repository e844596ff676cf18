"""`striate doctor`: what this machine has, lacks and can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.output import Output, shown
from striate.errors import MachineError

if TYPE_CHECKING:
    from striate.verbs.doctor import Diagnosis

__all__ = ["doctor"]

_MARKS = {"good": ("✓", "green"), "note": ("–", "yellow"), "bad": ("✗", "bold red")}


def doctor(*, deep: bool = False, json: bool = False) -> int:
    """See what this machine has, lacks and can do.

    The exit code is 4 where something is missing that predicting needs.

    Args:
        deep: Start torch to ask it for accelerators (takes seconds).
        json: Write one JSON object.
    """
    from striate.verbs.doctor import doctor as look

    output = Output(json=json)
    found = look(deep=deep)
    if json:
        output.line(found.to_dict())
        return 0 if found.healthy else MachineError.exit_code
    if output.live:
        _show(output, found)
    else:
        for one in found.findings:
            output.row([one.grade, one.name, one.value, one.remedy])
    return 0 if found.healthy else MachineError.exit_code


def _show(output: Output, found: Diagnosis) -> None:
    from rich.table import Table
    from rich.text import Text

    for group in dict.fromkeys(one.group for one in found.findings):
        grid = Table.grid(padding=(0, 1))
        grid.add_column()
        grid.add_column(no_wrap=True, width=13)
        grid.add_column(overflow="fold")
        for one in found.findings:
            if one.group != group:
                continue
            mark, style = _MARKS[one.grade]
            grid.add_row(
                Text(f" {mark}", style=style), Text(one.name, style="dim"), Text(shown(one.value))
            )
            if one.remedy:
                grid.add_row("", "", Text(one.remedy, style="green"))
        output.show(Text(group.capitalize(), style="bold"), grid, "")
