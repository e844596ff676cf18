"""XML as a tree with line numbers.

Document types and entities are refused: nothing is fetched, and nothing grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

__all__ = ["Node", "parse"]

DEEPEST = 64


@dataclass(slots=True)
class Node:
    """An element: its name, attributes, text (of its own, stripped) and children; `line` from 1."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, tag: str) -> Iterator[Node]:
        """The children called `tag`."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Node | None:
        """The first child called `tag`."""
        return next(self.all(tag), None)

    def said(self, tag: str) -> str:
        """The text of the first child called `tag`; "" without one."""
        child = self.first(tag)
        return child.text if child else ""


class _Builder:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.root: Node | None = None
        self._open: list[Node] = []

    def _refuse(self, *_: object) -> None:
        raise ValueError("it declares a document type or entities, which are not read")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise ValueError(f"elements are nested more than {DEEPEST} deep")
        node = Node(tag, attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(node)
        elif self.root is None:
            self.root = node
        self._open.append(node)

    def _end(self, _: str) -> None:
        node = self._open.pop()
        node.text = node.text.strip()

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text


def parse(data: bytes) -> Node:
    """The root element of an XML document; a `ValueError` says, with its line, why there is none."""
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        words = expat.ErrorString(error.code) or str(error)
        raise ValueError(f"it is no XML from line {error.lineno} on ({words})") from error
    except (LookupError, UnicodeError) as error:
        raise ValueError("its encoding is unknown") from error
    if builder.root is None:
        raise ValueError("it is empty")
    return builder.root
