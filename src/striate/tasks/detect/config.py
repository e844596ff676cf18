"""What a user chooses for a detector, and what it learns from the data."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from striate.data.inputs import SizeText
from striate.errors import UnknownNameError, UsageError
from striate.settings import Settings

__all__ = ["METHODS", "OWN_NETWORKS", "DetectConfig", "DetectFacts", "Method", "Nms"]

Method = Literal[
    "single",
    "fixed-slots",
    "sliding-window",
    "parts",
    "rcnn",
    "fast-rcnn",
    "faster-rcnn",
    "ssd",
    "retinanet",
    "fcos",
    "rtdetr",
]
METHODS: dict[Method, str] = {
    "single": "one box and one class a picture: softmax and L2 summed",
    "fixed-slots": "a fixed number of boxes regressed at once: shown not to scale",
    "sliding-window": "a classifier of windows, run over a pyramid as one convolution",
    "parts": "hand-made: HOG filters of an object and its parts (Felzenszwalb et al. 2010)",
    "rcnn": "proposals, a network for each, linear classifiers, box adjustment (Girshick et al. 2014)",
    "fast-rcnn": "proposals, one network for the picture, features pooled from it (Girshick 2015)",
    "faster-rcnn": "the network proposes too (Ren et al. 2015)",
    "ssd": "boxes of many shapes on maps of many sizes, one stage (Liu et al. 2016)",
    "retinanet": "one stage, a pyramid, focal loss (Lin et al. 2017)",
    "fcos": "one stage without anchors (Tian et al. 2019)",
    "rtdetr": "a transformer with queries, no suppression (Zhao et al. 2024; extra: transformers)",
}
"""How to detect, in the order of history."""

OWN_NETWORKS: dict[Method, str] = {"sliding-window": "window-cnn", "parts": "hog-parts"}
"""Methods that see in a way of their own, and what it is called."""

Nms = Literal["per-class", "agnostic", "soft"]
Classifier = Literal["softmax", "svm"]


class DetectConfig(Settings):
    """How to detect: the method, its network and input, how overlapping answers are settled."""

    method: str = "auto"
    """single, fixed-slots, sliding-window, parts, rcnn, fast-rcnn, faster-rcnn, ssd, retinanet, fcos,
    rtdetr, or compare for all of them under one time budget; auto is the best for most pictures."""
    model: str = "auto"
    """The network that sees: any timm name with maps of several resolutions, such as resnet18 (auto),
    convnext_atto or mobilenetv4_conv_small."""
    size: SizeText = None
    """Input side in pixels, or HEIGHTxWIDTH; by default what suits the pictures and their objects."""
    nms: Nms = "per-class"
    """How overlapping answers are settled: among those of a class, among all, or by lowering scores."""
    iou_threshold: float = Field(default=0.5, gt=0, le=1)
    """Answers that overlap a better one by more than this are dropped."""
    score_threshold: float = Field(default=0.02, ge=0, lt=1)
    """Answers below this score are never given."""
    max_detections: int = Field(default=300, ge=1)
    """Most answers a picture."""
    boxes: Literal["auto", "upright", "turned"] = "auto"
    """Whether an answer has an angle (method fcos); auto asks the training data."""
    classifier: Classifier = "softmax"
    """What judges regions (method rcnn): the softmax that the network was trained with, or linear
    support vector machines, fitted to its vectors at the end."""
    looks: int = Field(default=2, ge=1, le=5)
    """How often boxes are adjusted (method rcnn): later looks cut out the likeliest 50 again, where they
    were moved to."""

    @property
    def chosen_method(self) -> Method:
        """The method, with auto made concrete."""
        wished = "fcos" if self.method == "auto" else self.method
        for known in METHODS:
            if known == wished:
                return known
        raise UnknownNameError("method", self.method, METHODS)

    @property
    def chosen_model(self) -> str:
        """The network, with auto made concrete."""
        own = OWN_NETWORKS.get(self.chosen_method)
        return own or ("resnet18" if self.model == "auto" else self.model)

    @model_validator(mode="after")
    def _suits_its_method(self) -> Self:
        """Refused before any data is read: what no method can do, or not the one that is chosen."""
        method = self.chosen_method
        for setting, usual in (("classifier", "softmax"), ("looks", 2)):
            chosen = getattr(self, setting)
            if method != "rcnn" and chosen != usual:
                raise UsageError(
                    f"{setting} is {chosen}, and method {method} has none",
                    remedy=f"leave out --{setting}, or use --method rcnn",
                )
        if self.boxes == "turned" and method != "fcos":
            raise UsageError(
                f"method {method} answers upright boxes only",
                remedy="use --method fcos with --boxes turned",
            )
        if self.model not in ("auto", self.chosen_model):
            raise UsageError(
                f"method {method} sees with a network of its own", remedy="leave out --model"
            )
        return self


class DetectFacts(Settings):
    """What a detector learnt from the data; with the graph, all that is needed to use it."""

    method: Method
    """How it detects, with auto made concrete."""
    model: str
    """The network, with auto made concrete."""
    names: tuple[str, ...] = Field(min_length=1)
    """Class names, in the order of the graph's labels."""
    counts: tuple[int, ...] = ()
    """Training objects of each class."""
    size_hw: tuple[int, int]
    """Height and width of the network input, pixels."""
    nms: Nms = "per-class"
    """How overlapping answers are settled."""
    iou_threshold: float = 0.5
    """Overlap from which the lesser of two answers is dropped."""
    score_threshold: float = 0.02
    """Raw score that an answer must exceed."""
    max_detections: int = 300
    """Most answers a picture."""
    oriented: bool = False
    """Whether boxes have angles."""
    classifier: Classifier = "softmax"
    """What judges the vectors of R-CNN's regions."""
    looks: int = Field(default=2, ge=1, le=5)
    """How often R-CNN looks at its likeliest boxes."""
    side_quantiles: tuple[float, ...] = ()
    """Sides of the training boxes in input pixels (root of the area): minimum, quartiles, maximum."""
    most_boxes: int = 1
    """Most objects in one training picture."""
    show_from: float = 0.3
    """Score from which an answer is drawn or listed to people: the best F1 on validation pictures."""
    score_curve: tuple[float, ...] = ()
    """a, b, c of the curve that turns raw scores into the share of right answers, learnt on validation
    pictures: logit p = a·ln s − b·ln(1 − s) + c. Empty before calibration."""
