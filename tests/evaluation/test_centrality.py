from typing import Any

import numpy as np
import pytest
import torch
from helpers import Reader
from subjects import by_name, subject, uniform
from torch import Tensor
from training_helpers import start, zoo_of

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.evaluation.centrality import Agreement, agreement_of_categories, agreement_of_factors, rank
from ganzoo.evaluation.metrics.codes import Codes
from ganzoo.evaluation.subject import Subject
from ganzoo.runs.directory import RunDirectory

FOUR = "z: normal(2), kind: categorical(4) code"
FACTORS = "z: normal(1), tone: uniform(3, sigma=1.0) code, kind: categorical(4) code"


class Columns(Critic):
    """Reads each code off columns of the sample, (N, F), by code and in their order."""

    def __init__(self, **columns: list[int]) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        return Verdict(samples[:, 0], samples, {name: samples[:, chosen] for name, chosen in self.columns.items()})

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {}


def sorted_into(order: list[int], values: Tensor | None = None) -> Subject:
    """A run whose critic takes the largest of a sample's four values for the category, the k-th for ``order[k]``."""
    values = uniform(400, 4) if values is None else values
    return subject(values, fakes=uniform(4, 4), latent=FOUR, critic=Columns(kind=order))


def shows_codes(tones: list[int], kinds: list[int], noise: float = 0.0) -> Subject:
    """A run that shows its codes as they are, and whose critic takes these columns for them, with some noise."""
    columns = {"tone": [1 + k for k in tones], "kind": [4 + k for k in kinds]}
    random = torch.Generator().manual_seed(0)

    class Noisy(Columns):
        def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
            return super().forward(samples + noise * torch.randn(samples.shape, generator=random), condition)

    def shown(latents: Any) -> Tensor:
        flat: Tensor = latents.flat
        return flat

    return subject(uniform(8, 8), fakes=shown, latent=FACTORS, critic=Noisy(**columns), range=(-9.0, 9.0))


def test_equal_runs_agree_and_so_do_those_that_count_in_another_order() -> None:
    pairs, used = agreement_of_categories([sorted_into([0, 1, 2, 3])] * 2 + [sorted_into([3, 1, 0, 2])])
    assert used == 400
    assert np.isnan(np.diag(pairs)).all()
    assert (pairs[~np.eye(3, dtype=bool)] == 1).all()


def test_samples_that_two_runs_sort_differently_are_counted() -> None:
    values = 2.0 * torch.eye(4).repeat(25, 1) - 1
    swapped = values[:, [0, 1, 2, 3]].clone()

    class Odd(Columns):
        def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
            samples = samples.clone()
            samples[:10] = samples[:10].roll(1, 1)
            return super().forward(samples, condition)

    odd = subject(swapped, fakes=uniform(4, 4), latent=FOUR, critic=Odd(kind=[0, 1, 2, 3]))
    pairs, _ = agreement_of_categories([sorted_into([0, 1, 2, 3], values), odd])
    assert pairs[0, 1] == pairs[1, 0] == pytest.approx(0.9)


def test_a_run_that_sorts_by_something_else_comes_last() -> None:
    good = [sorted_into([0, 1, 2, 3]), sorted_into([2, 3, 0, 1]), sorted_into([1, 0, 3, 2])]
    broken = subject(uniform(400, 4), fakes=uniform(4, 4), latent=FOUR, critic=Reader(LatentSpec.parse(FOUR).codes))
    runs = [good[0], broken, *good[1:]]
    broken.game.networks["critic"].forward = lambda samples, condition=None: Verdict(
        samples[:, 0], samples, {"kind": uniform(len(samples), 4, seed=9)}
    )
    found = agreement_of(runs, agreement_of_categories(runs)[0])
    assert found.order == [0, 2, 3, 1]
    assert found.means[1] < 0.4 and found.means[0] == pytest.approx((2 + found.means[1]) / 3)


def test_several_categorical_codes_are_matched_too_and_one_left_over_agrees_with_none() -> None:
    two = "z: normal(1), a: categorical(2) code, b: categorical(2) code"
    values = uniform(200, 4)
    one = subject(values, fakes=uniform(4, 4), latent=two, critic=Columns(a=[0, 1], b=[2, 3]))
    other = subject(values, fakes=uniform(4, 4), latent=two, critic=Columns(a=[3, 2], b=[0, 1]))
    single = "z: normal(1), c: categorical(2) code"
    few = subject(values, fakes=uniform(4, 4), latent=single, critic=Columns(c=[0, 1]))
    pairs, _ = agreement_of_categories([one, other, few])
    assert (pairs[0, 1], pairs[0, 2]) == (1.0, 0.5)


def test_no_label_is_read() -> None:
    values = uniform(400, 4)
    labelled = [
        subject(
            values,
            fakes=uniform(4, 4),
            latent=FOUR,
            critic=Columns(kind=[0, 1, 2, 3]),
            labels=labels,
            classes=("a", "b"),
        )
        for labels in (torch.zeros(400).long(), torch.arange(400) % 2)
    ]
    assert agreement_of_categories(labelled)[0][0, 1] == 1
    assert by_name(Codes().scores(labelled[0]))  # the labels are there


def test_factors_of_equal_and_of_permuted_runs_agree() -> None:
    runs = [shows_codes([0, 1, 2], [0, 1, 2, 3]), shows_codes([2, 0, 1], [3, 1, 0, 2])]
    pairs, used = agreement_of_factors([runs[0], *runs], 2048)
    assert used == 2048
    assert (pairs[~np.eye(3, dtype=bool)] == 1).all()


def test_factors_of_a_run_whose_codes_are_mixed_agree_less_and_of_one_that_reads_noise_hardly() -> None:
    runs = [shows_codes([0, 1, 2], [0, 1, 2, 3])] * 3
    mixed = shows_codes([0, 0, 0], [0, 1, 2, 3])  # two dimensions cannot be told apart
    noise = shows_codes([0, 1, 2], [0, 1, 2, 3], noise=100.0)
    everyone = [*runs, mixed, noise]
    found = agreement_of(everyone, agreement_of_factors(everyone, 2048)[0])
    assert found.order[3:] == [3, 4]
    assert found.pairs[0, 3] < 0.95
    assert found.pairs[0, 4] < 0.75  # what it shows is read by the other, and nothing the other way round
    assert np.array_equal(found.pairs, found.pairs.T, equal_nan=True)


def test_half_of_the_batches_says_what_the_other_half_means() -> None:
    """Noise agrees as often as a guess does: votes on the batches that they predict would look like agreement."""
    noise = [shows_codes([0, 1, 2], [0, 1, 2, 3], noise=100.0)] * 2
    pairs, _ = agreement_of_factors(noise, 64 * 200)
    assert pairs[0, 1] == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize(
    ("latent", "sentence"),
    [
        ("z: normal(1)", "the latent space has 0"),
        ("z: normal(1), tone: uniform(1) code", "the latent space has 1"),
    ],
)
def test_factors_need_two_dimensions(latent: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=f"00001-told-told cannot be ranked: .*{sentence}"):
        agreement_of_factors([subject(latent=latent)] * 3)


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="cannot be ranked: the latent space has no categorical code"):
        agreement_of_categories([subject(latent="z: normal(1), tone: uniform(2) code")] * 3)
    with pytest.raises(UsageError, match="--samples 100 is too few for this many code dimensions; take 512 or more"):
        agreement_of_factors([shows_codes([0, 1, 2], [0, 1, 2, 3])] * 3, 100)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunDirectory]:
    """Three tiny InfoGANs on the toys, two of them with the same seed."""
    out = tmp_path_factory.mktemp("ranked")
    return [start(out, "infogan", networks="mlp", flags={"seed": seed}).directory for seed in (0, 1, 0)]


@pytest.mark.parametrize(("kind", "samples", "used"), [(None, None, 96), ("factors", 1024, 1024)])
def test_runs_are_opened_and_ranked(runs: list[RunDirectory], kind: Any, samples: int | None, used: int) -> None:
    told = []
    found = rank(runs, zoo_of(), kind=kind, samples=samples, progress=lambda *what: told.append(what))
    assert (found.kind, found.samples, found.runs) == (kind or "categories", used, tuple(runs))
    assert told == [(run.name, index, 3) for index, run in enumerate(runs)]
    assert found.means[0] == found.means[2]
    assert found.pairs[0, 2] == 1 or kind == "factors"


def test_too_few_runs_and_runs_on_other_data_are_refused(runs: list[RunDirectory], tmp_path: Any) -> None:
    for few in (runs[:2], [*runs[:2], runs[1]]):
        with pytest.raises(UsageError, match="ranking takes at least three runs, each once"):
            rank(few, zoo_of())
    record = runs[2].record.model_copy(update={"data_checksum": "0" * 64})
    other = RunDirectory(runs[2].path, record)
    with pytest.raises(UsageError, match="00003-infogan-toys was trained on other data than 00001-infogan-toys"):
        rank([*runs[:2], other], zoo_of())


def agreement_of(subjects: list[Subject], pairs: Any) -> Agreement:
    return Agreement(tuple(each.run for each in subjects), "factors", pairs, 1)
