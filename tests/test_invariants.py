"""One test for each invariant of the design, by its name; on whole trainers and runs wherever that is possible."""

import math
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training_helpers import MODELS, PAIRS, Doomed, checkpointed, configured, start, trainer

import ganzoo
from ganzoo import api
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.round import Hand, Round
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform
from ganzoo.data.batches import batches
from ganzoo.objectives.recognition import AuxiliaryClassification
from ganzoo.sampling.sampler import Sampler
from ganzoo.training.events import Observer
from ganzoo.training.trainer import Trainer

RUN = {"images": 80, "tick": 32, "save_every": 48}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, api.Run]:
    """A short run of each built-in model, seed 3."""
    out = tmp_path_factory.mktemp("runs")
    return {model: start(out, model, flags={**RUN, "seed": 3}) for model in MODELS}


def turn(playing: Trainer, player: str) -> Round:
    """The turn that this player would have next."""
    real = next(
        batches(playing.splits["data"], playing.game.data, batch=16, seed=playing.config.seed, position=playing.images)
    )
    hand = Hand(playing.game.latent, playing.game.networks, {"data": real}, (playing.config.seed, playing.images))
    game = playing.game
    return Round(player, hand, game.data, game.model.view, playing.progress, owns_generator=player == "generator")


def gradients(playing: Trainer, loss: Tensor) -> dict[str, Tensor]:
    named = {f"{n}.{k}": p for n, net in playing.game.networks.items() for k, p in net.named_parameters()}
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True, retain_graph=True)
    return {name: gradient for name, gradient in zip(named, found, strict=True) if gradient is not None}


# ---- players, optimisers, passes ----


@pytest.mark.parametrize("model", MODELS)
def test_each_parameter_belongs_to_exactly_one_player_and_one_optimiser(model):
    playing = trainer(model)
    owners = Counter(
        id(parameter) for owned in playing.game.parameters.values() for each in owned.values() for _, parameter in each
    )
    stepped = Counter(
        id(parameter)
        for optimiser in playing.optimisers.values()
        for group in optimiser.param_groups
        for parameter in group["params"]
    )
    every = Counter(id(p) for network in playing.game.networks.values() for p in network.parameters())
    assert owners == stepped == every
    assert set(every.values()) == {1}


@pytest.mark.parametrize("model", PAIRS)
def test_there_is_no_third_optimiser_and_one_generator_forward_a_round(model):
    playing = trainer(model)
    calls: Counter[str] = Counter()
    for name, network in playing.game.networks.items():
        network.register_forward_hook(lambda *_, name=name: calls.update([name]))
    assert list(playing.optimisers) == ["critic", "generator"]
    for rounds in (1, 2):
        playing.play_round()
        assert calls == {"generator": rounds, "critic": 3 * rounds}
    assert playing.calls == {}, "a term asked for passes of its own"


def test_the_gradient_of_the_information_reaches_generator_trunk_and_head():
    playing = trainer("infogan")
    for player in ("critic", "generator"):
        for term in playing.game.objective.terms(player, turn(playing, player)):
            if not term.name.startswith("information/"):
                continue
            assert not term.only
            moved = {name for name, gradient in gradients(playing, term.value).items() if gradient.abs().sum() > 0}
            parts = {".".join(name.split(".")[:2]) for name in moved}
            assert {"critic.trunk", "critic.recognition"} <= parts
            assert any(part.startswith("generator.") for part in parts) == (player == "generator")


def test_whether_the_trunk_receives_the_information_gradient_is_a_named_option():
    playing = trainer("infogan", information_in_trunk=False)
    terms = {term.name: term for term in playing.game.objective.terms("critic", turn(playing, "critic"))}
    assert terms["information/category"].only == ("critic.recognition",)
    assert terms["adversarial"].only == ()
    assert "trunk=False" in str(playing.game)


# ---- conditions and labels ----


@pytest.mark.parametrize("model", ["cgan", "acgan"])
def test_conditions_for_training_are_shuffled_real_labels(model):
    playing = trainer(model)
    shuffled = 0
    for _ in range(4):
        round = turn(playing, "critic")
        asked, real = round.latents["label"].argmax(1), round.real.labels["label"]
        assert torch.equal(round.latents["label"].sum(1), torch.ones(16))
        assert torch.equal(asked.sort().values, real.sort().values)
        shuffled += not torch.equal(asked, real)
        playing.play_round()
    assert shuffled == 4


def test_conditions_for_sampling_follow_the_prior(runs):
    latent = runs["cgan"].latent
    drawn = latent.sample(4000, 0)["label"].mean(0)
    torch.testing.assert_close(drawn, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_unknown_labels_are_masked():
    """The classifier learns from the labelled samples of a batch as if the others were not there."""
    conditions = LatentSpec(label=Categorical(4, role="condition"))
    logits = torch.randn(6, 4, requires_grad=True)
    known = torch.tensor([0, -1, 2, -1, -1, 3])

    verdict, real = SimpleNamespace(recognised={"label": logits}), SimpleNamespace(labels={"label": known})
    turn: Any = SimpleNamespace(real_verdict=verdict, real=real)
    (term,) = AuxiliaryClassification(conditions).critic_terms(turn)
    (gradient,) = torch.autograd.grad(term.value, logits)
    assert torch.equal(gradient.abs().sum(1) > 0, known >= 0)
    rows = known >= 0
    torch.testing.assert_close(term.value, cross_entropy(logits[rows], known[rows]))


@pytest.mark.parametrize(("model", "unlabelled"), [("acgan", 80), ("acgan", 96), ("cgan", 80), ("cgan", 96)])
def test_a_few_labels_or_none_suffice_to_train(model, unlabelled):
    playing = trainer(model, data_options={"unlabelled": unlabelled})
    for _ in range(6):
        playing.play_round()
        round = turn(playing, "critic")
        assert torch.equal(round.latents["label"].sum(1), torch.ones(16)), "an unknown label was not drawn anew"
    playing.check_finite()
    if model == "acgan" and unlabelled == 96:
        assert playing.statistics.read()["critic/class/label"] == 0.0


# ---- information ----


@pytest.mark.parametrize("confidence", [1.0, 30.0])
def test_the_estimate_of_a_discrete_code_does_not_exceed_its_entropy(confidence):
    text = "z: normal(4), a: categorical(7) code, b: bernoulli(3, p=0.2) code, c: categorical(2, probs=[0.9, 0.1]) code"
    playing = trainer("infogan", latent=text)
    latent = playing.game.latent
    with torch.no_grad():
        playing.game.networks["critic"].recognition.parameters_of.weight.mul_(confidence * 50)
    for _ in range(5):
        playing.play_round()
        read = playing.statistics.read()
        for name in latent.codes.names:
            assert read[f"information/{name}"] <= latent.entropy(name) + 1e-6
    assert latent.entropy("a") == pytest.approx(math.log(7))


def test_the_estimate_of_a_continuous_code_does_not_exceed_its_bound():
    latent = LatentSpec(u=Uniform(2, role="code"), n=Normal(1, role="code"))
    for name in latent.names:
        variable = latent[name]
        # The most confident posterior there can be, right on every value.
        values = latent.sample(256, 0)[name]
        parameters = torch.cat([values, torch.full_like(values, -100.0)], 1)
        estimate = variable.posterior(parameters).log_prob(values).mean().item() + variable.entropy
        assert estimate <= variable.information_bound + 1e-4
        assert math.isfinite(estimate)


@pytest.mark.parametrize("model", ["acgan", "infogan"])
def test_log_probabilities_are_in_float32_under_bf16_autocast_too(model):
    playing = trainer(model, flags={"precision": "bf16"})
    judged: list[ganzoo.Verdict] = []
    playing.game.networks["critic"].register_forward_hook(lambda *args: judged.append(args[2]))
    for player in ("critic", "generator"):
        round = turn(playing, player)
        with playing.hardware.autocast():
            terms = {term.name: term for term in playing.game.objective.terms(player, round)}
        assert judged[-1].realness.dtype == torch.bfloat16, "the networks were not in bf16, so nothing was shown"
        assert {term.value.dtype for term in terms.values()} == {torch.float32}
        # Exactly what the same outputs give without any autocast: nothing in between was rounded to bf16.
        again = {term.name: term.value for term in playing.game.objective.terms(player, round)}
        assert all(torch.equal(term.value, again[name]) for name, term in terms.items())


@pytest.mark.parametrize(
    "variable", [Categorical(1000), Bernoulli(5), Normal(3), Uniform(2), Normal(2, sigma=0.01), Uniform(1, sigma=2.0)]
)
def test_posteriors_of_half_precision_parameters_are_in_float32(variable):
    latent = LatentSpec(c=variable)
    values = latent.sample(8, 0)["c"]
    parameters = torch.randn(8, variable.head_width).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = latent.posterior("c", parameters).log_prob(values)
    assert found.dtype == torch.float32
    assert torch.equal(found, latent.posterior("c", parameters.float()).log_prob(values))


# ---- sampling ----


def test_sampling_leaves_every_buffer_unchanged_and_restores_the_mode():
    playing = trainer("infogan")
    playing.play_round()
    networks = nn.ModuleDict(playing.game.networks)
    generator = networks["generator"]
    next(iter(generator.children())).eval()  # a part that somebody had frozen
    modes = {name: module.training for name, module in networks.named_modules()}
    before = {name: value.clone() for name, value in networks.state_dict().items()}
    assert any("running_mean" in name for name in before)
    sampler = Sampler.of(generator, playing.game.latent, playing.game.data)
    sampler.sample(70)
    sampler.traverse()
    sampler.interpolate(3, 2)
    sampler.sheet()
    after = networks.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    assert {name: module.training for name, module in networks.named_modules()} == modes
    assert all(parameter.grad is None or parameter.requires_grad for parameter in generator.parameters())


@pytest.mark.parametrize("model", ["gan", "infogan"])
def test_sample_k_does_not_depend_on_its_batch(runs, model):
    run = runs[model]
    whole = run.sample(150, seed=9)
    for n, first in ((1, 0), (1, 77), (3, 62), (64, 64), (100, 50), (5, 145)):
        assert torch.equal(run.sample(n, seed=9, first=first), whole[first : first + n])
    assert torch.equal(torch.cat(list(run.sampler.stream(150, seed=9))), whole)


@pytest.mark.parametrize("model", MODELS)
def test_save_load_same_images(runs, tmp_path, model):
    """Samples of the trained weights in memory, of the run, and of a copy of its directory opened anew."""
    seen: list[Tensor] = []

    class Look(Observer):
        def ticked(self, tick):
            seen.append(tick.preview())

    run = start(tmp_path, model, observer=Look(), flags={**RUN, "seed": 3})
    assert torch.equal(run.sample(24), seen[-1])
    assert torch.equal(runs[model].sample(24), seen[-1])
    moved = Path(shutil.copytree(run.path, tmp_path / "elsewhere"))
    shutil.rmtree(run.path)
    assert torch.equal(ganzoo.open(moved).sample(24), seen[-1])


# ---- losses ----


@pytest.mark.parametrize("model", ["acgan", "infogan"])
def test_heads_return_logits_and_the_cross_entropy_of_perfect_logits_goes_to_zero(model):
    playing = trainer(model)
    critic = playing.game.networks["critic"]
    assert not [m for m in critic.modules() if isinstance(m, nn.Softmax | nn.LogSoftmax | nn.Sigmoid | nn.Softplus)]
    with torch.no_grad():
        critic.recognition.parameters_of.weight.mul_(1e4)
        critic.realness.weight.mul_(1e4)
        verdict = turn(playing, "critic").real_verdict
    assert all(values.abs().max() > 1 for values in (verdict.realness, *verdict.recognised.values())), "squashed"
    # A softmax before the cross-entropy would hold it above 1.46 for ten classes, whatever the logits.
    labels = torch.arange(10)
    for scale, most in ((20.0, 1e-6), (200.0, 0.0)):
        latent = LatentSpec(c=Categorical(10, role="code"))
        one_hot = torch.eye(10)
        assert -latent.posterior("c", scale * one_hot).log_prob(one_hot).mean() <= most
        assert cross_entropy(scale * one_hot, labels) <= most


@pytest.mark.parametrize("penalty", [{"r1": 1.0}, {"gradient_penalty": 10.0}])
def test_gradient_penalties_with_a_batch_normalised_critic_are_refused_or_switch_and_say_so(penalty):
    switched = api.plan(configured("infogan", **penalty))
    assert not [m for m in switched.game.networks["critic"].modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert [note for note in switched.notes if "layer instead of batch normalisation" in note]
    assert "layer instead of batch normalisation" in str(switched)
    with pytest.raises(UsageError, match=r"needs a critic that judges each sample alone.*batch"):
        api.plan(configured("infogan", critic_norm="batch", **penalty))


def test_a_term_that_is_not_finite_stops_the_run_with_step_name_and_last_good_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(Doomed, "value", math.inf)
    monkeypatch.setattr(Doomed, "since", 0.6)
    with pytest.raises(RunError) as error:
        start(tmp_path, Doomed, flags={"images": 80, "save_every": 32, "tick": 80})
    run = api.open(1, tmp_path)
    last = run.directory.checkpoints / "000000032"
    expected = f"generator/doom was not a finite number in round 4 (64 images); the last good checkpoint is {last}"
    assert str(error.value) == expected
    assert (run.record.status, run.record.message) == ("failed", expected)
    assert all(value.isfinite().all() for value in checkpointed(run).values()), "the checkpoint is not good"


def test_nothing_replaces_a_nan_by_a_number():
    package = Path(ganzoo.__file__).parent
    offenders = [
        path for path in package.rglob("*.py") if "nan_to_num" in path.read_text() or "nanmean" in path.read_text()
    ]
    assert offenders == []
    playing = trainer("infogan")
    with torch.no_grad():
        next(playing.game.networks["generator"].parameters()).fill_(math.nan)
    playing.play_round()
    read = playing.statistics.read()
    assert math.isnan(read["generator/adversarial"])
    assert math.isnan(read["information/category"])
    with pytest.raises(RunError, match=r"critic/\S+ was not a finite number in round 1 \(16 images\)"):
        playing.check_finite()
