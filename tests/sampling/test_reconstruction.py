"""Reconstruction on networks whose answers are known, and through a run's checkpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import tiny_data
from torch import Tensor, nn
from training_helpers import Toys, start, zoo_of

from ganzoo.core.data import DataSpec
from ganzoo.core.encoder import Encoder
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round
from ganzoo.models.model import Model
from ganzoo.models.player import Player, Rates
from ganzoo.runs.checkpoint import latest
from ganzoo.sampling.chunks import CHUNK
from ganzoo.sampling.reconstruction import COLUMNS, encode, encoder_of, held_out, reconstruct, side_by_side
from ganzoo.sampling.sampler import Sampler

LATENT = LatentSpec.parse("z: normal(3), tilt: uniform(1)")
DATA = tiny_data((2, 2), None)


class Mirror(Encoder):
    """The values of a sample are its latents, negated."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.norm = nn.BatchNorm1d(4)

    def forward(self, samples: Tensor) -> Tensor:
        assert not self.training and not torch.is_grad_enabled()
        self.calls.append(len(samples))
        return -samples.flatten(1)


class Shape(Generator):
    """The latents in the shape of a sample."""

    def forward(self, latents: Tensor) -> Tensor:
        return latents.view(-1, 2, 2)


@pytest.fixture
def sampler() -> Sampler:
    sampler = Sampler.of(Shape(), LATENT, DATA)
    sampler.encoder = Mirror()
    return sampler


def samples(n: int) -> Tensor:
    return torch.rand(n, 2, 2, generator=torch.Generator().manual_seed(0))


def test_latents_have_their_names(sampler: Sampler) -> None:
    found = encode(sampler, samples(3))
    assert found.spec == LATENT
    assert torch.equal(found["tilt"], -samples(3).flatten(1)[:, 3:])


def test_a_reconstruction_is_the_generators_of_the_encoders(sampler: Sampler) -> None:
    assert torch.equal(reconstruct(sampler, samples(130)), -samples(130))
    assert isinstance(sampler.encoder, Mirror)
    assert sampler.encoder.calls == [CHUNK] * 3, "rows are encoded in whole chunks, whatever is asked for"
    assert sampler.encoder.training, "and the mode is given back"


def test_whatever_it_is_given_it_answers_in_float32_on_the_cpu(sampler: Sampler) -> None:
    made = reconstruct(sampler, samples(2).double().requires_grad_())
    assert made.dtype == torch.float32 and not made.requires_grad


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 2), (3, 4), (3, 1, 2, 2)])
def test_other_samples_are_refused(sampler: Sampler, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="what is reconstructed has shape N×2×2"):
        reconstruct(sampler, torch.zeros(shape))


def test_without_an_encoder_it_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="a model without an encoder cannot reconstruct samples; train one"):
        encoder_of(Sampler.of(Shape(), LATENT, DATA))


# ---- a run's encoder ----


class Sized(Objective):
    """Latents of real samples want to be small."""

    def generator_terms(self, round: Round) -> Iterator[Term]:
        yield Term("size", round.networks["encoder"](round.real.values).square().mean())


class Bare(Model):
    """A model whose encoder is one layer; it is trained on nothing but its own size."""

    name = "bare"

    def latent(self, data: DataSpec) -> LatentSpec:
        return LatentSpec.parse("z: normal(4)")

    def networks(self, latent: LatentSpec, data: DataSpec) -> dict[str, nn.Module]:
        return {**super().networks(latent, data), "encoder": self.stock_encoder(latent, data)}

    def players(self, latent: LatentSpec, data: DataSpec) -> list[Player]:
        critic, generator = super().players(latent, data)
        return [critic, Player("generator", {**generator.owns, "encoder": Rates()})]

    def objective(self, latent: LatentSpec, data: DataSpec) -> Any:
        return self.adversarial() + Sized()


class Averaged(Bare):
    """The same with its encoder averaged."""

    name = "averaged"
    averaged = ("generator", "encoder")


class Decoy(Bare):
    """Its network called encoder is none."""

    name = "decoy"

    def networks(self, latent: LatentSpec, data: DataSpec) -> dict[str, nn.Module]:
        return {**super().networks(latent, data), "encoder": nn.Linear(1, 1)}

    def objective(self, latent: LatentSpec, data: DataSpec) -> Any:
        return self.adversarial()


@pytest.mark.parametrize(("model", "stem"), [(Bare, "networks"), (Averaged, "averaged")])
def test_a_runs_encoder_has_the_averaged_weights_where_there_are_some(
    model: type[Model], stem: str, tmp_path: Path
) -> None:
    run = start(tmp_path, model, networks="mlp")
    found = run.sampler.encoder
    assert found is not None
    saved = latest(run.directory).tensors(stem)
    for name, value in found.state_dict().items():
        assert torch.equal(value, saved[f"encoder.{name}"])
    if stem == "averaged":
        live = latest(run.directory).tensors("networks")
        assert any(not torch.equal(live[name], saved[name]) for name in saved)
    last = Sampler(run.directory, zoo_of(model), averaged=False).encoder
    assert last is not None
    assert torch.equal(last.trunk[0][1].weight, latest(run.directory).tensors("networks")["encoder.trunk.fc1.1.weight"])


def test_a_sample_is_reconstructed_the_same_whatever_it_is_asked_for_with(tmp_path: Path) -> None:
    run = start(tmp_path, Averaged)
    test = held_out(Toys(), 80)
    whole = run.reconstruct(test)
    assert whole.shape == test.shape and whole.abs().max() <= 1
    assert torch.equal(run.reconstruct(test[:3]), whole[:3])
    assert torch.equal(run.sampler.generate(run.encode(test)), whole)
    assert run.encode(test).flat.std() > 0


@pytest.mark.parametrize("model", ["gan", Decoy])
def test_models_without_an_encoder_are_refused(model: Any, tmp_path: Path) -> None:
    run = start(tmp_path, model, networks="mlp")
    with pytest.raises(UsageError, match="without an encoder cannot reconstruct"):
        run.reconstruct(torch.zeros(1, 1, 16, 16))


# ---- test samples ----


def test_test_samples_are_chosen_by_the_seed_alone() -> None:
    few, many = held_out(Toys(), 5), held_out(Toys(), 50)
    assert torch.equal(few, many[:5])
    assert few.dtype == torch.float32 and few.min() >= -1 and few.max() <= 1
    assert not torch.equal(held_out(Toys(), 5, seed=1), few)
    stored = {tuple(sample.flatten().tolist()) for sample in held_out(Toys(), 10**6)}
    assert len(stored) == 96
    assert {tuple(sample.flatten().tolist()) for sample in few} < stored


def test_data_without_test_samples_are_refused() -> None:
    class Trained(Toys):
        def load(self, part: Any) -> Any:
            if part == "test":
                raise RunError("no images are kept for testing")
            return super().load(part)

    with pytest.raises(UsageError, match="toys has no test samples to reconstruct: no images are kept"):
        held_out(Trained(), 5)


# ---- pictures ----


def pixels(picture: Any) -> np.ndarray:
    return np.asarray(picture.convert("L"))


@pytest.mark.parametrize(("n", "rows"), [(1, 2), (10, 2), (11, 4), (20, 4)])
def test_each_reconstruction_lies_below_its_sample(n: int, rows: int) -> None:
    data = tiny_data((1, 8, 8))
    dark, bright = torch.full((n, 1, 8, 8), -1.0), torch.full((n, 1, 8, 8), 1.0)
    found = pixels(side_by_side(dark, bright, data))
    step = found.shape[0] / rows
    left = found.shape[1] - round(min(n, COLUMNS) * step)  # the labels' margin
    column = found[:, left + round(step / 2)]
    assert [int(column[round((row + 0.5) * step)]) for row in range(rows)] == [0, 255] * (rows // 2)


def test_points_are_of_two_colours() -> None:
    data = tiny_data((2,), drawn_as="points")
    points = torch.rand(30, 2, generator=torch.Generator().manual_seed(0))
    picture = side_by_side(points, -points, data)
    width, height = picture.size
    assert len({picture.getpixel((x, y)) for x in range(0, width, 2) for y in range(0, height, 2)}) >= 4
