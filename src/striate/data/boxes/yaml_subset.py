"""The YAML of data.yaml: names, lists and mappings of plain words. Anything cleverer is refused.

YAML proper can build objects and grow without bound; what describes a data set needs none of it.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

__all__ = ["Value", "parse_yaml"]

Value: TypeAlias = str | list[str] | dict[str, str]

ENTRY = re.compile(r"""^("[^"]*"|'[^']*'|[^\s#'"\[{][^:]*?)\s*:(?:\s+(.*))?$""")


def parse_yaml(text: str) -> dict[str, Value]:
    """The outermost entries: words, lists and mappings of words; deeper ones are skipped.

    A `ValueError` names the line that is not understood, where it matters.
    """
    found: dict[str, Value] = {}
    lines = [(n, _uncommented(line)) for n, line in enumerate(text.splitlines(), 1)]
    lines = [(n, line) for n, line in lines if line.strip() and line.strip() not in ("---", "...")]
    at = 0
    while at < len(lines):
        number, line = lines[at]
        at += 1
        if line[0] in " \t" or line.startswith("- "):
            continue  # below an entry that is not read
        match = ENTRY.match(line)
        if not match:
            raise ValueError(f"line {number} is not understood: {line.strip()[:60]!r}")
        key, rest = _word(match[1]), (match[2] or "").strip()
        block: list[tuple[int, str]] = []
        while at < len(lines) and (lines[at][1][0] in " \t" or lines[at][1].startswith("-")):
            block.append(lines[at])
            at += 1
        if rest[:1] in ("[", "{"):
            whole = " ".join([rest, *(text.strip() for _, text in block)])
            found[key] = _flow(whole, number)
        elif rest:
            found[key] = _word(rest)
        else:
            found[key] = _block(block)
    return found


def _uncommented(line: str) -> str:
    """`line` without its comment; a # inside quotation marks is none."""
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and _may_open(line[:at]):
            quote = character
        elif character == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at].rstrip()
    return line.rstrip()


def _block(lines: list[tuple[int, str]]) -> Value:
    """A list of `- word` lines, or a mapping of `key: word` lines, at the first indentation."""
    if not lines:
        return ""
    indent = len(lines[0][1]) - len(lines[0][1].lstrip())
    own = [line.strip() for _, line in lines if len(line) - len(line.lstrip()) == indent]
    if all(line.startswith("-") for line in own):
        return [_word(line[1:].strip()) for line in own]
    pairs = [ENTRY.match(line) for line in own]
    return {_word(pair[1]): _word((pair[2] or "").strip()) for pair in pairs if pair}


def _flow(text: str, number: int) -> Value:
    """[a, b] or {0: a, 1: b}."""
    closing = "]" if text[0] == "[" else "}"
    if not text.endswith(closing):
        raise ValueError(f"line {number}: the list has no {closing}")
    items = _items(text[1:-1])
    if closing == "]":
        return [_word(item) for item in items]
    pairs = [item.partition(":") for item in items]
    return {_word(key.strip()): _word(value.strip()) for key, _, value in pairs}


def _items(text: str) -> list[str]:
    """The parts between commas that are not inside quotation marks."""
    parts, quote = [""], ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and _may_open(parts[-1]):
            quote = character
        elif character == ",":
            parts.append("")
            continue
        parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _may_open(before: str) -> bool:
    """Whether a quotation mark after `before` opens a word, and is none of its letters, as in it's."""
    return before.rstrip()[-1:] in ("", ":", "-", "[", "{", ",")


def _word(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return re.sub(r"\\(.)", r"\1", text[1:-1])
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text
