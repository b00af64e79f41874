from typing import Any

import pytest
import torch
from helpers import tiny_data
from pydantic import BaseModel, Field, ValidationError
from torch import Tensor

from ganzoo.core.data import Dataset, DataSpec, LabelSpec, Samples, Split, validation_sentence
from ganzoo.core.errors import UsageError
from ganzoo.core.invariance import Affine, Flip


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"classes": ("a", "b"), "frequencies": (1.0,)}, "2 classes but 1 frequencies"),
        ({"classes": ("a", "b"), "frequencies": (1.5, -0.5)}, "non-negative and sum to 1"),
        ({"classes": ("a", "b"), "frequencies": (0.5, 0.4)}, "non-negative and sum to 1"),
        ({"classes": ("a", "b"), "frequencies": (float("nan"), 0.5)}, "finite number"),
        ({"classes": (), "frequencies": ()}, "at least 1 item"),
    ],
)
def test_an_impossible_label_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        LabelSpec(**wrong)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"shape": ()}, "at least 1 item"),
        ({"shape": (1, 0, 4)}, "a side below 1"),
        ({"range": (1.0, 1.0)}, "is empty"),
        ({"range": (1.0, -1.0)}, "is empty"),
        ({"range": (0.0, float("inf"))}, "finite number"),
        ({"range": (float("nan"), 1.0)}, "finite number"),
        ({"size": 0}, "greater than or equal to 1"),
        ({"sources": ()}, "at least 1 item"),
        ({"shape": (2, 4, 4)}, "drawn as images"),
        ({"shape": (4, 4)}, "drawn as images"),
        ({"drawn_as": "heatmap", "invariances": [{"kind": "flip"}]}, "invariances are maps of images"),
        ({"invariances": [{"kind": "twist"}]}, "'affine', 'flip'"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_an_impossible_specification_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        DataSpec(**{"name": "toys", "shape": (1, 4, 4), "size": 3, **wrong})


def test_a_specification_is_immutable_and_survives_json() -> None:
    data = tiny_data(invariances=(Affine(rotation=3), Flip()))
    with pytest.raises(ValidationError, match="frozen"):
        data.name = "other"
    assert DataSpec.model_validate_json(data.model_dump_json()) == data
    assert DataSpec.model_validate(data.model_dump(mode="json")) == data


@pytest.mark.parametrize(("shape", "numel"), [((5,), 5), ((7, 2), 14), ((2, 3, 4, 5), 120), ((3, 8, 8), 192)])
def test_samples_may_have_any_rank(shape: tuple[int, ...], numel: int) -> None:
    data = tiny_data(shape, frequencies=None)
    assert data.numel == numel
    assert data.is_image == (shape == (3, 8, 8))


def test_samples_are_values_and_labels() -> None:
    samples = Samples(torch.zeros(2, 1, 4, 4), {"label": torch.tensor([0, -1])})
    values, labels = samples
    assert values is samples.values and labels is samples.labels


def test_a_split_is_streamed_unless_it_says_otherwise() -> None:
    class Stream(Split):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Tensor:
            return torch.zeros(1)

    assert Stream().tensor() is None


class Sized(Dataset):
    name = "sized"
    summary = "As many samples as asked for."

    class Options(Dataset.Options):
        size: int = Field(4, ge=1)

    @property
    def spec(self) -> DataSpec:
        return tiny_data(size=self.options.size)

    def split(self, part: str, source: str = "data") -> Split:
        raise NotImplementedError


def test_a_data_set_takes_its_options_by_name_or_whole() -> None:
    assert Sized().spec.size == 4
    assert not Sized.offline
    assert Sized(size=7).options == Sized(Sized.Options(size=7)).options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"siez": 3}, "there is no option of data set sized 'siez'; did you mean 'size'?"),
        ({"size": 0}, "data set sized: size: Input should be greater than or equal to 1 (got 0)"),
        ({"size": "big"}, "data set sized: size: Input should be a valid integer"),
    ],
)
def test_a_wrong_option_of_a_data_set_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sized(**options)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_the_sentence_of_a_validation_error_names_place_complaint_and_value() -> None:
    class Inner(BaseModel):
        sizes: tuple[int, int]

    class Outer(BaseModel):
        inner: Inner

    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": {"sizes": [1, "x"]}})
    said = validation_sentence(caught.value)
    assert said.startswith("inner.sizes.1: Input should be a valid integer") and said.endswith("(got 'x')")
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({})
    assert validation_sentence(caught.value) == "inner: Field required"
    with pytest.raises(ValidationError) as caught:
        LabelSpec(classes=("a",), frequencies=(0.5,))
    assert validation_sentence(caught.value) == "frequencies must be non-negative and sum to 1"
