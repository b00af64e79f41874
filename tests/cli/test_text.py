import json
import math
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ganzoo.cli.text import (
    as_json,
    as_toml,
    bytes_text,
    count,
    duration,
    measure,
    number,
    print_json,
    print_table,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (2.30259, "2.303"), (-0.01, "-0.010"), (1e-5, "1e-05"), (12345.6, "1.23e+04"), (math.nan, "nan")],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (511, "8:31"), (3723, "1:02:03"), (math.inf, "-:--"), (math.nan, "-:--")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (3_400_000, "3.4 MB"), (5_000_000_000, "5 GB")])
def test_bytes(size: int, text: str) -> None:
    assert bytes_text(size) == text


def test_counts_have_their_thousands_apart() -> None:
    assert count(640_000) == "640,000"


def test_information_is_in_nats_and_beside_its_ceiling_where_it_has_one() -> None:
    ceilings = {"information/category": math.log(10)}
    assert measure("information/category", 2.0, ceilings) == "2.000 of 2.303 nats"
    assert measure("information/style", 0.5, ceilings) == "0.500 nats"
    assert measure("critic/information/category", -2.0, ceilings) == "-2.000"


def test_json_has_no_word_for_what_is_not_finite() -> None:
    odd = {"nan": math.nan, "inf": [math.inf, 1.5], "path": Path("a"), "flag": True, "none": None, "pair": (1, "x")}
    plain = {"nan": None, "inf": [None, 1.5], "path": "a", "flag": True, "none": None, "pair": [1, "x"]}
    assert as_json(odd) == plain


def test_json_without_indent_is_one_line() -> None:
    @click.command()
    def command() -> None:
        print_json({"a": [1, 2], "é": "×"}, indent=None)

    printed = CliRunner().invoke(command).stdout
    assert printed.count("\n") == 1
    assert json.loads(printed) == {"a": [1, 2], "é": "×"}


def test_a_settings_file_says_the_same_with_origins_as_comments() -> None:
    settings = {
        "model": "infogan",
        "images": 640_000,
        "data": 'a "b"\\c',
        "data_options.size": 32,
        "options.betas": [0.5, 0.999],
        "options.spectral_norm": False,
        "options.latent": None,
        "options.lr": 1e-05,
        "options.table": {"a b": [1]},
    }
    lines = list(as_toml(settings, {"images": "--images", "options.betas": "a\nb"}, "infogan"))
    assert tomllib.loads("\n".join(lines)) == {
        "train": {"images": 640_000, "data": 'a "b"\\c'},
        "data_options": {"size": 32},
        "models": {"infogan": {"betas": [0.5, 0.999], "spectral_norm": False, "lr": 1e-5, "table": {"a b": [1]}}},
    }
    assert any(line.startswith("images = 640000 ") and line.endswith("# --images") for line in lines)
    assert any(line.startswith("# latent = none") for line in lines)


def test_a_piped_table_has_a_line_a_row() -> None:
    @click.command()
    def command() -> None:
        print_table(["name", "text"], [["a", "[bold]long[/bold] " * 10], ["b", ""]], nothing="none")

    lines = CliRunner().invoke(command).stdout.splitlines()
    assert len(lines) == 4
    assert "[bold]long[/bold]" in lines[2]


def test_an_empty_table_says_so() -> None:
    @click.command()
    def command() -> None:
        print_table(["name"], [], nothing="There are none.")

    assert CliRunner().invoke(command).stdout == "There are none.\n"
