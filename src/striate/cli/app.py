"""cyclopts behind one door: parse the words of one command and call its function.

The functions know nothing of it: flags come from their signatures, help from their docstrings.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from cyclopts import App, CycloptsError

from striate.cli.commands import COMMANDS, FAMILIES, STDIN, Command
from striate.errors import UsageError

_HELP_FLAGS = {"--help", "-h"}

__all__ = ["resolve", "run", "whole_app"]


def run(name: str, command: Command, words: Sequence[str]) -> int:
    """Parse `words` as the arguments of `command` and call it; its exit code."""
    function = resolve(command, words)
    app = one_app(name, function)
    if _HELP_FLAGS & set(words):
        from striate.cli.pages import HelpPages

        app.help_formatter = HelpPages()
    # the parser takes a lone - for a flag
    tokens = [STDIN if word == "-" else word for word in words]
    try:
        chosen, bound, _ = app.parse_args(tokens, print_error=False, exit_on_error=False)
    except CycloptsError as error:
        raise UsageError(_plain(error), remedy=f"see striate {name} --help") from error
    if chosen is not function:  # a help page
        chosen(*bound.args, **bound.kwargs)
        return 0
    return int(function(*bound.args, **bound.kwargs))


def resolve(command: Command, words: Sequence[str]) -> Callable[..., int]:
    """The function of a command. One that has flags of its own by task is made for `words`."""
    module, _, attribute = command.target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    if attribute.startswith("make_"):
        made: Callable[..., int] = found(words)
        return made
    return found


def one_app(name: str, function: Callable[..., int]) -> App:
    """The parser and help page of one command."""
    app = App(
        name=f"striate {name}",
        usage=_usage(name, function),
        version_flags=[],
        help_format="plaintext",
    )
    app.default(function)
    return app


def _usage(name: str, function: Callable[..., int]) -> str:
    """What must be given, in order: `striate predict RUN [PICTURES…] [OPTIONS]`."""
    words = [f"striate {name}"]
    optional = False
    for one in inspect.signature(function).parameters.values():
        if one.kind is one.VAR_POSITIONAL:
            words.append(f"[{one.name.upper()}…]")
        elif one.kind is not one.KEYWORD_ONLY:
            words.append(one.name.upper())
        elif one.default is one.empty:
            words.append(f"--{one.name} {one.name.upper()}")
        else:
            optional = True
    return " ".join(words + (["[OPTIONS]"] if optional else []))


def whole_app() -> App:
    """All commands in one parser, for completion scripts."""
    app = App(name="striate", version_flags=["--version"])
    families = {family: App(name=family, help=summary) for family, summary in FAMILIES.items()}
    for family in families.values():
        app.command(family)
    for name, command in COMMANDS.items():
        *before, last = name.split()
        function = resolve(command, ())
        if not before and any(other.startswith(f"{name} ") for other in COMMANDS):
            if name not in families:
                families[name] = App(name=name, help=command.summary)
                app.command(families[name])
            families[name].default(function)  # a command and a family at once
            continue
        parent = families[before[0]] if before else app
        parent.command(function, name=last, help=command.summary)
    return app


def _plain(error: CycloptsError) -> str:
    """The parser's sentence, as one of ours: lower case, no final stop."""
    text = str(error).strip().rstrip(".")
    return text[:1].lower() + text[1:]
