import numpy as np
import pytest

from striate.errors import LabelError, SettingError, UnknownNameError
from striate.tasks.classify.config import ClassifyConfig, ClassifyFacts
from striate.tasks.classify.data import align_labels, encode, learn_facts


def facts_of(*names: str, **rest: object) -> ClassifyFacts:
    values = {"model": "small-cnn", "names": names, "size_hw": (12, 9), "fit": "crop", "channels": 3}
    return ClassifyFacts.parse({**values, **rest})


def test_settings_survive_toml() -> None:
    config = ClassifyConfig.parse({"size": 64, "target": "label", "reject_at": 0.02, "model": "vgg19"})
    assert config.to_toml_dict()["size"] == "64"
    assert ClassifyConfig.parse(config.to_toml_dict()) == config
    facts = facts_of("a", "b", reject_threshold=0.7, thresholds=(0.5, 0.25))
    assert ClassifyFacts.parse(facts.to_toml_dict()) == facts


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"size": "big"}, "HEIGHTxWIDTH"),
        ({"fit": "stretch"}, "squash"),
        ({"reject_at": 1.5}, "less than 1"),
        ({"top_k": 0}, "1"),
        ({"target": 3}, "tuple"),
    ],
)
def test_wrong_settings_say_what_was_expected(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        ClassifyConfig.parse(values)


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'multi_label'"):
        ClassifyConfig.parse({"multilabel": True})


def test_learning_from_grey_pictures_of_one_size(make_dataset) -> None:  # type: ignore[no-untyped-def]
    data = make_dataset([("b",), ("a",), ("b",)], ["a", "b", "never"], grey=True)
    facts = learn_facts(data, ClassifyConfig())
    assert facts.names == ("a", "b")  # a class without a training picture cannot be learnt
    assert facts.counts == (1, 2)
    assert facts.size_hw == (12, 9)
    assert facts.channels == 1
    assert facts.model == "small-cnn"
    assert facts.class_weights == ()
    assert learn_facts(make_dataset([("b",), ("a",)], ["a", "b"]), ClassifyConfig()).channels == 3


def test_what_the_user_says_wins(make_dataset) -> None:  # type: ignore[no-untyped-def]
    data = make_dataset([("b",), ("a",)], ["a", "b"])
    config = ClassifyConfig(size="16x24", fit="squash", model="resnet18")
    facts = learn_facts(data, config)
    assert (facts.size_hw, facts.fit, facts.model) == ((16, 24), "squash", "resnet18")


def test_balanced_weights_are_n_over_classes_times_count(make_dataset) -> None:  # type: ignore[no-untyped-def]
    labels = ["a"] * 6 + ["b"] * 3 + ["c"]
    data = make_dataset([(label,) for label in labels], ["a", "b", "c"])
    found = learn_facts(data, ClassifyConfig(class_weights="balanced")).class_weights
    assert found == pytest.approx((10 / 18, 10 / 9, 10 / 3))
    assert np.dot(found, [6, 3, 1]) == pytest.approx(10)


def test_several_labels_ask_for_the_setting(make_dataset) -> None:  # type: ignore[no-untyped-def]
    data = make_dataset([("a",), ("a", "b"), ()], ["a", "b"])
    with pytest.raises(LabelError, match=r"set/00001 has the labels a, b, and 1 more.*--multi-label"):
        learn_facts(data, ClassifyConfig())
    facts = learn_facts(data, ClassifyConfig(multi_label=True))
    assert facts.counts == (2, 1)
    assert facts.multi_label


@pytest.mark.parametrize("targets", [[("a",), ("a",)], []])
def test_nothing_to_tell_apart(targets: list[tuple[str, ...]], make_dataset) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LabelError, match="at least two classes"):
        learn_facts(make_dataset(targets, ["a"]), ClassifyConfig())


def test_strangers_are_named_with_the_nearest_class(make_dataset) -> None:  # type: ignore[no-untyped-def]
    data = make_dataset([("cat",), ("dgo",), ("dgo",), ("zebra",)], ["cat", "dgo", "zebra"])
    with pytest.raises(LabelError) as caught:
        align_labels(data, facts_of("cat", "dog"))
    text = str(caught.value)
    assert "'dgo' (2 ×, near 'dog')" in text
    assert "'zebra' (1 ×)" in text
    assert "only cat, dog" in text


def test_aligning_sorts_labels_in_class_order_and_keeps_the_rest(make_dataset) -> None:  # type: ignore[no-untyped-def]
    data = make_dataset([("a", "b", "a"), (), ("a",)], ["a", "b"])
    aligned = align_labels(data, facts_of("b", "a", multi_label=True))
    assert aligned.targets == [("b", "a"), (), ("a",)]
    assert aligned.names == ("b", "a")
    assert aligned.records[2] is data.records[2]
    with pytest.raises(LabelError, match="one label a picture"):
        align_labels(data, facts_of("b", "a"))


def test_encoding() -> None:
    names = ("a", "b", "c")
    single = encode([("c",), ("a",)], names, multi_label=False)
    assert single.dtype == np.int64
    assert single.tolist() == [2, 0]
    many = encode([("c", "a"), ()], names, multi_label=True)
    assert many.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert encode([], names, multi_label=False).shape == (0,)
    assert encode([], names, multi_label=True).shape == (0, 3)
