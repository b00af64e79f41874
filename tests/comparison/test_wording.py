import itertools
import shlex
from pathlib import Path

import pytest
from training_helpers import configured

from ganzoo import api
from ganzoo.comparison.wording import amount, better, duration, reproduce, with_spread
from ganzoo.runs.record import RunRecord


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "share", "–"),
        (0.0412, "share", "4.1 %"),
        (2.2934, "nats", "2.29 nats"),
        (8.3149, "", "8.31"),
        (912.24, "", "912"),
        (12345.6, "images/s", "12,346 images/s"),
        (0.000123, "", "0.000123"),
        (0.0, "", "0"),
        (-1.5, "", "-1.50"),
        (75, "seconds", "1 min 15 s"),
        (2.5e9, "bytes", "2,500 MB"),
    ],
)
def test_a_value_has_the_digits_that_count_and_its_unit(value, unit, text):
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("mean", "spread", "unit", "text"),
    [
        (0.0512, 0.0113, "share", "5.1 ± 1.1 %"),
        (0.993, 0.0021, "share", "99.30 ± 0.21 %"),
        (8.3149, 0.4, "", "8.31 ± 0.40"),
        (640.2, 11.3, "images/s", "640 ± 11 images/s"),
        (8.3149, None, "", "8.31"),
        (None, None, "", "–"),
        (2.0, 0.0, "", "2.00 ± 0.00"),
        (75.0, 3.0, "seconds", "1 min 15 s ± 3 s"),
        (0.0094, 7.4e-18, "", "0.00940 ± 0.00000"),
    ],
)
def test_a_mean_has_the_digits_that_its_spread_allows(mean, spread, unit, text):
    assert with_spread(mean, spread, unit) == text


def test_directions_and_times():
    assert [better(each) for each in ("lower", "higher", None)] == ["↓ lower", "↑ higher", ""]
    assert [duration(each) for each in (0.4, 59.6, 3599.7, 7500)] == ["0 s", "1 min 0 s", "1 h 0 min", "2 h 5 min"]


def record(made: api.Configured) -> RunRecord:
    return RunRecord(
        config=made.config, origins=made.origins, data=made.dataset.spec.model_dump(mode="json"), data_checksum="0"
    )


def test_the_command_trains_with_the_same_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ganzoo.toml").write_text("[train]\nbatch = 32\n[models.infogan]\nr1 = 0.5\n")
    made = api.configure(
        "infogan@paper", data="mnist", flags={"images": "10k", "seed": 3}, options=["categories=[10, 4]", "noise=7"]
    )
    words = shlex.split(reproduce(record(made)))
    assert words[:3] == ["ganzoo", "train", "infogan@paper"]
    Path("ganzoo.toml").unlink()
    flags = {word.removeprefix("--"): after for word, after in itertools.pairwise(words) if word[:2] == "--"}
    options = [after for word, after in itertools.pairwise(words) if word == "-o"]
    data = flags.pop("data")
    flags |= {"seed": int(flags["seed"]), "batch": int(flags["batch"])}
    again = api.configure(words[2], data=data, flags=flags, options=options)
    assert again.config == made.config


@pytest.mark.parametrize("options", [{"recognition_lr": None}, ["recognition_lr=none"]])
def test_the_command_undoes_what_a_recipe_sets(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert api.configure("infogan").config.options["recognition_lr"]
    made = api.configure("infogan", options=options)
    assert made.config.options["recognition_lr"] is None
    words = shlex.split(reproduce(record(made)))
    assert words[-2:] == ["-o", "recognition_lr=none"]
    assert api.configure(words[2], options=words[-1:]).config == made.config
    assert "none" not in reproduce(record(api.configure("gan")))


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("ganzoo train --plugin 'my gan.py' gan --plugin=other.py -o width=0.125", ["my gan.py", "other.py"]),
        ("ganzoo train 'gan", []),
        ("", []),
    ],
)
def test_the_files_of_plugins_are_named(command, files):
    said = reproduce(record(configured("gan")).model_copy(update={"command": command}))
    words = shlex.split(said, comments=True)
    assert [file for flag, file in itertools.pairwise(words) if flag == "--plugin"] == files


def test_what_no_flag_can_say_is_said_beside_the_command():
    made = configured("gan", flags={"tick": 17})
    said = reproduce(record(made))
    assert said.endswith("    # with tick = 17 under [train] in ganzoo.toml")
    assert "-o width=0.125" in said
