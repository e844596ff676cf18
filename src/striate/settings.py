"""One schema for Python arguments, flags, TOML, JSON Schema and studio forms.

A settings class lives beside the code that reads it, is small and frozen, and its fields carry
their own help text. Options are `Literal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from striate.errors import SettingError, UnknownNameError

__all__ = ["Settings"]


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown fields, clear errors through `parse`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Validate `values`; a `SettingError` says which one is wrong, and what was expected."""
        unknown = [name for name in values if name not in cls.model_fields]
        if unknown:
            raise UnknownNameError("setting", unknown[0], cls.model_fields)
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or cls.__name__
            raise SettingError(
                f"setting {where!r} was given {first['input']!r}",
                expected=first["msg"].removeprefix("Input should be ").removeprefix("Value error, "),
            ) from error

    def to_toml_dict(self) -> dict[str, Any]:
        """JSON-ready values without the unset (`None`) ones, which TOML cannot hold."""
        return self.model_dump(mode="json", exclude_none=True)
