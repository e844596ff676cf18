"""The commands there are: a visible table, looked at before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["COMMANDS", "FAMILIES", "STDIN", "Command"]

STDIN = "\0stdin"
"""What stands for the word `-` after parsing; no file can have this name."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command: one line of what it does, and the function behind it as `module:name`.

    The function returns the exit code; its docstring is the help page.
    """

    summary: str
    target: str


COMMANDS: Mapping[str, Command] = {
    "train": Command(
        "train a model on a folder, a table or an embedded set", "striate.cli.train:make_train"
    ),
    "predict": Command("answer for pictures with a trained run", "striate.cli.predict:predict"),
    "evaluate": Command(
        "measure a run on pictures whose answer is known", "striate.cli.evaluate:evaluate"
    ),
    "export": Command("write a run's model as one ONNX or OpenVINO file", "striate.cli.export:export"),
    "data check": Command("find what is wrong with a data set", "striate.cli.check:check"),
    "data convert": Command(
        "write boxes in another format: COCO, YOLO, VOC, CSV, dlib, DOTA",
        "striate.cli.data_convert:convert",
    ),
    "data augment": Command(
        "preview augmentation on your pictures, or measure what each bit of it gains",
        "striate.cli.data_augment:make_augment",
    ),
    "data list": Command("list the embedded data sets", "striate.cli.data:list_sets"),
    "data write": Command("write an embedded set as picture files", "striate.cli.data:write"),
    "data scenes": Command(
        "draw street scenes with the truth for every task", "striate.cli.data:make_scenes"
    ),
    "data dimension": Command(
        "estimate along how many directions your pictures vary", "striate.cli.explain:dimension"
    ),
    "picture grid": Command("show pixels as the numbers they are", "striate.cli.picture:grid"),
    "picture flatten": Command(
        "show which neighbours part when a picture becomes a row", "striate.cli.picture:flatten"
    ),
    "picture dimensions": Command(
        "count the inputs and first-layer weights of a picture", "striate.cli.picture:dimensions"
    ),
    "features show": Command(
        "draw what a hand-made feature finds in a picture", "striate.cli.features:show"
    ),
    "features match": Command(
        "match two pictures by their key points, with inliers", "striate.cli.features:match"
    ),
    "features test": Command(
        "measure how repeatable each detector is on your pictures",
        "striate.cli.features_test:measure",
    ),
    "features propose": Command(
        "propose boxes that may hold an object, and measure how many do",
        "striate.cli.features_propose:propose",
    ),
    "features train-parts": Command(
        "train a detector of objects by their parts", "striate.cli.features_parts:train"
    ),
    "features find-parts": Command(
        "find objects by their parts, and tell which part spoke most",
        "striate.cli.features_parts:find",
    ),
    "explain": Command(
        "show why a run answered as it did, and what its units look for",
        "striate.cli.explain_run:explain",
    ),
    "explain tuning": Command("play oriented bars to the units of a run", "striate.cli.explain:tuning"),
    "explain invariance": Command(
        "measure what shift, rotation and scale do to a run's answers",
        "striate.cli.explain:invariance",
    ),
    "explain boundary": Command(
        "draw where a classifier changes its mind", "striate.cli.explain:boundary"
    ),
    "explain stages": Command(
        "show the stages by which a region detector came to its answer",
        "striate.cli.explain_stages:stages",
    ),
    "stress": Command(
        "measure what breaks a run: light, pose, weather, attacks …", "striate.cli.stress:stress"
    ),
    "layers": Command(
        "count sizes, parameters and receptive fields of layers or a model",
        "striate.cli.layers:layers",
    ),
    "layers step": Command(
        "walk one layer or a whole pass, number by number", "striate.cli.layers_step:step"
    ),
    "doctor": Command("see what this machine has, lacks and can do", "striate.cli.doctor:doctor"),
    "completion": Command(
        "print a completion script for your shell", "striate.cli.completion:completion"
    ),
}

FAMILIES: Mapping[str, str] = {
    "data": "check, list and write data sets",
    "picture": "see a picture as a network does: as numbers",
    "features": "hand-made features: draw, match and test them",
    "explain": "why a trained run answers as it does, and what it is like inside",
}
"""First words that several commands share; alone they list them."""
