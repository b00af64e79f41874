import math
from typing import Any

import pytest
import torch
from helpers import NOTHING, Orator, terms_of, told_round
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import log_softmax
from torch import Tensor
from torch import distributions as td

from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Term
from ganzoo.core.round import Round
from ganzoo.core.variables import SIGMA_MAX, SIGMA_MIN, Bernoulli, Categorical, Normal, Uniform, Variable
from ganzoo.objectives.recognition import AuxiliaryClassification, MutualInformation

N = 64
CERTAIN = 1e4
"""A logit beyond all doubt."""


def heads(variable: Variable, parameters: Tensor) -> tuple[Round, Tensor]:
    """A generator's turn on which the critic says ``parameters`` of the code c; and the codes."""
    latent = LatentSpec(c=variable)
    n = len(parameters)
    round = told_round(
        "generator",
        real=torch.zeros(n, 1 + variable.head_width),
        fake=torch.cat([torch.zeros(n, 1), parameters], dim=1),
        latent=latent,
        recognises=latent,
    )
    return round, round.latents["c"]


def say(round: Round, parameters: Tensor) -> None:
    """Change what the critic is going to say, once the codes are known."""
    generator = round.networks["generator"]
    assert isinstance(generator, Orator)
    generator.samples.data[:, 1:] = parameters


def information(variable: Variable, parameters: Tensor) -> tuple[float, Tensor]:
    """The estimate in nats for a critic that says ``parameters``; and the codes."""
    round, codes = heads(variable, parameters)
    (term,) = MutualInformation(round.latent).terms("generator", round)
    return -term.value.item(), codes


def perfect(variable: Variable) -> float:
    """The estimate for a critic that knows the code."""
    round, codes = heads(variable, torch.zeros(N, variable.head_width))
    match variable:
        case Categorical():
            say(round, CERTAIN * codes)
        case Bernoulli():
            say(round, CERTAIN * (2 * codes - 1))
        case _ if variable.head_width == 2 * variable.size:
            say(round, torch.cat([codes, torch.full_like(codes, -CERTAIN)], dim=1))
        case _:
            say(round, codes)
    (term,) = MutualInformation(round.latent).terms("generator", round)
    return -term.value.item()


DISCRETE: list[Variable] = [
    Categorical(10, role="code"),
    Categorical(3, role="code", probs=(0.7, 0.2, 0.1)),
    Categorical(1, role="code"),
    Bernoulli(1, role="code"),
    Bernoulli(4, role="code", p=0.2),
]
CONTINUOUS: list[Variable] = [
    Uniform(1, role="code"),
    Uniform(3, role="code"),
    Uniform(2, role="code", low=0.0, high=5.0),
    Normal(2, role="code"),
    Uniform(2, role="code", sigma=0.5),
    Normal(3, role="code", sigma=1.0),
]


def entropy(variable: Variable) -> float:
    """In nats, by scipy."""
    match variable:
        case Categorical():
            return float(stats.entropy(variable.probs or [1 / variable.size] * variable.size))
        case Bernoulli():
            return variable.size * float(stats.bernoulli(variable.p).entropy())
        case Uniform():
            return variable.size * float(stats.uniform(variable.low, variable.high - variable.low).entropy())
    return variable.size * float(stats.norm().entropy())


@pytest.mark.parametrize("variable", DISCRETE, ids=lambda variable: variable.text())
def test_a_perfect_critic_knows_the_whole_entropy_of_a_discrete_code(variable: Variable) -> None:
    assert perfect(variable) == pytest.approx(entropy(variable), abs=1e-5)


@pytest.mark.parametrize("variable", CONTINUOUS, ids=lambda variable: variable.text())
def test_a_perfect_critic_reaches_the_bound_of_a_continuous_code_and_no_more(variable: Variable) -> None:
    sigma = SIGMA_MIN if variable.head_width > variable.size else variable.sigma
    bound = entropy(variable) - variable.size * math.log(sigma * math.sqrt(2 * math.pi))
    assert perfect(variable) == pytest.approx(bound, rel=1e-5)
    assert bound == pytest.approx(variable.information_bound)


@pytest.mark.parametrize("variable", [DISCRETE[0], *DISCRETE[2:4]], ids=lambda variable: variable.text())
def test_a_critic_that_says_the_prior_knows_nothing(variable: Variable) -> None:
    estimate, _ = information(variable, torch.zeros(N, variable.head_width))
    assert estimate == pytest.approx(0, abs=1e-6)


def test_a_wrong_critic_scores_below_nothing() -> None:
    variable = Categorical(4, role="code")
    round, codes = heads(variable, torch.zeros(N, 4))
    say(round, 20 * codes.roll(1, dims=1))
    (term,) = MutualInformation(round.latent).terms("generator", round)
    assert -term.value.item() == pytest.approx(math.log(4) - 20, rel=1e-4)


logits = st.one_of(
    st.floats(-5, 5, width=32), st.floats(-1e4, 1e4, width=32), st.sampled_from([0.0, 1e30, -1e30, CERTAIN, -CERTAIN])
)


@given(st.sampled_from(DISCRETE), st.data())
def test_the_estimate_of_a_discrete_code_does_not_exceed_its_entropy(variable: Variable, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    rows = st.lists(logits, min_size=variable.head_width, max_size=variable.head_width)
    parameters = torch.tensor(data.draw(st.lists(rows, min_size=n, max_size=n)))
    estimate, _ = information(variable, parameters)
    assert estimate <= variable.entropy + 1e-6


@given(st.sampled_from(CONTINUOUS), st.data())
def test_the_estimate_of_a_continuous_code_does_not_exceed_its_bound(variable: Variable, data: st.DataObject) -> None:
    rows = st.lists(st.floats(-50, 50, width=32), min_size=variable.head_width, max_size=variable.head_width)
    estimate, _ = information(variable, torch.tensor(data.draw(st.lists(rows, min_size=1, max_size=5))))
    assert estimate <= variable.information_bound + 1e-4


def test_a_categorical_code_is_scored_by_its_log_softmax() -> None:
    parameters = 3 * torch.randn(N, 5, generator=torch.Generator().manual_seed(0))
    estimate, codes = information(Categorical(5, role="code"), parameters)
    expected = (log_softmax(parameters.double().numpy(), axis=1) * codes.numpy()).sum(axis=1).mean() + math.log(5)
    assert estimate == pytest.approx(expected, rel=1e-5)


def test_a_bernoulli_code_is_scored_by_its_logits_summed_over_components() -> None:
    parameters = 2 * torch.randn(N, 3, generator=torch.Generator().manual_seed(0))
    estimate, codes = information(Bernoulli(3, role="code", p=0.3), parameters)
    probability = 1 / (1 + (-parameters.double()).exp())
    score = (codes * probability.log() + (1 - codes) * (1 - probability).log()).sum(dim=1).mean()
    assert estimate == pytest.approx(score.item() + 3 * stats.bernoulli(0.3).entropy(), rel=1e-5)


@pytest.mark.parametrize("variable", [Normal(3, role="code", sigma=0.7), Uniform(3, role="code", sigma=0.7)])
def test_a_fixed_sigma_is_the_sigma_of_the_gaussian(variable: Variable) -> None:
    parameters = torch.randn(N, 3, generator=torch.Generator().manual_seed(0))
    estimate, codes = information(variable, parameters)
    score = stats.norm(parameters.double().numpy(), 0.7).logpdf(codes.double().numpy()).sum(axis=1).mean()
    assert estimate == pytest.approx(score + entropy(variable), rel=1e-5)


@pytest.mark.parametrize("variable", [Normal(2, role="code"), Uniform(2, role="code")])
def test_a_learned_sigma_is_bounded_and_comes_after_the_means(variable: Variable) -> None:
    parameters = torch.randn(N, 4, generator=torch.Generator().manual_seed(0))
    estimate, codes = information(variable, parameters)
    mean, raw = parameters.double().split(2, dim=1)
    low, high = math.log(SIGMA_MIN), math.log(SIGMA_MAX)
    sigma = (low + (high - low) / (1 + (-raw).exp())).exp()
    score = stats.norm(mean.numpy(), sigma.numpy()).logpdf(codes.double().numpy()).sum(axis=1).mean()
    assert estimate == pytest.approx(score + entropy(variable), rel=1e-4)


def test_a_uniform_prior_is_scored_with_its_own_entropy() -> None:
    parameters = torch.zeros(N, 1)
    uniform, codes = information(Uniform(1, role="code", sigma=1.0), parameters)
    score = td.Normal(0.0, 1.0).log_prob(codes).mean().item()
    assert uniform - score == pytest.approx(math.log(2), abs=1e-6)
    # Scored as N(0, 1), whose cross-entropy to U(-1, 1) is ½·log(2π) + 1/6, it would come out 0.392 nats higher.
    assert 0.5 * math.log(2 * math.pi) + 1 / 6 - math.log(2) == pytest.approx(0.392, abs=1e-3)


def test_components_are_summed_and_rows_averaged() -> None:
    one, two = Uniform(1, role="code", sigma=1.0), Uniform(2, role="code", sigma=1.0)
    round, codes = heads(two, torch.zeros(N, 2))
    (term,) = MutualInformation(round.latent).terms("generator", round)
    alone = [td.Normal(0.0, 1.0).log_prob(codes[:, column]).mean().item() + one.entropy for column in range(two.size)]
    assert -term.value.item() == pytest.approx(sum(alone), rel=1e-5)
    twice, codes = heads(two, torch.zeros(2 * N, 2))
    (longer,) = MutualInformation(twice.latent).terms("generator", twice)
    halves = [td.Normal(0.0, 1.0).log_prob(half).sum(dim=1).mean().item() for half in codes.split(N)]
    assert -longer.value.item() == pytest.approx(sum(halves) / 2 + two.entropy, rel=1e-5)


CODES = LatentSpec(
    z=Normal(2),
    category=Categorical(3, role="code", weight=0.5),
    flags=Bernoulli(2, role="code"),
    style=Uniform(2, role="code", weight=0.1),
)


def coded_round(player: str) -> Round:
    width = 1 + sum(CODES.codes.head_width(name) for name in CODES.codes)
    fake = torch.randn(8, width, generator=torch.Generator().manual_seed(0))
    return told_round(player, real=torch.zeros(8, width), fake=fake, latent=CODES, recognises=CODES.codes)


def test_every_code_has_a_term_of_its_own_weight_in_both_losses() -> None:
    for player in ("critic", "generator"):
        terms = terms_of(MutualInformation(CODES.codes), player, coded_round(player))
        assert {name: term.weight for name, term in terms.items()} == {
            "information/category": 0.5,
            "information/flags": 1.0,
            "information/style": 0.1,
        }


def test_a_weight_changes_neither_value_nor_report() -> None:
    def term(weight: float) -> Term:
        code = LatentSpec(c=Categorical(3, role="code", weight=weight))
        round = told_round("generator", real=torch.zeros(4, 4), fake=torch.eye(4), latent=code, recognises=code)
        return next(iter(MutualInformation(code).terms("generator", round)))

    heavy, light = term(7.0), term(0.0)
    assert (heavy.weight, light.weight) == (7.0, 0.0)
    assert torch.equal(heavy.value, light.value)
    assert torch.equal(heavy.reports["information/c"], light.reports["information/c"])


def test_adding_a_code_leaves_the_others_as_they_were() -> None:
    all_codes = terms_of(MutualInformation(CODES.codes), "generator", coded_round("generator"))
    alone = LatentSpec(category=CODES["category"])
    (term,) = MutualInformation(alone).terms("generator", coded_round("generator"))
    assert torch.equal(term.value, all_codes["information/category"].value)


def test_the_estimate_is_reported_once_in_nats_and_is_what_is_minimised_negated() -> None:
    critic = terms_of(MutualInformation(CODES.codes), "critic", coded_round("critic"))
    generator = terms_of(MutualInformation(CODES.codes), "generator", coded_round("generator"))
    for name, term in generator.items():
        assert torch.equal(term.reports[name], -term.value)
        assert not term.reports[name].requires_grad
        assert torch.equal(critic[name].value, term.value.detach())
        assert not critic[name].reports


def test_without_the_trunk_only_the_critics_head_is_trained() -> None:
    for term in MutualInformation(CODES.codes, trunk=False).terms("critic", coded_round("critic")):
        assert term.only == ("critic.recognition",)
    for trunk in (True, False):
        for term in MutualInformation(CODES.codes, trunk=trunk).terms("generator", coded_round("generator")):
            assert term.only == ()
    for term in MutualInformation(CODES.codes).terms("critic", coded_round("critic")):
        assert term.only == ()


def test_the_gradient_reaches_what_was_generated() -> None:
    round = coded_round("generator")
    generator = round.networks["generator"]
    assert isinstance(generator, Orator)
    loss = sum(term.value for term in MutualInformation(CODES.codes).terms("generator", round))
    assert isinstance(loss, Tensor)
    (gradient,) = torch.autograd.grad(loss, [generator.samples])
    assert gradient[:, 0].eq(0).all()
    assert gradient[:, 1:].ne(0).all()


def test_without_codes_there_is_no_term() -> None:
    round = told_round("generator", real=torch.zeros(2, 1), fake=torch.zeros(2, 1))
    assert list(MutualInformation(NOTHING).terms("generator", round)) == []
    assert list(AuxiliaryClassification(NOTHING, fakes=True).terms("critic", round)) == []


LABELS = LatentSpec(z=Normal(2), label=Categorical(10, role="condition", weight=2.0))


def classified(
    player: str, real: Tensor, labels: list[int], fake: Tensor | None = None, **options: Any
) -> tuple[dict[str, Term], Round]:
    n, width = real.shape
    round = told_round(
        player,
        real=torch.cat([torch.zeros(n, 1), real], dim=1),
        fake=torch.cat([torch.zeros(n, 1), torch.zeros(n, width) if fake is None else fake], dim=1),
        latent=LABELS,
        recognises=LABELS.conditions,
        labels={"label": torch.tensor(labels)},
    )
    return terms_of(AuxiliaryClassification(LABELS.conditions, **options), player, round), round


def test_the_class_term_is_the_cross_entropy_of_the_logits() -> None:
    given = 3 * torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    labels = [3, 0, 9, 9, 1, 5]
    terms, _ = classified("critic", given, labels)
    expected = -log_softmax(given.double().numpy(), axis=1)[range(6), labels].mean()
    assert list(terms) == ["class/label"]
    assert terms["class/label"].value.item() == pytest.approx(expected, rel=1e-5)
    assert terms["class/label"].weight == 2.0


def test_the_cross_entropy_of_perfect_logits_goes_to_zero() -> None:
    labels = [0, 1, 2, 9]
    right = torch.eye(10)[labels]
    losses = [classified("critic", size * right, labels)[0]["class/label"].value.item() for size in (1, 5, 20, 200)]
    # A softmax before the cross-entropy could not go below 1.461 with ten classes.
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(math.log(9 + math.e) - 1)
    assert losses[2] < 1e-6 and losses[3] == 0


def test_a_confident_mistake_keeps_its_gradient() -> None:
    given = (20 * torch.eye(10)[[4]]).requires_grad_()
    terms, _ = classified("critic", given, [7])
    (gradient,) = torch.autograd.grad(terms["class/label"].value, [given])
    # After a softmax it would be about 1e-4.
    assert gradient.norm().item() == pytest.approx(math.sqrt(2), rel=1e-3)


def test_samples_without_a_label_are_left_out_of_the_mean() -> None:
    given = torch.randn(6, 10, generator=torch.Generator().manual_seed(0)).requires_grad_()
    some, _ = classified("critic", given, [3, -1, 9, -1, -1, 5])
    known, _ = classified("critic", given[[0, 2, 5]], [3, 9, 5])
    torch.testing.assert_close(some["class/label"].value, known["class/label"].value)
    assert some["class/label"].reports["class_accuracy/label"] == known["class/label"].reports["class_accuracy/label"]
    (gradient,) = torch.autograd.grad(some["class/label"].value, [given])
    assert gradient[[1, 3, 4]].eq(0).all() and gradient[[0, 2, 5]].ne(0).all()


def test_a_batch_without_any_label_costs_nothing_and_is_no_nan() -> None:
    given = torch.randn(3, 10).requires_grad_()
    terms, _ = classified("critic", given, [-1, -1, -1])
    assert terms["class/label"].value.item() == 0
    assert terms["class/label"].reports["class_accuracy/label"].item() == 0
    (gradient,) = torch.autograd.grad(terms["class/label"].value, [given])
    assert gradient.eq(0).all()


def test_the_accuracy_is_the_share_of_known_labels_that_are_recognised() -> None:
    given = torch.eye(10)[[3, 0, 9, 1]]
    terms, _ = classified("critic", given, [3, 5, 9, -1])
    report = terms["class/label"].reports["class_accuracy/label"]
    assert report.item() == pytest.approx(2 / 3)
    assert not report.requires_grad


def test_the_generator_is_scored_by_the_classes_that_it_was_asked_for() -> None:
    fake = torch.randn(6, 10, generator=torch.Generator().manual_seed(0))
    terms, round = classified("generator", torch.zeros(6, 10), [3, 3, 0, 1, -1, 9], fake)
    asked = round.latents["label"].argmax(dim=1).tolist()
    expected = -log_softmax(fake.double().numpy(), axis=1)[range(6), asked].mean()
    assert list(terms) == ["class/label"]
    assert terms["class/label"].value.item() == pytest.approx(expected, rel=1e-5)
    assert terms["class/label"].weight == 2.0
    generator = round.networks["generator"]
    assert isinstance(generator, Orator)
    (gradient,) = torch.autograd.grad(terms["class/label"].value, [generator.samples])
    assert gradient[:, 1:].ne(0).all()


def test_the_critic_learns_from_generated_classes_only_if_asked_to() -> None:
    fake = torch.randn(4, 10, generator=torch.Generator().manual_seed(0))
    without, round = classified("critic", torch.zeros(4, 10), [0, 1, 2, 3], fake)
    assert list(without) == ["class/label"]
    assert not round.networks["generator"].heard
    terms, round = classified("critic", torch.zeros(4, 10), [0, 1, 2, 3], fake, fakes=True)
    asked = round.latents["label"].argmax(dim=1).tolist()
    assert list(terms) == ["class/label", "fake_class/label"]
    expected = -log_softmax(fake.double().numpy(), axis=1)[range(4), asked].mean()
    assert terms["fake_class/label"].value.item() == pytest.approx(expected, rel=1e-5)
    assert terms["fake_class/label"].weight == 2.0


def test_printed_terms_name_their_variables() -> None:
    assert repr(MutualInformation(CODES.codes)) == "MutualInformation(category, flags, style)"
    assert repr(MutualInformation(CODES.codes, trunk=False)).endswith("style; trunk=False)")
    assert repr(AuxiliaryClassification(LABELS.conditions)) == "AuxiliaryClassification(label)"
    assert repr(AuxiliaryClassification(LABELS.conditions, fakes=True)) == "AuxiliaryClassification(label; fakes=True)"
