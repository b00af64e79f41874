from collections.abc import Mapping

import numpy as np
import pytest
import torch
from subjects import by_name, subject
from torch import Tensor

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.data import DataSpec, FactorDataset, LabelSpec, Split
from ganzoo.evaluation.metrics.disentanglement import Counts, Disentanglement
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject

COUNTS = Counts(train=600, test=300, fresh=False, trees="forest")
SIZES = {"kind": 3, "high": 5, "wide": 6}
NAMES = ["factor_vae", "beta_vae", "mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness"]

CRITIC = "averaged critic, any batch statistics of up to 2,500 training and as many generated samples"


class Told(FactorDataset):
    """Samples that are their factors, each scaled to [-1, 1]."""

    name = "told-factors"
    summary = "factors as samples"
    spec = DataSpec(
        name=name,
        shape=(1, 1, 3),
        size=90,
        labels={
            name: LabelSpec(classes=tuple(map(str, range(size))), frequencies=(1 / size,) * size)
            for name, size in SIZES.items()
        },
    )

    @property
    def factors(self) -> Mapping[str, int]:
        return SIZES

    def observe(self, indices: Tensor) -> Tensor:
        return (indices / (torch.tensor(tuple(SIZES.values())) - 1) * 2 - 1).view(-1, 1, 1, 3)

    def split(self, part: str, source: str = "data") -> Split:
        raise AssertionError("no split is needed")


class Seer(Critic):
    """Recognises the factors, mixed by a matrix (2, 2) and up to noise; the kind by a class of its own."""

    def __init__(self, mix: Tensor | None = None, blind: bool = False) -> None:
        super().__init__()
        self.mix, self.blind = torch.eye(2) if mix is None else mix, blind

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        values = samples.flatten(1)
        if self.blind:
            values = torch.sin(values * 1e6 + torch.arange(len(values))[:, None] ** 2)
        kind = torch.nn.functional.one_hot(((values[:, 0] + 1) * 1.49).long(), 3)[:, [2, 0, 1]].float()
        return Verdict(values[:, 0], values, {"category": kind, "style": values[:, 1:] @ self.mix})

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {}


def told(critic: Critic | None = None, seed: int = 0, codes: str = "category: categorical(3) code, ") -> Subject:
    latent = f"z: normal(2), {codes}style: uniform(2, sigma=1.0) code"
    made = subject(latent=latent, critic=critic or Seer(), seed=seed)
    made.dataset, made.data = Told(), Told.spec
    return made


def scores(subject: Subject, counts: Counts = COUNTS) -> dict[str, Score]:
    return by_name(Disentanglement(counts).scores(subject))


def test_codes_that_are_the_factors_are_perfect() -> None:
    found = scores(told())
    assert list(found) == NAMES
    for name in ("factor_vae", "beta_vae"):
        assert found[name].value == 1
    for name in NAMES[4:]:
        assert found[name].value > 0.95
    assert found["mig"].value > 0.9  # noise of the count: all codes seem to know a little of each factor
    assert found["factor_vae"].details["codes"] == ["category", "style[0]", "style[1]"]
    assert found["mig"].details["factors"] == list(SIZES)
    assert np.array(found["mig"].details["information"]).argmax(0).tolist() == [0, 1, 2]
    assert np.array(found["dci_disentanglement"].details["importance"]).argmax(0).tolist() == [0, 1, 2]


def test_codes_that_are_noise_are_at_chance() -> None:
    found = scores(told(Seer(blind=True)))
    for name in ("factor_vae", "beta_vae"):
        assert found[name].value == pytest.approx(1 / 3, abs=0.1)
        assert found[name].ceiling == pytest.approx(1 / 3)
    assert found["mig"].value < 0.05
    assert found["sap"].value < 0.1
    assert found["dci_informativeness"].value == pytest.approx((1 / 3 + 1 / 5 + 1 / 6) / 3, abs=0.08)


def test_codes_that_mix_the_factors_are_worse_though_they_know_as_much() -> None:
    straight = scores(told())
    turned = scores(told(Seer(torch.tensor([[1.0, -1.0], [1.0, 1.0]]))))
    assert turned["sap"].value < straight["sap"].value - 0.05
    for name in ("mig", "dci_disentanglement", "dci_completeness"):
        assert turned[name].value < straight[name].value - 0.2
    assert turned["dci_informativeness"].value > 0.7


def test_published_protocol_draws_every_batch_afresh() -> None:
    small = Counts(train=60, test=40, trees="boosting")
    found = scores(told(), small)
    assert found["factor_vae"].value == 1
    assert found["dci_disentanglement"].value > 0.8
    assert found["factor_vae"].protocol == (
        f"disentanglement_lib, 3 code dimensions, 1 of them categorical ({CRITIC}), 3 factors, "
        "60 batches of 64 to fit to and 40 to test on"
    )
    assert "gradient-boosted trees, 60 samples to fit to and 40 to test on" in found["dci_completeness"].protocol


def test_protocols_of_the_two_settings_cannot_be_confused() -> None:
    found = scores(told())
    assert found["beta_vae"].protocol.endswith("chosen among 600 and 300 samples")
    assert "a forest in place of gradient-boosted trees" in found["dci_informativeness"].protocol
    assert found["mig"].protocol.endswith("20 bins, 600 samples")


def test_same_seed_gives_the_same_scores() -> None:
    mixed = Seer(torch.tensor([[1.0, -0.5], [0.3, 1.0]]))
    first, again, other = (
        {name: score.value for name, score in scores(told(mixed, seed)).items()} for seed in (1, 1, 2)
    )
    assert first == again != other


def test_other_data_have_no_known_factors() -> None:
    plain = subject(latent="z: normal(2), style: uniform(2) code")
    with pytest.raises(Unavailable, match="the factors of told are not known; train on sprites or dsprites"):
        list(Disentanglement().scores(plain))


@pytest.mark.parametrize("latent", ["z: normal(2)", "z: normal(2), style: uniform(1) code"])
def test_fewer_than_two_codes_cannot_be_told_apart(latent: str) -> None:
    made = subject(latent=latent)
    made.dataset = Told()
    with pytest.raises(Unavailable, match="needs at least two code dimensions"):
        list(Disentanglement().scores(made))


def test_a_code_that_the_critic_does_not_recognise_cannot_be_read() -> None:
    with pytest.raises(Unavailable, match="the critic has no head that recognises other"):
        scores(told(codes="other: uniform(1) code, "))


def test_dimensions_that_are_all_numbers_are_the_published_protocol() -> None:
    found = scores(told(codes=""))
    protocol = f"disentanglement_lib, 2 code dimensions ({CRITIC}), 3 factors, 20 bins, 600 samples"
    assert found["mig"].protocol == protocol


def test_a_critic_that_sees_conditions_cannot_read_samples_alone() -> None:
    class Seeing(Seer):
        def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
            raise ValueError("the critic sees conditions of shape (N, 3), it got none")

    with pytest.raises(Unavailable, match="reads no codes off a sample alone: the critic sees conditions"):
        scores(told(Seeing()))
