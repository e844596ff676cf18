import json

import numpy as np
import pytest

from striate.tasks.regress.render import render_regression
from striate.tasks.regress.types import Regression

NAMES = ("yaw", "<i>size</i>")


def make(values: list[float], half: float = 1.5, **rest: object) -> Regression:
    found = np.array(values)
    return Regression(NAMES, found, found - half, found + half, **rest)  # type: ignore[arg-type]


def test_the_json_contract() -> None:
    found = make([178.9, 0.1]).to_dict()
    assert found == {
        "values": {"yaw": 178.9, "<i>size</i>": 0.1},
        "intervals": {"yaw": [177.4, 180.4], "<i>size</i>": [-1.4, 1.6]},
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_before_calibration_there_is_no_interval() -> None:
    found = make([1.0, 2.0], half=float("nan"))
    assert found.to_dict()["intervals"] == {"yaw": None, "<i>size</i>": None}
    assert found.text() == "yaw 1, <i>size</i> 2"


def test_words_have_units() -> None:
    assert make([12.0, 3.0], is_angle=(True, False)).text() == (
        "yaw 12.0° (10.5° to 13.5°), <i>size</i> 3.0 (1.5 to 4.5)"
    )
    assert make([12345.6, 0.0], half=320.0).text().startswith("yaw 12346 (12026 to 12666)")
    assert make([0.012345, 0.0], half=0.0042).text().startswith("yaw 0.0123 (0.0081 to 0.0165)")
    assert make([7.0, 0.5], half=0.0).text() == "yaw 7, <i>size</i> 0.5"


def test_wrong_forms_are_refused() -> None:
    one = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        make([float("nan"), 1.0])
    with pytest.raises(ValueError, match="hold its value"):
        Regression(NAMES, one, one + 1, one + 2)
    with pytest.raises(ValueError, match="float64"):
        Regression(NAMES, one, one, one[:1])
    with pytest.raises(ValueError, match="float64"):
        Regression(NAMES, one.astype(np.float32), one, one)


def test_html_escapes_names() -> None:
    html = make([1.0, 2.0])._repr_html_()
    assert "<i>" not in html
    assert "&lt;i&gt;size" in html


@pytest.mark.parametrize("size_hw", [(1, 1), (40, 200)])
def test_drawing(size_hw: tuple[int, int]) -> None:
    picture = np.zeros((*size_hw, 3), np.uint8)
    drawn = render_regression(picture, make([1.0, 2.0]))
    assert drawn.dtype == np.uint8
    assert drawn.shape[0] > size_hw[0]
    assert not picture.any()
    many = np.arange(5.0)
    five = Regression(tuple("abcde"), many, many, many)
    assert render_regression(picture, five).shape[2] == 3
