from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from ganzoo.core.errors import UsageError
from ganzoo.runs.settings import (
    Layer,
    epochs_to_images,
    flag_layer,
    option_layer,
    parse_count,
    read_toml,
    with_none,
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("640k", 640_000),
        ("640K", 640_000),
        ("1.5M", 1_500_000),
        ("0.7m", 700_000),
        (" 640_000 ", 640_000),
        ("1", 1),
        (640_000, 640_000),
        (640e3, 640_000),
    ],
)
def test_counts(text, count):
    assert parse_count(text) == count


@pytest.mark.parametrize(
    "text",
    ["-5", "0", "0k", "", "k", "many", "1.5", "5mk", "nan", "inf", "1e999", "0.0000001", True, None, [3]],
)
def test_refuses_what_is_no_count(text):
    with pytest.raises(UsageError, match=r"batch must be a whole number above 0, such as .*, not"):
        parse_count(text, "batch")


def test_epochs_are_passes_over_the_data():
    assert epochs_to_images("0.5", 60_000) == 30_000
    assert epochs_to_images(20, 60_000) == 1_200_000


@pytest.mark.parametrize("epochs", [0, -1, "-0.5", "nan", "inf", "some"])
def test_refuses_impossible_epochs(epochs):
    with pytest.raises(UsageError, match="epochs must be a number above 0"):
        epochs_to_images(epochs, 60_000)


def test_flags_are_their_own_origin_and_absent_ones_say_nothing():
    layer = flag_layer({"batch": 64, "save_every": "10k", "seed": None})
    assert layer.values == {"batch": 64, "save_every": "10k"}
    assert layer.origin_of("batch") == "--batch"
    assert layer.origin_of("save_every") == "--save-every"


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("x=3", 3),
        ("x=0.5", 0.5),
        ("x=true", True),
        ("x=[10, 10]", [10, 10]),
        ("x={style = 0.1}", {"style": 0.1}),
        ('x="3"', "3"),
        ("x=hinge", "hinge"),
        ("x=z: normal(62), category: categorical(10) code", "z: normal(62), category: categorical(10) code"),
        ("x=a=b", "a=b"),
        ("x=", ""),
        ("x=1979-05-27", "1979-05-27"),
        ("x=3\ny=4", "3\ny=4"),
    ],
)
def test_option_values_are_toml_or_text(item, value):
    layer = option_layer([item])
    assert layer.values == {"options.x": value}
    assert layer.origin_of("options.x") == f"-o {item}"


def test_options_of_the_data_and_repeated_ones():
    layer = option_layer(["size=32", "size=64"], flag="--data-option", table="data_options")
    assert layer.values == {"data_options.size": 64}
    assert layer.origin_of("data_options.size") == "--data-option size=64"


@pytest.mark.parametrize("item", ["noise", "=3", ""])
def test_refuses_an_option_without_key_or_value(item):
    with pytest.raises(UsageError, match="-o takes key=value"):
        option_layer([item])


class Chosen(BaseModel):
    """Options that may be None, and some that may not."""

    rate: float | None = None
    text: str | None = None
    norm: Literal["batch", "none"] = "batch"
    kind: Literal["none", "other"] | None = None
    name: str = ""


def test_none_means_no_value_where_an_option_may_have_none_and_nothing_of_that_name():
    layer = option_layer([f"{name}=none" for name in (*Chosen.model_fields, "unknown")])
    values = with_none(layer, Chosen).values
    assert {key for key, value in values.items() if value is None} == {"options.rate", "options.text"}
    assert {value for value in values.values() if value is not None} == {"none"}
    assert with_none(layer, Chosen).origin_of("options.rate") == "-o rate=none"
    others = Layer("a file", {"rate": "none", "data_options.rate": "none"})
    assert with_none(others, Chosen) == others


def toml(folder: Path, text: str | bytes) -> Path:
    path = folder / "ganzoo.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_speaks_of_every_model_then_of_one(tmp_path):
    text = """
    [train]
    images = "640k"
    seed = 3
    [options]
    noise = 32
    [data_options]
    size = 28
    [models.infogan]
    categories = [10]
    [models.gan]
    noise = 100
    """
    shared, own = read_toml(toml(tmp_path, text), "infogan", "ganzoo.toml")
    assert shared.values == {"images": "640k", "seed": 3, "options.noise": 32, "data_options.size": 28}
    assert own == Layer("ganzoo.toml", {"options.categories": [10]})
    assert len(read_toml(tmp_path / "ganzoo.toml", "cgan")) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[train]\nimages = = 3", r"ganzoo\.toml is not valid TOML: .*line 2"),
        (b"\xff\xfe", r"ganzoo\.toml is not UTF-8"),
        ("[trian]\nimages = 3", r"no table in .*ganzoo\.toml 'trian'; did you mean 'train'"),
        (
            "[train]\nimmages = 3",
            r"no setting in \[train\] of .*ganzoo\.toml 'immages'; did you mean 'images'",
        ),
        ("train = 3", r"train in .*ganzoo\.toml must be a table, \[train\], not 3"),
        ("[models]\ninfogan = 3", r"models\.infogan in .* must be a table, \[models\.infogan\], not 3"),
    ],
)
def test_a_malformed_file_says_where(tmp_path, text, sentence):
    with pytest.raises(UsageError, match=sentence):
        read_toml(toml(tmp_path, text), "infogan")


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*x\.toml: no such file"):
        read_toml(tmp_path / "x.toml", "infogan")
    with pytest.raises(UsageError, match="cannot read"):
        read_toml(tmp_path, "infogan")
