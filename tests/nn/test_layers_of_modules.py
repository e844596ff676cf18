"""The layers of torch modules against torch itself: shapes, parameters, products, gradients."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from striate.arithmetic.layers import Network
from striate.arithmetic.network_table import network_dict
from striate.arithmetic.presets import PRESETS, build_preset
from striate.arithmetic.receptive_field import fields_of, find_unit, patch_of
from striate.errors import UnknownNameError, UsageError
from striate.nn.layers import layers_of_module, layers_of_name

SMALL = ("resnet18", "mobilenetv3_small_100", "vit_tiny_patch16_224", "convnext_atto", "levit_128s")
MORE = (
    "resnet50", "resnet152", "resnext26ts", "resnetv2_50x1_bit", "res2net50_26w_4s", "seresnet33ts",
    "densenet121", "dla34", "hrnet_w18_small", "vgg11_bn", "inception_v3", "xception41",
    "efficientnet_b0", "tf_efficientnetv2_b0", "ghostnet_100", "tinynet_e", "mnasnet_100",
    "fbnetv3_b", "regnetx_002", "regnety_002", "repvgg_a0", "nfnet_f0", "gcresnet33ts",
    "eca_nfnet_l0", "botnet26t_256", "halonet26t", "lambda_resnet26t", "convnextv2_atto",
    "mixer_s16_224", "resmlp_12_224", "poolformer_s12", "pvt_v2_b0", "swin_tiny_patch4_window7_224",
    "coat_tiny", "volo_d1_224", "crossvit_tiny_240", "deit3_small_patch16_224",
    "beit_base_patch16_224", "eva02_tiny_patch14_224", "mobilevit_s", "efficientformer_l1",
    "visformer_tiny", "maxvit_tiny_tf_224", "edgenext_xx_small",
)  # fmt: skip
FROM_WEIGHTS_ALONE = {"maxvit_tiny_tf_224", "edgenext_xx_small"}
"""Their position encodings are products of weights, which the picture does not enter."""
SHAPED = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.LayerNorm, nn.MaxPool2d, nn.AvgPool2d)


def watched(module: nn.Module, size: tuple[int, int, int]) -> tuple[dict[str, tuple[int, ...]], int]:
    """Output shapes by name, as hooks see them (a reused module's first), and torch's products."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: Tensor) -> None:
            shapes.setdefault(name, tuple(output.shape))

        return hook

    handles = [
        layer.register_forward_hook(note(name))
        for name, layer in module.named_modules()
        if type(layer) in SHAPED
    ]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.empty(1, size[2], size[0], size[1], device="meta"))
    for handle in handles:
        handle.remove()
    return shapes, counter.get_total_flops() // 2


def as_shown(shape: tuple[int, ...], kind: str) -> list[tuple[int, ...]]:
    """The forms in which a torch shape may stand in a network; a dense layer runs on rows of vectors."""
    forms = [shape, shape[1:]]
    if len(shape) == 4:
        _, one, two, three = shape
        forms += [(two, three, one), (one * two, three), (one * two * three,), (one, two, three)]
    if kind == "dense" or len(shape) == 3:
        rows = 1
        for side in shape[:-1]:
            rows *= side
        forms += [(rows, shape[-1]), (shape[-1],), (1, rows, shape[-1])]
    return [*forms, tuple(side for side in shape if side != 1)]


def check(name: str) -> None:
    with torch.device("meta"):
        module = timm.create_model(name)
    channels, height, width = module.pretrained_cfg["input_size"]
    size = (height, width, channels)
    network = layers_of_module(module, size, title=name)
    shapes, products = watched(module, size)
    assert network.params == sum(one.numel() for one in module.parameters())
    assert network.unused_params == 0
    if name not in FROM_WEIGHTS_ALONE:
        assert network.multiply_adds == products
    by_name = {layer.name: layer for layer in network}
    seen = 0
    for path, shape in shapes.items():
        if path in by_name:
            seen += 1
            layer = by_name[path]
            assert layer.output in as_shown(shape, layer.kind), (path, layer, shape)
    assert seen >= 0.9 * len(shapes), sorted(set(shapes) - set(by_name))
    assert len(fields_of(network)) == len(network.layers)
    outputs = module.num_classes or module.num_features  # some come without a classifier
    assert network.output in ((outputs,), (1, 1, outputs))  # or with one that is a convolution


@pytest.mark.parametrize("name", SMALL)
def test_models_of_timm(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE)
def test_more_models_of_timm(name: str) -> None:
    check(name)


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "alexnet", "vgg16"])
def test_presets_are_what_is_read_from_torch(name: str) -> None:
    preset, read = build_preset(name), layers_of_name(f"torchvision:{name}")
    assert read.multiply_adds == preset.multiply_adds
    assert read.depth == preset.depth
    assert read.params - read.unused_params == preset.params
    last = [one for one in fields_of(preset) if not one.whole][-1]
    assert last in fields_of(read)


# -- what units see ---------------------------------------------------------------------------


def positive(module: nn.Module) -> nn.Module:
    """Weights with which nothing cancels, dies or overflows; maxima become means of the same window."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.MaxPool2d):
                options = {"padding": child.padding, "ceil_mode": child.ceil_mode}
                setattr(parent, name, nn.AvgPool2d(child.kernel_size, child.stride, **options))
    generator = torch.Generator().manual_seed(3)
    for name, one in module.named_parameters():
        fan = one[0].numel() if one.ndim > 1 else 1
        nn.init.uniform_(one, 0.5 / fan, 1.5 / fan, generator=generator)
        if one.ndim == 1 and name.endswith("bias"):
            nn.init.constant_(one, 0.1)
    return module.double().eval()


def support(module: nn.Module, layer: str, unit: tuple[int, int], side: int) -> list[int]:
    """(x0, y0, x1, y1) around the pixels with a gradient, ends exclusive."""
    kept: list[Tensor] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _, __, out: kept.append(out))
    generator = torch.Generator().manual_seed(4)
    x = 1 + torch.rand(1, 3, side, side, dtype=torch.float64, generator=generator)
    x.requires_grad_()
    module(x)
    handle.remove()
    maps = kept[0][0, :, unit[0], unit[1]]
    (maps * torch.rand(len(maps), dtype=torch.float64, generator=generator)).sum().backward()
    assert x.grad is not None
    ys, xs = torch.nonzero(x.grad[0].abs().sum(0), as_tuple=True)
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]


@pytest.mark.parametrize(
    ("name", "layer", "units"),
    [
        ("resnet18", "layer2.0.act2", [(0, 0), (5, 7), (8, 3)]),
        ("resnet18", "layer1.1.bn2", [(3, 16), (17, 17)]),
        ("densenet121", "features.denseblock1.denselayer3.conv2", [(0, 9), (10, 10)]),
        ("dla34", "level2.tree2.bn2", [(1, 7), (4, 4)]),
        ("hrnet_w18_small", "stage2.0.branches.0.0.conv1", [(2, 3), (15, 9)]),
        ("efficientnet_b0", "blocks.2.0.conv_dw", [(4, 4)]),
        ("convnext_atto", "stages.1.blocks.0.conv_dw", [(0, 4), (4, 7)]),
        ("res2net50_26w_4s", "layer1.1.convs.2", [(0, 0), (9, 12)]),
        ("xception41", "blocks.0.stack.conv3.conv_pw", [(0, 8)]),
    ],
)
def test_a_unit_sees_where_the_gradient_is(name: str, layer: str, units: list[tuple[int, int]]) -> None:
    side = 96 if name in ("dla34", "hrnet_w18_small") else 70  # these halve evenly, or not at all
    module = positive(timm.create_model(name))
    network = layers_of_module(module, (side, side, 3))
    index, _ = find_unit(network, layer)
    for unit in units:
        found = patch_of(network, index, unit)
        assert found.exact
        assert list(found.box_xyxy or ()) == support(module, layer, unit, side)


def test_windows_of_attention_are_a_bound() -> None:
    network = layers_of_name("swin_tiny_patch4_window7_224")
    fields = fields_of(network)
    assert fields[0].exact
    assert fields[0].size_hw == (4, 4)
    assert not any(field.exact for field in fields[5:40])
    assert all(field.whole for field in fields[5:])


def test_global_attention_sees_everything() -> None:
    network = layers_of_name("vit_tiny_patch16_224")
    fields = fields_of(network)
    names = [layer.name for layer in network]
    first = names.index("blocks.0.attn.matmul")
    assert fields[names.index("patch_embed.proj")].size_hw == (16, 16)
    assert all(field.whole and field.exact for field in fields[first:])
    merged = layers_of_name("pvt_v2_b0")  # tokens without a class token keep their places
    assert fields_of(merged)[1].size_hw == (7, 7)


# -- modules by hand --------------------------------------------------------------------------


class Odd(nn.Module):
    """Shared weights, unused weights, products of maps, slices, a constant, a recurrence."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.unused = nn.Linear(5, 7)
        self.scale = nn.Parameter(torch.ones(3, 1, 1))
        self.lstm = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.conv(x)) * 2 + 1
        x = x[:, :, 2:, ::2] * self.scale
        tokens = x.flatten(2).transpose(1, 2)
        return self.lstm(tokens)[0].mean(1)


def test_a_module_with_everything() -> None:
    module = Odd().train()
    before = {name: one.clone() for name, one in module.state_dict().items()}
    network = layers_of_module(module, (8, 8, 3), title="odd")
    kinds = [(layer.name, layer.kind, layer.output) for layer in network]
    assert kinds[:5] == [
        ("conv", "conv", (8, 8, 3)),
        ("conv_2", "conv", (8, 8, 3)),
        ("slice", "slice", (6, 8, 3)),
        ("slice_2", "slice", (6, 4, 3)),
        ("mul", "mul", (6, 4, 3)),
    ]
    assert [layer.kind for layer in network][5] == "lstm"
    assert [layer.params for layer in network][:2] == [84, 0]  # the same weights count once
    assert network.unused_params == 42
    assert network.params == sum(one.numel() for one in module.parameters())
    assert patch_of(network, 4, (0, 1)).box_xyxy == (0, 0, 5, 5)
    assert module.training
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())
    assert not any(one._forward_hooks for one in module.modules())


class Reads(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


def test_what_does_not_run() -> None:
    with pytest.raises(UsageError, match="does not run through the module"):
        layers_of_module(nn.Conv2d(3, 4, 9), (5, 5, 3))
    with pytest.raises(UsageError, match="does not run through reads"):
        layers_of_module(Reads(), (5, 5, 3), title="reads")
    assert layers_of_module(nn.Identity(), (5, 5, 3)).notes == ("the module has no layers",)


def test_transposed_grouped_and_dilated() -> None:
    module = nn.Sequential(
        nn.Conv2d(4, 8, 3, dilation=2, groups=2),
        nn.ConvTranspose2d(8, 6, (3, 2), stride=2, padding=1, output_padding=(1, 0), groups=2),
        nn.Conv2d(6, 6, 3, padding="same"),
        nn.PixelShuffle(1),
        nn.AdaptiveAvgPool2d((5, 3)),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ZeroPad2d((1, 2, 3, 4)),
        nn.GroupNorm(2, 6),
        nn.PReLU(6),
    )
    network = layers_of_module(module, (12, 9, 4))
    out = module(torch.zeros(1, 4, 12, 9))
    assert network.output == (*out.shape[2:], 6)
    assert network.params == sum(one.numel() for one in module.parameters())
    first, second = network.layers[:2]
    assert (first.groups, second.kind) == (2, "convt")
    assert network_dict(network)["layers"][0]["dilation_hw"] == [2, 2]


# -- names ------------------------------------------------------------------------------------


def test_sizes_channels_and_classes() -> None:
    network = layers_of_name("resnet10t", input_hwc=(64, 96, 1), classes=5)
    assert network.input_hwc == (64, 96, 1)
    assert network.output == (5,)
    fixed = layers_of_name("vit_tiny_patch16_224", input_hwc=(96, 96, 3), classes=2)
    assert fixed.layers[0].output == (6, 6, 192)
    assert layers_of_name("torchvision:mobilenet_v2", classes=3).output == (3,)
    assert layers_of_name("small-cnn", input_hwc=(8, 8, 1)).layers[0].name == "stem"


def test_segmentation_of_torchvision() -> None:
    network = layers_of_name("torchvision:lraspp_mobilenet_v3_large", input_hwc=(64, 64, 3), classes=4)
    assert any(layer.output == (64, 64, 4) for layer in network)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet1552", "did you mean 'resnet152"),
        ("torchvision:resnet19", "did you mean 'resnet1"),
        ("keras:resnet50", "unknown source of models 'keras'"),
    ],
)
def test_unknown_names(name: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        layers_of_name(name)


def test_no_warning_of_others_reaches_the_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers_of_name("torchvision:googlenet")


def test_every_preset_is_a_network_that_can_be_trained() -> None:
    from striate.nn.networks.registry import check_name

    trained: list[Network] = []
    for name in PRESETS:
        if name not in ("lenet5",):
            assert check_name(name) == name
            trained.append(build_preset(name))
    assert len(trained) == 11
