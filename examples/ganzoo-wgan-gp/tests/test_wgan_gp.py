"""What every model of ganzoo must do, and what makes this one a WGAN-GP."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from ganzoo_wgan_gp import WGANGP

import ganzoo
from ganzoo.testing import parametrize_with_checks


@parametrize_with_checks([WGANGP])
def test_it_keeps_the_rules(check: Callable[[], None]) -> None:
    check()


def test_it_is_the_algorithm_of_the_paper() -> None:
    game = ganzoo.build(WGANGP, data="mnist", width=0.125)
    critic, generator = game.players
    assert (critic.turns, generator.turns) == (5, 1)
    for player in (critic, generator):
        assert {(rates.lr, rates.betas) for rates in player.owns.values()} == {(1e-4, (0.0, 0.9))}
    assert repr(game.objective) == "Wasserstein() + 10 * GradientPenalty()"
    assert game.images_per_round(64) == 320


def test_ganzoo_knows_its_paper_and_uses_its_recipe() -> None:
    command = [sys.executable, "-m", "ganzoo", "show", "wgan-gp@default", "--data", "mnist", "--json"]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert shown["paper"]["arxiv"] == "1704.00028"
    assert shown["recipes"]["mnist"]["default"]["note"] == "Not measured: a starting point."
    assert (shown["built"]["config"]["images"], shown["built"]["config"]["batch"]) == (200_000, 64)


def test_its_critic_judges_each_sample_alone() -> None:
    assert "BatchNorm" not in repr(ganzoo.build(WGANGP, data="mnist", width=0.125).networks["critic"])


def test_what_it_is_asked_for_it_does_or_refuses() -> None:
    game = ganzoo.build(WGANGP, data="mnist", width=0.125, gradient_penalty=5, r1=0.5, noise=3)
    assert repr(game.objective) == "Wasserstein() + 5 * GradientPenalty() + 0.5 * R1()"
    assert game.latent.width == 3
    for option in ({"adversarial": "hinge"}, {"gradient_penalty": 0}):
        with pytest.raises(ganzoo.UsageError, match=next(iter(option))):
            ganzoo.build(WGANGP, data="mnist", **option)
