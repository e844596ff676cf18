"""The train half of a task, found in its folder."""

from __future__ import annotations

import importlib
from typing import Any

from striate.nn.recipe import Recipe
from striate.task import Task

__all__ = ["recipe_for"]


def recipe_for(task: Task[Any, Any]) -> Recipe[Any]:
    """The train half of `task`, from its folder."""
    found: Recipe[Any] = importlib.import_module(f"striate.tasks.{task.name}.recipe").RECIPE(task)
    return found
