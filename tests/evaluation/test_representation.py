import pytest
import torch
from helpers import Reader
from subjects import Told, subject, uniform
from torch import Tensor
from torch.nn.functional import max_pool2d

from ganzoo.core.critic import Verdict
from ganzoo.core.latent import LatentSpec
from ganzoo.evaluation.representation import COMPONENTS, compact, pooled, representations, true_classes
from ganzoo.evaluation.score import Unavailable

TWO = torch.arange(60) % 2


class Seer(Told):
    """A critic that must be shown a condition."""

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        raise ValueError("the critic sees conditions of shape (N, 2), it got none")


class Flattening(Told):
    """A map, the same as a vector in another order, and something else."""

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return {"conv": samples, "flat": samples.flatten(1).flip(1), "features": -samples.flatten(1)}


def test_maps_are_averaged_to_four_by_four() -> None:
    maps = torch.arange(64.0).view(1, 1, 8, 8)
    assert pooled(maps).tolist() == [
        [(maps[0, 0, y : y + 2, x : x + 2]).mean() for y in range(0, 8, 2) for x in range(0, 8, 2)]
    ]
    assert not torch.equal(pooled(maps), max_pool2d(maps, 2).flatten(1))


@pytest.mark.parametrize(("shape", "width"), [((3, 2, 5), 24), ((5, 1, 1), 5), ((7,), 7), ((6, 9), 54)])
def test_smaller_maps_and_vectors_stay_as_they_are(shape: tuple[int, ...], width: int) -> None:
    assert pooled(uniform(2, *shape)).shape == (2, width)


def test_the_trunk_is_every_layer_but_a_map_written_as_a_vector() -> None:
    images = uniform(60, 1, 4, 4)
    found = dict(representations(subject(images, images, labels=TWO, test_labels=TWO, critic=Flattening())))
    assert set(found) == {"critic", "pixels"}
    assert found["critic"].train.shape == (60, 32)
    assert "(conv, features)" in found["critic"].what
    assert "flat" not in found["critic"].what


def test_values_that_are_no_pictures_are_not_called_pixels() -> None:
    points = uniform(60, 2)
    found = dict(representations(subject(points, points, labels=TWO, test_labels=TWO)))
    assert "values" in found
    assert "pixels" not in found
    assert torch.equal(found["values"].train.sort(0).values, points.sort(0).values)


def test_codes_are_their_posteriors_parameters_whatever_else_is_recognised() -> None:
    latent = LatentSpec.parse("z: normal(1), category: categorical(3) code, style: uniform(2) code")
    critic = Reader(latent.codes)
    critic.layers = lambda samples, condition=None: {"all": samples}  # type: ignore[method-assign]
    values = uniform(60, 8)
    found = dict(representations(subject(values, values, labels=TWO, test_labels=TWO, latent=latent, critic=critic)))
    assert torch.equal(found["codes"].train, found["values"].train[:, 1:8])


class Unheeding(Told):
    """A critic that recognises none of the codes."""

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> Verdict:
        return super().forward(samples)._replace(recognised={})


def test_codes_that_the_critic_does_not_recognise_are_left_out() -> None:
    values = uniform(60, 2)
    told = subject(
        values, values, labels=TWO, test_labels=TWO, latent="z: normal(1), c: uniform(2) code", critic=Unheeding()
    )
    assert set(dict(representations(told))) == {"critic", "values"}


def test_distances_on_the_components_are_those_of_unit_layers() -> None:
    values = uniform(60, 3)
    found = dict(compact(subject(values, values, labels=TWO, test_labels=TWO)))
    assert torch.allclose(found["critic"].train.norm(dim=1), torch.ones(60), atol=1e-6)
    wide = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) @ uniform(5, 300)
    labels = torch.arange(200) % 2
    told = subject(wide, wide, labels=labels, test_labels=labels, range=(-99, 99))
    near = dict(compact(told))["values"]
    assert near.train.shape == (200, COMPONENTS)
    original = told.labelled("train")[0]
    assert torch.allclose(torch.pdist(near.train), torch.pdist(original), rtol=1e-3)  # the data have 5 dimensions


def test_the_same_seed_gives_the_same_components_and_they_are_made_once() -> None:
    wide = uniform(200, 100)
    labels = torch.arange(200) % 2
    first, second = (subject(wide, wide, labels=labels, test_labels=labels) for _ in range(2))
    assert torch.equal(dict(compact(first))["critic"].test, dict(compact(second))["critic"].test)
    assert dict(compact(first))["critic"] is dict(compact(first))["critic"]


def test_a_critic_that_sees_a_condition_has_no_features_of_a_sample() -> None:
    values = uniform(60, 2)
    told = subject(values, values, labels=TWO, test_labels=TWO, critic=Seer())
    with pytest.raises(Unavailable, match="no features of a sample alone"):
        list(representations(told))
    with pytest.raises(Unavailable, match="no features of a sample alone"):
        list(compact(told))


def test_too_few_labels_and_a_single_class_are_refused() -> None:
    values = uniform(60, 2)
    with pytest.raises(Unavailable, match="has no labels"):
        true_classes(subject(values, values))
    few = torch.where(torch.arange(60) < 19, TWO, -1)
    with pytest.raises(Unavailable, match="at least 20 labelled test samples, and got 19"):
        true_classes(subject(values, values, labels=TWO, test_labels=few))
    with pytest.raises(Unavailable, match="all labelled test samples of told are of one class"):
        true_classes(subject(values, values, labels=TWO, test_labels=torch.zeros_like(TWO)))
