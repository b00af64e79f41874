from itertools import islice
from math import log
from pathlib import Path

import pytest
import torch
from doc_pages import in_new_process
from training_helpers import PAIRS, configured

from ganzoo.benchmark.textbook import Textbook, pictures
from ganzoo.core.errors import UsageError
from ganzoo.data.batches import batches
from ganzoo.models.game import Game

CPU = torch.device("cpu")
SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "textbook.py"


def textbook(model: str, batch: int = 12, **options: object) -> tuple[Game, Textbook]:
    made = configured(model, **options)
    game = Game.build(made.model, made.dataset.spec)
    return game, Textbook(game, pictures(game, made.dataset.split("train"), batch), CPU)


@pytest.mark.parametrize("model", PAIRS)
def test_every_parameter_of_both_networks_learns(model: str) -> None:
    game, training = textbook(model)
    before = {name: value.clone() for name, value in named_parameters(game)}
    for _ in range(2):
        training.step()
    assert [name for name, value in named_parameters(game) if value.equal(before[name])] == []
    assert set(training.losses) == {"generator", "critic"} | ({"information"} if model == "infogan" else set())


def named_parameters(game: Game) -> list[tuple[str, torch.Tensor]]:
    return [
        (f"{name}.{inner}", value) for name, net in game.networks.items() for inner, value in net.named_parameters()
    ]


@pytest.mark.parametrize(("adversarial", "expected"), [("non-saturating", log(2)), ("least-squares", 1.0)])
def test_the_losses_of_a_critic_that_says_nothing(adversarial: str, expected: float) -> None:
    game, training = textbook("gan", adversarial=adversarial)
    with torch.no_grad():
        for parameter in game.networks["critic"].realness.parameters():
            parameter.zero_()
    training.step()
    assert training.losses["generator"] == pytest.approx(expected)
    # Of least squares, what is said of generated samples is right.
    assert training.losses["critic"] == pytest.approx(2 * expected if adversarial == "non-saturating" else expected)


def test_the_critic_learns_to_tell_and_to_classify() -> None:
    torch.manual_seed(0)
    _, training = textbook("acgan", batch=32, critic_lr=2e-3, generator_lr=1e-5)
    training.step()
    first = training.losses["critic"]
    for _ in range(20):
        training.step()
    assert training.losses["critic"] < first / 2


def test_the_loader_gives_the_samples_that_ganzoo_trains_on() -> None:
    made = configured("acgan")
    game = Game.build(made.model, made.dataset.spec)
    split = made.dataset.split("train")
    ours = next(batches(split, game.data, batch=len(split), seed=0))
    theirs = next(pictures(game, split, len(split)))
    assert ours.labels["label"].bincount().equal(theirs.labels["label"].bincount())
    sums = [values.double().sum(dim=(1, 2, 3)).sort().values for values in (ours.values, theirs.values)]
    torch.testing.assert_close(sums[0], sums[1], atol=1e-3, rtol=0)


def test_the_loader_goes_on_after_an_epoch_and_gives_full_batches() -> None:
    made = configured("gan")
    game = Game.build(made.model, made.dataset.spec)
    sizes = [len(each.values) for each in islice(pictures(game, made.dataset.split("train"), 40), 5)]
    assert sizes == [40] * 5


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("bigan", {}),
        ("vaegan", {}),
        ("infogan-cr", {}),
        ("gan", {"r1": 1.0}),
        ("gan", {"adversarial": "hinge"}),
        ("gan", {"critic_turns": 2}),
        ("acgan", {"classify_fakes": True}),
        ("infogan", {"information_in_trunk": False}),
    ],
)
def test_what_no_tutorial_has_is_refused(model: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"no counterpart of {model} with"):
        textbook(model, **options)


def test_a_loader_of_pictures_takes_pictures_alone() -> None:
    made = configured("gan")
    game = Game.build(made.model, made.dataset.spec.model_copy(update={"drawn_as": "heatmap"}))
    with pytest.raises(UsageError, match="the samples of toys are not"):
        pictures(game, made.dataset.split("train"), 4)


@pytest.mark.slow
def test_the_script_runs_by_itself(tmp_path: Path) -> None:
    words = ["python", str(SCRIPT), "infogan@paper", "--images", "16", "--batch", "8"]
    (tmp_path / "ganzoo.toml").write_text("[options]\nwidth = 0.125\n", encoding="utf-8")
    status, output = in_new_process(words, tmp_path, {"OMP_NUM_THREADS": "1"})
    assert status == 0, output
    assert "[2/2] generator" in output
    assert "information" in output
    assert "16 images in " in output
