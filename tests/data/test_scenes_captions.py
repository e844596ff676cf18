"""Captions are grammatical and true: their words are parsed back and held against the truth."""

from __future__ import annotations

import random
import re

import pytest

from striate.data.scenes import VEHICLE_NAMES, Scene, SceneSettings, make_scene, single_object_scene
from striate.data.scenes.captions import NUMBER_WORDS, Seen, captions_of, phrase_of, setting_words

NOUNS = {
    "car": "car",
    "cars": "car",
    "bus": "bus",
    "buses": "bus",
    "lorry": "truck",
    "lorries": "truck",
    "bicycle": "bicycle",
    "bicycles": "bicycle",
    "person": "pedestrian",
    "people": "pedestrian",
    "traffic light": "traffic-light",
    "traffic lights": "traffic-light",
    "stop sign": "stop-sign",
    "stop signs": "stop-sign",
    "tree": "tree",
    "trees": "tree",
    "house": "house",
    "houses": "house",
    "dog": "dog",
    "dogs": "dog",
    "vehicle": "vehicle",
    "vehicles": "vehicle",
}
COLOURS = "red|orange|yellow|green|blue|purple|pink|brown|white|grey|black"
MENTION = re.compile(
    rf"\b(an?|another|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}) (?:({COLOURS}) )?"
    rf"({'|'.join(sorted(NOUNS, key=len, reverse=True))})\b(?: (?:in|showing) ({COLOURS}))?",
    re.IGNORECASE,
)


def matching(scene: Scene, name: str, colour: str | None) -> int:
    names = VEHICLE_NAMES if name == "vehicle" else (name,)
    pairs = zip(scene.names, scene.colours, strict=True)
    return sum(label in names and colour in (None, shown) for label, shown in pairs)


def check_sentence(scene: Scene, sentence: str) -> int:
    """Hold every mention against the truth; how many there were."""
    mentions = MENTION.findall(sentence)
    for number, before, noun, after in mentions:
        name, colour, word = NOUNS[noun.lower()], before or after or None, number.lower()
        there = matching(scene, name, colour)
        if word in NUMBER_WORDS:
            assert there == NUMBER_WORDS.index(word), sentence
            assert noun.endswith("s") or noun in ("people", "person", "vehicle", "bus"), sentence
        else:
            assert there >= (2 if word == "another" else 1), sentence
            assert (word == "an") == (((before or noun)[0] in "aeiou") and word != "another"), sentence
    return len(mentions)


SETTINGS = [
    SceneSettings(objects=(4, 9)),
    SceneSettings(objects=(1, 12), weather="rainy", illumination=0.4, classes=("car", "pedestrian")),
    SceneSettings(objects=(2, 8), weather="foggy", illumination=0.1, occlusion=0.6, viewpoint_deg=30),
    SceneSettings(objects=(0, 1), weather="snowy", size_hw=(64, 80)),
]


@pytest.mark.parametrize("chosen", SETTINGS)
def test_every_mention_is_true(chosen: SceneSettings) -> None:
    for seed in range(12):
        scene = make_scene(chosen, seed=seed)
        assert len(scene.captions) == len(set(scene.captions)) == 5
        found = [check_sentence(scene, caption) for caption in scene.captions]
        if scene.names:
            assert min(found) >= 1, scene.captions
        for caption in scene.captions:
            assert caption[0].isupper()
            assert caption.endswith(".")
            assert not re.search(r"  |, ,| \.|\ba [aeiou]|\ban [^aeiou]", caption), caption


def test_the_list_names_every_class_with_its_number() -> None:
    for seed in range(12):
        scene = make_scene(SETTINGS[0], seed=seed)
        total = 0
        for number, _, noun, _ in MENTION.findall(
            scene.captions[1].replace("A street", "The street", 1)
        ):
            if noun.lower() in NOUNS:
                total += 1 if number.lower() in ("a", "an") else NUMBER_WORDS.index(number.lower())
        assert total == len(scene.names), scene.captions[1]


def test_region_phrases_tell_colour_and_side() -> None:
    for seed in range(10):
        scene = make_scene(SETTINGS[0], seed=seed)
        for region in scene.regions:
            index = region.item
            assert check_sentence(scene, region.phrase) == 1
            assert region.box_xyxy == tuple(scene.boxes_xyxy[index].tolist())
            middle = (region.box_xyxy[0] + region.box_xyxy[2]) / 2 / 160
            side = "left" if middle < 0.38 else "right" if middle > 0.62 else "middle"
            assert side in region.phrase
            assert ("partly hidden" in region.phrase) == (scene.visible_fraction[index] < 0.7)


def seen(name: str, colour: str, x: float, depth: float) -> Seen:
    return Seen(name, colour, (x, 40.0, x + 30.0, 80.0), depth, 1.0)


def test_relations_by_hand() -> None:
    def first(*items: Seen) -> str:
        return captions_of(items, 0, SceneSettings(), 160, random.Random(0))[0]

    bus, car = seen("bus", "red", 20, 18), seen("car", "blue", 30, 10)
    assert first(bus, car) == "A red bus behind a blue car on a sunny day."
    assert first(car, bus) == "A blue car in front of a red bus on a sunny day."
    dog = seen("dog", "orange", 120, 10)
    assert first(dog, car) == "An orange dog to the right of a blue car on a sunny day."
    assert first(car, dog) == "A blue car to the left of an orange dog on a sunny day."
    assert first(car, seen("car", "blue", 110, 9)).endswith("another blue car on a sunny day.")
    assert first(dog) == "An orange dog on the right of the picture on a sunny day."


def test_the_light_is_put_into_words() -> None:
    evening = SceneSettings(weather="rainy", illumination=0.4)
    assert setting_words(evening) == ("rainy", "evening")
    assert setting_words(SceneSettings(illumination=0.1)) == ("clear", "night")
    assert setting_words(SceneSettings()) == ("sunny", "day")
    found = captions_of([seen("car", "red", 60, 9)], 0, evening, 160, random.Random(0))
    assert found[2] == "A red car on a rainy street at dusk."
    assert found[4] == "A red car in the middle, alone in the street."
    assert found[3] == "There is one vehicle and no people in the street."


def test_words_of_people_and_signals() -> None:
    assert phrase_of(seen("pedestrian", "green", 0, 5), 160) == "a person in green on the left"
    assert (
        phrase_of(seen("traffic-light", "red", 66, 5), 160)
        == "a traffic light showing red in the middle"
    )
    hidden = Seen("tree", "orange", (130.0, 0.0, 150.0, 40.0), 9.0, 0.4)
    assert phrase_of(hidden, 160) == "an orange tree on the right, partly hidden"


def test_a_single_object_is_described() -> None:
    scene = single_object_scene("house", seed=4)
    assert f"{scene.colours[0]} house" in scene.captions[0]


def test_an_empty_street_says_so() -> None:
    scene = make_scene(SceneSettings(objects=(0, 0)), seed=1)
    assert len(set(scene.captions)) == 5
    assert any("empty" in caption.lower() for caption in scene.captions)
