"""Flags from settings: one schema gives the Python arguments and the command line.

Values stay text here; the settings themselves turn text into numbers and say what is wrong with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from striate.settings import Settings

__all__ = ["flags_of", "given", "with_flags"]


_LISTED = 3


def flags_of(schema: type[Settings], group: Group) -> list[inspect.Parameter]:
    """A keyword-only parameter for each field of `schema`; its help is the field's docstring."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[_flag_type(field), _presented(field, group)],
        )
        for name, field in schema.model_fields.items()
    ]


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that were given, lists split at commas: `--target a,b` is `--target a --target b`."""
    return {
        name: [part.strip() for text in value for part in text.split(",")]
        if isinstance(value, list)
        else value
        for name, value in values.items()
        if value is not None
    }


def with_flags(
    function: Callable[..., int],
    flags: Sequence[inspect.Parameter],
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> Callable[..., int]:
    """`function`, whose `**settings` the parser sees as `flags`; `choices` of its own arguments."""

    @wraps(function)
    def command(*arguments: Any, **options: Any) -> int:
        return function(*arguments, **options)

    own = [
        one.replace(annotation=Literal[tuple(choices[one.name])])
        if choices and one.name in choices
        else one
        for one in inspect.signature(function, eval_str=True).parameters.values()
        if one.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    signature = inspect.Signature([*own, *flags])
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    return command


def _presented(field: FieldInfo, group: Group) -> Parameter:
    return Parameter(
        help=(field.description or "") + _default(field),
        group=group,
        metavar=_metavar(field),
        negative=None if _bare(field) is bool else (),
        show_default=False,
    )


def _flag_type(field: FieldInfo) -> Any:
    """What the parser must know: switches, choices, repeatable flags. All else is text."""
    bare = _bare(field)
    if bare is bool:
        return bool | None
    if get_origin(bare) is Literal:
        return Union[bare, None]  # noqa: UP007 - made at run time
    if get_origin(bare) is not tuple:
        return str | None
    parts = get_args(bare)
    return list[str] | None if Ellipsis in parts else tuple[(str,) * len(parts)] | None  # type: ignore[misc]


def _bare(field: FieldInfo) -> Any:
    """The type without None and without validators."""
    found: Any = field.annotation
    while True:
        parts = [part for part in get_args(found) if part is not NoneType]
        if get_origin(found) in (Union, UnionType) and len(parts) == 1:
            found = parts[0]
        elif get_origin(found) is Annotated:
            found = get_args(found)[0]
        else:
            return found


def _metavar(field: FieldInfo) -> str | None:
    bare = _bare(field)
    if bare is bool:
        return None
    if get_origin(bare) is Literal:
        return "CHOICE"
    if get_origin(bare) is tuple:
        parts = get_args(bare)
        return "NAMES" if Ellipsis in parts else " ".join(["N"] * len(parts))
    if "BeforeValidator" in repr(field.annotation) or any(
        isinstance(one, BeforeValidator) for one in field.metadata
    ):
        return "VALUE"
    return {int: "N", float: "NUMBER"}.get(bare, "TEXT")


def _default(field: FieldInfo) -> str:
    """The default in words, where there is one worth telling."""
    if field.default is None or field.default is False or field.default in ((), ""):
        return ""
    value = field.default
    if isinstance(value, tuple):
        value = " ".join(map(str, value)) if len(value) <= _LISTED else "all"
    return f" [default: {'on' if value is True else value}]"
