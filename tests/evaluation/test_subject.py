import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from subjects import Told, subject, uniform
from torch import nn
from training_helpers import zoo_of

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.errors import RunError, UsageError
from ganzoo.evaluation import subject as subject_module
from ganzoo.evaluation.evaluate import open_subject
from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.evaluation.score import Unavailable

LABELS = torch.arange(64) % 4


class Classes(Extractor):
    """Features that are the samples doubled, logits that are their first two values."""

    name = "classes"
    summary = "doubled samples"
    sha256 = "ab" * 32
    classes = ("one", "two")

    def __init__(self, data, device="cpu"):
        super().__init__(data, device)
        self.sizes = []

    def __call__(self, samples):
        self.sizes.append(len(samples))
        return Features(2 * samples, samples[:, :2])


class Statistical(Critic):
    """A critic with batch statistics and dropout, both of which a careless pass would show."""

    def __init__(self, width=2):
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(0.5)

    def forward(self, samples, condition=None):
        features = self.drop(self.norm(samples))
        return Verdict(features.sum(1), features, {"c": features * 3} if condition is None else {"c": condition})

    def layers(self, samples, condition=None):
        return {"norm": self.norm(samples), "drop": self.drop(self.norm(samples))}


class Seeing(Told):
    """A critic that sees a condition."""

    def layers(self, samples, condition=None):
        raise ValueError("it sees a condition of width 3")


# ---- real samples ----


@given(st.integers(1, 63), st.sampled_from(["train", "test"]))
def test_the_first_n_real_samples_are_the_first_of_more(n, part):
    made = subject(labels=LABELS, test_labels=LABELS)
    few, all = made.real(part, n), made.real(part, 64)
    assert torch.equal(few.values, all.values[:n])
    assert torch.equal(few.labels["label"], all.labels["label"][:n])


def test_real_samples_are_each_taken_once_with_their_labels_in_a_random_order():
    train = uniform(64, 2)
    samples = subject(train, labels=LABELS).real("train")
    rows = (samples.values[:, None] == train).all(2).int().argmax(1)
    assert sorted(rows.tolist()) == list(range(64)) != rows.tolist()
    assert torch.equal(samples.labels["label"], LABELS[rows])


def test_the_order_depends_on_seed_and_part_alone():
    train = uniform(64, 2)

    def order(seed=0, part="train", **more):
        return subject(train, train, seed=seed, **more).real(part).values

    assert torch.equal(order(), order(samples=5, fit=3))
    assert not torch.equal(order(), order(seed=1))
    assert not torch.equal(order(), order(part="test"))


def test_the_setting_says_how_many_and_a_split_gives_no_more_than_it_has():
    made = subject(real=10)
    assert len(made.real("train").values) == 10
    assert len(made.real("train", 1000).values) == 64


def test_stored_pixels_are_brought_into_the_range():
    train = torch.tensor([[0], [255]], dtype=torch.uint8).repeat(4, 3)
    values = subject(train, range=(-2.0, 3.0)).real("train").values
    assert values.dtype == torch.float32 and set(values.unique().tolist()) == {-2.0, 3.0}


def test_a_split_that_is_not_held_is_read_one_by_one(monkeypatch):
    made, held = subject(labels=LABELS), subject(labels=LABELS)
    monkeypatch.setattr(made.dataset.split("train"), "tensor", lambda: None)
    assert torch.equal(made.real("train", 9).values, held.real("train", 9).values)


@pytest.mark.parametrize("error", [RunError, UsageError])
def test_a_missing_or_empty_split_is_said_and_the_other_is_there(monkeypatch, error):
    made = subject(test=torch.empty(0, 2))
    with pytest.raises(Unavailable, match="the test split of told is empty"):
        made.real("test")
    assert len(made.real("train").values) == 64

    def fail(part):
        raise error("no image is kept for testing; a larger test_share keeps some")

    monkeypatch.setattr(made.dataset, "load", fail)
    del made.dataset._splits["test"]
    with pytest.raises(Unavailable, match=r"told has no test split that can be used: .*larger test_share"):
        made.real_features("test")


# ---- labels ----


def test_only_samples_of_known_class_are_labelled():
    labels = torch.where(torch.arange(64) % 3 == 0, LABELS, -1)
    train = uniform(64, 2)
    made = subject(train, labels=labels)
    values, classes = made.labelled("train")
    rows = (values[:, None] == train).all(2).int().argmax(1)
    assert len(values) == 22 == (labels >= 0).sum() == len(rows.unique())
    assert torch.equal(classes, labels[rows]) and (classes >= 0).all()


def test_n_labelled_samples_are_found_among_many_without_a_label():
    labels = torch.full((64,), -1)
    labels[50:60] = 1
    values, classes = subject(labels=labels).labelled("train", 4)
    assert len(values) == 4 and classes.tolist() == [1] * 4


def test_where_all_are_known_the_labelled_samples_are_the_real_ones():
    made = subject(labels=LABELS)
    values, classes = made.labelled("train", 7)
    assert torch.equal(values, made.real("train", 7).values)
    assert torch.equal(classes, made.real("train", 7).labels["label"])


def test_missing_labels_are_said():
    with pytest.raises(Unavailable, match="data set told has no labels"):
        subject().labelled("train")
    with pytest.raises(Unavailable, match="the test split of told has no labels"):
        subject(labels=LABELS).labelled("test")
    with pytest.raises(Unavailable, match="no sample of the test split of told has a known label"):
        subject(labels=LABELS, test_labels=torch.full((64,), -1)).labelled("test")


def test_too_few_samples_are_refused_with_the_number_needed():
    made = subject()
    made.at_least(5, 5, "classes")
    with pytest.raises(Unavailable, match=r"^needs at least 2,000 generated samples, and got 100; raise --samples$"):
        made.at_least(2000, 100, "generated samples")
    with pytest.raises(Unavailable, match=r"^needs at least 3 test samples, and got 0$"):
        made.at_least(3, 0, "test samples")


# ---- generated samples and noise ----


def test_fakes_are_the_sampler_s_series_and_go_with_the_latents():
    made = subject(latent="z: normal(2), c: categorical(3) code", fakes=lambda latents: latents.flat, seed=4)
    assert torch.equal(made.fakes(20), made.sampler.sample(20, seed=4))
    assert torch.equal(made.fakes(20), made.latents(20).flat)
    assert torch.equal(made.fakes(), made.sampler.sample(200, seed=4))
    assert torch.equal(made.fakes(7), made.fakes()[:7])


def test_what_takes_time_is_done_once():
    calls = []

    def fakes(latents):
        calls.append(len(latents))
        return latents.flat

    made = subject(fakes=fakes, extractor=Classes)
    made.fakes(100), made.fake_features(100), made.fakes(100), made.fakes(50), made.fake_features(100)
    assert calls == [100] == made.extractor.sizes
    assert made.real_features("train") is made.real_features("train")
    assert made.noise_features(30) is made.noise_features(30)


@given(st.floats(-1e3, 1e3), st.floats(0.1, 1e3))
def test_noise_fills_the_range(low, width):
    made = subject(range=(low, low + width))
    noise = made.noise(500)
    assert noise.shape == (500, 2)
    assert noise.min() >= low - 1e-4 * width and noise.max() <= low + width * (1 + 1e-4) + abs(low) * 1e-6
    assert noise.max() - noise.min() > 0.9 * width
    assert torch.equal(noise[:40], made.noise(40))


def test_random_choices_depend_on_key_and_seed_alone():
    def drawn(seed, *key):
        return torch.rand(3, generator=subject(seed=seed).generator(*key)).tolist()

    assert drawn(1, "a", 2) == drawn(1, "a", 2)
    assert len({tuple(each) for each in (drawn(1, "a"), drawn(2, "a"), drawn(1, "b"))}) == 3


# ---- features ----


@pytest.mark.parametrize("chunk", [7, 64, 500])
def test_chunks_change_no_result(monkeypatch, chunk):
    monkeypatch.setattr(subject_module, "CHUNK", chunk)
    made = subject(extractor=Classes, critic=Statistical())
    values = made.real("train").values
    features = made.features(values)
    assert torch.equal(features.features, 2 * values) and torch.equal(features.logits, values)
    condition = torch.arange(64.0)[:, None]
    verdict = made.judge(values, condition)
    torch.testing.assert_close(verdict.features, made.critic(values).features)
    assert torch.equal(verdict.recognised["c"], condition)
    torch.testing.assert_close(made.layers(values)["norm"], verdict.features)
    assert max(made.extractor.sizes) <= chunk


def test_features_of_values_have_no_logits():
    made = subject()
    features = made.fake_features(9)
    assert features.logits is None and torch.equal(features.features, made.fakes(9))


def test_without_an_extractor_features_cannot_be_had():
    with pytest.raises(Unavailable, match="no extractor is the default for told samples; choose one"):
        subject(extractor=None).fake_features()


# ---- the critic ----


def test_the_critic_judges_in_evaluation_mode_and_stays_as_it_was():
    critic = Statistical()
    made = subject(critic=critic)
    before = copy.deepcopy(critic.state_dict())
    values = 5 + made.real("train").values
    verdict = made.judge(values)
    # Nothing is dropped, and it is normalised by what it was trained on, whatever is judged and training has left.
    kinds = made.real("train").values, made.fakes()[:64]
    mean, variance = (sum(kind.mean(0) for kind in kinds) / 2, sum(kind.var(0) for kind in kinds) / 2)
    expected = (values - mean) / (variance + critic.norm.eps).sqrt()
    torch.testing.assert_close(verdict.features, expected)
    torch.testing.assert_close(made.layers(values)["drop"], expected)
    assert all(torch.equal(before[key], value) for key, value in critic.state_dict().items())
    assert not verdict.features.requires_grad


def test_protocols_say_whose_weights_and_statistics_the_critic_has():
    made = subject()
    same = "averaged critic, any batch statistics of up to 2,500 training and as many generated samples"
    assert (made.critic_protocol, made.critic) == (same, made.game.networks["critic"])
    assert subject(train=uniform(1, 2), critic=Statistical()).critic_protocol == "averaged critic"
    assert subject(critic=Statistical()).critic_protocol == same, "critics with and without them can be compared"


def test_the_critic_does_not_depend_on_how_many_samples_are_asked_for():
    critic, values = Statistical(), uniform(5, 2)
    few, many = (subject(critic=critic, fakes=lambda latents: latents.flat, samples=n, real=n) for n in (3, 50))
    assert torch.equal(few.judge(values).features, many.judge(values).features)


def test_samples_of_unknown_class_count_for_the_statistics_too():
    labels = torch.where(torch.arange(64) < 4, LABELS, -1)
    made = subject(labels=labels, critic=Statistical())
    assert made.critic.get_submodule("norm").num_batches_tracked == 2, "64 real samples, and as many generated ones"
    assert made.critic_protocol != subject(train=uniform(1, 2), critic=Statistical()).critic_protocol


def test_layers_are_reduced_chunk_by_chunk(monkeypatch):
    monkeypatch.setattr(subject_module, "CHUNK", 10)
    sizes = []

    def reduce(map):
        sizes.append(len(map))
        return map.flatten(1).mean(1)

    made = subject(train=uniform(32, 1, 4, 4))
    values = made.real("train").values
    layers = made.layers(values, reduce)
    assert list(layers) == ["values", "features"]
    torch.testing.assert_close(layers["values"], values.mean((1, 2, 3)))
    assert max(sizes) == 10


def test_a_critic_that_sees_a_condition_has_no_features_of_a_sample_alone():
    with pytest.raises(Unavailable, match="the critic has no features of a sample alone: it sees"):
        subject(critic=Seeing()).layers(uniform(3, 2))


# ---- scores ----


def test_a_score_that_rests_on_features_names_the_extractor():
    made = subject(extractor=Classes)
    score = made.score("d", torch.tensor(2.5), "10 samples", features=True, unit="nats", better="lower", floor=1)
    assert score.value == 2.5 and score.floor == 1 and (score.unit, score.better) == ("nats", "lower")
    assert score.protocol == "classes features (abababab), 10 samples"
    assert (score.extractor, score.extractor_sha256) == ("classes", "ab" * 32)
    plain = made.score("d", 1, "10 samples")
    assert (plain.protocol, plain.extractor, plain.extractor_sha256) == ("10 samples", None, None)
    assert subject().score("d", 1, "x", features=True).protocol == "values features, x"


@pytest.mark.parametrize(
    ("value", "kept"), [(float("nan"), None), (float("inf"), None), (-float("inf"), None), (1e300, 1e300), (0, 0.0)]
)
def test_only_finite_values_are_kept(value, kept):
    assert subject().score("d", value, "p").value == kept


# ---- a run ----


def test_a_run_s_subject_has_the_checkpoint_s_networks(toys_run):
    made = open_subject(toys_run.directory, zoo_of())
    assert torch.equal(made.fakes(70), toys_run.sample(70))
    tensors = toys_run.sampler.checkpoint.tensors("averaged")
    for name, value in made.game.networks["critic"].state_dict().items():
        assert torch.equal(tensors[f"critic.{name}"], value)
    for network in made.game.networks.values():
        assert not network.training and not any(p.requires_grad for p in network.parameters())
    verdict = made.judge(made.fakes(20))
    assert verdict.realness.shape == (20,)
    assert verdict.recognised["category"].shape == (20, made.latent.head_width("category"))
    assert made.label == "label" and made.labelled("test", 50)[0].shape == (50, 1, 16, 16)
