import math
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from training_helpers import start

from ganzoo.core.latent import LatentSpec
from ganzoo.training.summary import next_commands, sentences

CODES = "z: normal(4), category: categorical(10) code, style: uniform(2) code"


def said(latent: str, **stats: float) -> list[str]:
    plan = SimpleNamespace(game=SimpleNamespace(latent=LatentSpec.parse(latent)))
    return sentences(plan, {name.replace("__", "/"): value for name, value in stats.items()})  # type: ignore[arg-type]


def test_discrete_codes_are_said_beside_their_ceiling():
    assert said(CODES, information__category=2.0, information__style=0.7) == [
        "Samples carry 2.00 of at most 2.30 nats about category (87% of what it can say).",
        "Samples carry about 0.70 nats about style.",
    ]


def test_an_estimate_below_zero_is_no_share():
    assert said(CODES, information__category=-0.5) == [
        "Samples carry -0.50 of at most 2.30 nats about category (0% of what it can say)."
    ]


def test_a_code_that_can_say_nothing_is_no_reason_to_fail():
    for latent in ("z: normal(4), category: categorical(1) code", "z: normal(1), b: categorical(2, probs=[1, 0]) code"):
        name = LatentSpec.parse(latent).codes.names[0]
        assert "0%" not in " ".join(said(latent, **{f"information__{name}": 0.0}))


def test_conditions_and_the_critic_are_said_in_words():
    latent = "z: normal(4), label: categorical(10) condition"
    assert said(latent, class_accuracy__label=0.985, critic_accuracy=0.75) == [
        "The critic names the label of 98.5% of the training samples rightly.",
        "The critic tells real from generated samples 75% of the time (50% is chance).",
    ]


def test_nothing_is_said_without_statistics():
    assert said(CODES) == []


@pytest.mark.parametrize(
    ("latent", "given", "traversed"),
    [
        ("z: normal(4)", None, ""),
        ("z: normal(4), label: categorical(10) condition", "label=1", ""),
        (CODES, "category=1", "style --gif"),
        ("z: normal(4), style: uniform(2) code", None, "style --gif"),
        ("z: normal(4), b: bernoulli(1) code", "b=1", "b --gif"),
        ("label: categorical(3) condition, c: categorical(2) code", "label=1", "c --gif"),
    ],
)
def test_commands_suit_the_latent_space(latent, given, traversed):
    commands = next_commands(LatentSpec.parse(latent), Path("runs/00001-x"))
    assert commands[0] == "ganzoo sample runs/00001-x -n 100 --out grid.png"
    assert commands[-1] == f"ganzoo traverse runs/00001-x {traversed}".rstrip()
    steered = [command for command in commands if "--given" in command]
    assert [command.split("--given ")[1].split()[0] for command in steered] == ([given] if given else [])


def test_commands_survive_a_path_with_a_space():
    for command in next_commands(LatentSpec.parse(CODES), Path("my runs/00001-x")):
        assert shlex.split(command)[2] == "my runs/00001-x"


@pytest.mark.parametrize("model", ["gan", "acgan", "infogan"])
def test_the_commands_do_what_they_promise(tmp_path, monkeypatch, model):
    from click.testing import CliRunner

    from ganzoo.cli.main import cli

    run = start(tmp_path / "runs", model, flags={"images": 16})
    monkeypatch.chdir(tmp_path)
    for command in next_commands(run.latent, run.path):
        result = CliRunner().invoke(cli, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
    drawn = {path.name for path in tmp_path.glob("*.png")}
    assert "grid.png" in drawn


def test_a_code_of_one_class_does_not_spoil_the_end_of_a_run(tmp_path):
    run = start(tmp_path, "infogan", categories=[1], flags={"images": 16})
    assert run.record.status == "finished"
    assert math.isclose(run.stats()[-1]["information/category"], 0.0, abs_tol=1e-6)
