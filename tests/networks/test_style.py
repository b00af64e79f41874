import pytest
from pydantic import ValidationError

from ganzoo.networks.style import NetworkStyle


def test_width_one_keeps_the_widths_of_the_source() -> None:
    assert [NetworkStyle().scaled(units) for units in (1, 100, 448)] == [1, 100, 448]


@pytest.mark.parametrize(("width", "expected"), [(0.5, 224), (0.1, 48), (0.001, 8), (2.0, 896)])
def test_widths_scale_to_multiples_of_eight(width: float, expected: int) -> None:
    assert NetworkStyle(width=width).scaled(448) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"width": 0},
        {"width": float("inf")},
        {"critic_norm": "instance"},
        {"recognition_hidden": 0},
        {"depth": 3},
    ],
)
def test_impossible_styles_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NetworkStyle.model_validate(values)


def test_a_style_cannot_change() -> None:
    with pytest.raises(ValidationError):
        NetworkStyle().width = 2.0  # type: ignore[misc]
