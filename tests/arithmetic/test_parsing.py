"""Typed layers: every spelling, every option, and what cannot be, told with its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.arithmetic.layers import Network
from striate.arithmetic.parsing import parse_layers, read_size
from striate.arithmetic.words import KINDS
from striate.errors import UsageError


def read(text: str, **options: object) -> Network:
    return parse_layers(text, **options).network  # type: ignore[arg-type]


def shapes(text: str) -> list[tuple[int, ...]]:
    return [layer.output for layer in read(text)]


@pytest.mark.parametrize(
    "text",
    [
        "32x32x3 conv10 5x5 p2",
        "32×32×3 Conv 10 5×5 P2",
        "32x32x3, conv10, 5x5, s1, p2, d1, g1",
        "32x32x3 | conv10 k5 pad=2",
        "32x32x3 -> conv2d 10 5 1 2",
        "32x32x3 → conv10 same5",
        "32x32x3\nconv10 (5,1,2)",
        "32x32x3 - conv10 f=5 psame",
        "32x32x3 conv10 5x5 same",
        "32 x 32 x 3 convolution10 kernel 5 stride 1 padding 2",
    ],
)
def test_spellings_of_one_layer(text: str) -> None:
    network = read(text)
    (layer,) = network
    assert (layer.name, layer.kind, layer.output, layer.params) == ("conv1", "conv", (32, 32, 10), 760)
    assert layer.filter_params == 76


def test_every_kind() -> None:
    text = (
        "16x12x4 conv8 3x3 p1 | bn | relu | dwconv 3x3 p1 nobias | maxpool 2x2 s2 | avg-pool 2 | "
        "convt6 2x2 s2 | upsample x2 bilinear | resize 6x5 | adaptive avg pool 3x2 | dropout 0.5 | "
        "global max pool | dense 7 nobias | softmax"
    )
    network = read(text)
    assert [layer.output for layer in network] == [
        (16, 12, 8), (16, 12, 8), (16, 12, 8), (16, 12, 8), (8, 6, 8), (4, 3, 8), (8, 6, 6),
        (16, 12, 6), (6, 5, 6), (3, 2, 6), (3, 2, 6), (6,), (7,), (7,),
    ]  # fmt: skip
    assert [layer.params for layer in network if layer.params] == [296, 16, 72, 198, 42]
    assert [layer.groups for layer in network if layer.groups > 1] == [8]
    assert [layer.name for layer in network][:6] == [
        "conv1", "batchnorm1", "relu1", "conv2", "pool1", "pool2",
    ]  # fmt: skip


@pytest.mark.parametrize("word", sorted(KINDS))
def test_every_word_is_understood(word: str) -> None:
    number = {"conv": "2", "convt": "2", "dense": "2"}.get(KINDS[word], "")
    assert len(read(f"8x8x4 {word} {number}").layers) == 1
    assert len(read(f"8x8x4 {word.upper()} {number}").layers) == 1


def test_windows_that_differ_by_axis() -> None:
    (layer,) = read("9x12x1 conv2 3x4 s2x4 p1x2 d1x1")
    assert layer.output == (5, 4, 2)
    assert layer.rows is not None
    assert layer.columns is not None
    assert (layer.rows.kernel, layer.rows.stride, layer.rows.before) == (3, 2, 1)
    assert (layer.columns.kernel, layer.columns.stride, layer.columns.before) == (4, 4, 2)


def test_dilation_and_groups() -> None:
    (layer,) = read("9x9x4 conv8 3x3 d2 g2")
    assert layer.output == (5, 5, 8)
    assert layer.params == 3 * 3 * 2 * 8 + 8


def test_vectors() -> None:
    network = read("784 dense 100 relu dense 10")
    assert network.input_hwc == (1, 1, 784)
    assert [layer.formula for layer in network] == ["784·100+100", "", "100·10+10"]


def test_repeats_and_branches() -> None:
    network = read("8x8x4 3*(conv4 same3 relu) add(conv4 same3; ) cat(conv1 1x1; maxpool 3 1 1; )")
    assert [layer.kind for layer in network] == [
        *["conv", "relu"] * 3, "conv", "add", "conv", "maxpool", "concat",
    ]  # fmt: skip
    assert network.output == (8, 8, 9)
    assert network.depth == 5
    assert shapes("4x4x1 2*(2*(conv1 1x1))") == [(4, 4, 1)] * 4


def test_pooling_rounds_down_and_says_so() -> None:
    (pool,) = read("11x11x2 pool")
    assert (pool.output, pool.lost_hw) == ((5, 5, 2), (1, 1))
    (ceil,) = read("11x11x2 pool ceil")
    assert (ceil.output, ceil.lost_hw) == ((6, 6, 2), (0, 0))


def test_floor_is_what_frameworks_do() -> None:
    (layer,) = read("7x7x1 conv1 3x3 s3", rounding="floor")
    assert (layer.output, layer.lost_hw) == ((2, 2, 1), (1, 1))
    assert read("224x224x3 conv64 7x7 s2 p3", rounding="floor").output == (112, 112, 64)


def test_an_input_from_elsewhere() -> None:
    assert read("conv10 5x5 p2", input_hwc=(32, 32, 3)).params == 760
    assert read("32x32x3 conv10 5x5 p2", input_hwc=(32, 32, 3)).params == 760
    with pytest.raises(UsageError, match="given twice"):
        parse_layers("32x32x3 conv10 5x5", input_hwc=(28, 28, 1))


@pytest.mark.parametrize(
    ("text", "taken", "count"),
    [
        ("7x7x1 conv1 3x3 s3 p?", (3, 3, 1), 1),
        ("7x7x1 conv1 3x3 s?", (3, 1, 0), 3),
        ("7x7x1 conv1 k? s2", (3, 2, 0), 4),
        ("7x9x1 conv1 3x3 s2 p?", (3, 2, 1), 3),
        ("9x9x1 maxpool 3x3 s2 p?", (3, 2, 1), 2),
        ("7x7x1 conv1 (3,?,?)", (3, 1, 1), 10),
    ],
)
def test_questions_are_answered(text: str, taken: tuple[int, int, int], count: int) -> None:
    typed = parse_layers(text)
    (fitting,) = typed.fittings
    kernel, stride, padding = fitting.window()
    assert (kernel[0], stride[0], padding[0]) == taken
    assert len(fitting.answers) == count
    (layer,) = typed.network
    assert layer.output[:2] == (fitting.answers[fitting.chosen].output, fitting.widths[fitting.chosen])
    assert layer.lost_hw == (0, 0)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("7x7x1 conv1 3x3 s3", r"'conv1' at character 7 does not fit: \(7−3\)/3\+1 = 2.33"),
        ("7x8x1 conv1 3x3 s2", r"at character 7 does not fit the width of 8: \(8−3\)/2\+1 = 3.5"),
        ("7x7 conv2 9x9", "'conv2' at character 5: kernel 9 is larger than the picture of 7"),
        ("7x7 conv2 3x3 d4", "spread over 9 by dilation 4"),
        ("7x7 conv2 5x5 pool conv2 5x5", "'conv2' at character 20: kernel 5 is larger"),
        ("7x7 conv2 3x3 s0", "'s0' at character 15: stride is 0"),
        ("7x7 conv2 3x3 s-2", "'s-2' at character 15: stride is -2"),
        ("7x7 conv2 3x3 p-1", "'p-1' at character 15: padding is -1"),
        ("7x7 conv2 3x3 p1.5", "cannot read '1.5' as a padding"),
        ("7x7 conv2 0x3", "kernel is 0"),
        ("7x7 pool 2 2 2", "padding 2 is more than half of the pool's 2×2"),
        ("8x8 conv1 5x5 s2 p?", r"no padding fits 8×8: 8−5\+2·P is odd"),
        ("7x7 convv10", "unknown layer 'convv10' at character 5"),
        ("7x7 bananas", "unknown layer 'bananas'"),
        ("conv10 5x5", "says no input size"),
        ("", "says no input size"),
        ("0x7 conv1", "input 0x7"),
        ("200000x7 conv1 1x1", "input 200000x7"),
        ("1x2x3x4 conv1", "cannot read '1x2x3x4' at character 1"),
        ("7x7x3 conv10 3x3 g2", "2 groups do not divide 3 channels into 10 filters"),
        ("7x7x4 conv6 3x3 g4", "4 groups do not divide 4 channels into 6 filters"),
        ("7x7 conv", "the number of filters is missing"),
        ("7x7 dense", "the number of nodes is missing"),
        ("7x7 conv0 3x3", "'conv0' at character 5"),
        ("7x7 dense 5 conv3 1x1", "a convolution needs maps, and gets a vector of 5 numbers"),
        ("7x7 gap pool", "pooling needs maps"),
        ("7x7 relu s2", "relu has no stride"),
        ("7x7 relu 3", "one number too many for relu"),
        ("7x7 conv2 3x3 3x3", "the kernel is given twice"),
        ("7x7 conv2 1 1 0 0 0", "one number too many for conv"),
        ("7x7 conv2 3x3 g?", "only kernel, stride and padding can be asked for"),
        ("7x7 conv2 3x3 ssame", "only padding can be same"),
        ("7x7 convt2 2x2 p?", "a transposed convolution needs numbers"),
        ("7x7 convt2 2x2 s2 op2", "output padding is 2"),
        ("7x7 add(conv2 1x1; conv3 1x1)", "7×7×2 and 7×7×3 cannot be added"),
        ("7x7 cat(conv2 1x1; pool)", "7×7×2 and 3×3×1 cannot be joined"),
        ("7x7 3*(conv2 1x1", "is not closed"),
        ("7x7 conv2 1x1)", "closes nothing"),
        ("7x7 0*(conv2 1x1)", "repeats nothing"),
        ("7x7 99999*(relu)", "more than 20000 layers"),
        ("7x7 (relu; relu)", "stands in the bracket at character 5"),
        ("7x7 5x5", "'5x5' at character 5 belongs to no layer"),
        ("7x7 conv2 @", "cannot read '@' at character 11"),
        ("7x7 adaptiveavgpool 0x2", "kernel is 0"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        parse_layers(text)
    assert caught.value.exit_code == 2
    assert caught.value.expected


def test_the_nearest_word_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        parse_layers("7x7 max_pol 2x2")
    assert caught.value.remedy == "did you mean 'maxpool'"
    assert "globalavgpool" in caught.value.expected


def test_sizes() -> None:
    assert read_size("224X224X3") == (224, 224, 3)
    assert read_size("10*12") == (10, 12, 1)
    for wrong in ("a", "1x2x3x4", "3x", "-1x2", "0x4x3", "4x4x0"):
        with pytest.raises(UsageError):
            read_size(wrong)


@settings(deadline=None, max_examples=150)
@given(st.text(alphabet="0123456789x×convpolrelu dense(3,1)?;*-|sgk=.é\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        network = parse_layers(text).network
    except UsageError:
        return
    assert all(min(layer.output) >= 1 for layer in network)
