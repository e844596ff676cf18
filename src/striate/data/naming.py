"""Names: which folders are splits, what a class is called."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from striate.types import Split

__all__ = ["SPLIT_WORDS", "class_name", "ordered", "split_of", "synset_names"]

SPLIT_WORDS: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Folder names, table names and cells that name a split, in lower case."""

SYNSET = re.compile(r"n\d{8}")
SYNSET_FILES = ("LOC_synset_mapping.txt", "words.txt")
LARGEST_SYNSET_FILE = 16 * 2**20


def split_of(word: str) -> Split | None:
    """The split that a word names, if it names one.

    >>> split_of("Valid"), split_of("cats")
    ('validation', None)
    """
    return SPLIT_WORDS.get(word.strip().lower())


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct names in the order of a reader: by value if all are whole numbers, else by letter.

    >>> ordered(["10", "9", "9"]), ordered(["b", "10", "a"])
    (('9', '10'), ('10', 'a', 'b'))
    """
    distinct = set(names)
    if all(name.isascii() and name.isdigit() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def class_name(folder: str) -> str:
    r"""What a class folder's name reads as: composed Unicode, other bytes escaped, so it can be printed,
    stored and compared everywhere; macOS and Linux spell the same accent differently.

    >>> class_name("cafe\u0301") == "caf\u00e9", class_name("caf\udce9")
    (True, 'caf\\xe9')
    """
    text = os.fsencode(folder).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def synset_names(folders: Iterable[str], root: str) -> dict[str, str]:
    """Readable names for ImageNet's class folders ("n01440764" → "tench"), where a list is at hand.

    `LOC_synset_mapping.txt` or `words.txt` is looked for in `root` and up to three folders above.
    Names that two synsets share ("crane") carry the synset, too. Empty if the folders are no synsets.
    """
    wanted = set(folders)
    if not wanted or not all(SYNSET.fullmatch(name) for name in wanted):
        return {}
    listed = _synset_list(Path(root))
    first = {name: listed[name].split(",")[0].strip() for name in wanted if name in listed}
    count = Counter(first.values())
    return {name: word if count[word] == 1 else f"{word} ({name})" for name, word in first.items()}


def _synset_list(root: Path) -> dict[str, str]:
    for folder in (root, *root.parents[:3]):
        for name in SYNSET_FILES:
            path = folder / name
            if path.is_file() and path.stat().st_size <= LARGEST_SYNSET_FILE:
                lines = path.read_text("utf-8", "replace").splitlines()
                pairs = (re.split(r"\s+", line.strip(), maxsplit=1) for line in lines)
                return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
    return {}
