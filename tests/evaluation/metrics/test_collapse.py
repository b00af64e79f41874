from typing import ClassVar

import pytest
import torch
from helpers import Reader
from scipy.spatial.distance import pdist
from subjects import by_name, subject, uniform
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo.core.latent import LatentSpec
from ganzoo.core.latents import Latents
from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.evaluation.metrics.collapse import Collapse, Grouped, relative_diversity
from ganzoo.evaluation.score import Score, Unavailable

CLASSES = torch.arange(600) % 3
ASKED = "z: normal(2), label: categorical(3) condition"
CODED = "z: normal(2), category: categorical(3) code"


class Looking(Extractor):
    """Sees the class in the first value, in steps of 10; the features are all values."""

    name: ClassVar[str] = "looking"
    summary: ClassVar[str] = "the first value"
    classes = ("ant", "bee", "cat")

    def __call__(self, samples: Tensor) -> Features:
        flat = samples.flatten(1)
        return Features(flat, one_hot((flat[:, 0] / 10).round().long().clamp(0, 2), 3).float())


def of_class(classes: Tensor, spread: float | Tensor = 1.0, seed: int = 0) -> Tensor:
    """Points (N, 2) around ten times their class."""
    random = torch.Generator().manual_seed(seed)
    spread = torch.as_tensor(spread)
    scale = spread[classes][:, None] if spread.dim() else spread
    return (
        scale * torch.randn(len(classes), 2, generator=random).clamp(-4, 4)
        + 10 * one_hot(classes * 0, 2) * classes[:, None]
    )


def collapse(fakes: Tensor | None = None, make: object = None, **more: object) -> dict[str, Score]:
    given = {"labels": CLASSES, "test_labels": CLASSES, "extractor": Looking, "range": (-99.0, 99.0), "samples": 900}
    told = subject(of_class(CLASSES), of_class(CLASSES, seed=1), fakes if make is None else make, **{**given, **more})
    return by_name(Collapse().scores(told))


def by_latent(name: str, spread: float | Tensor = 1.0) -> object:
    return lambda latents: of_class(latents[name].argmax(1), spread, seed=3)


def judged(named: dict[int, int], n: int = 3) -> Reader:
    """A critic that reads from the class of a sample the code that ``named`` gives."""
    latent = LatentSpec.parse(CODED.replace("(3)", f"({n})"))

    class Naming(Reader):
        def forward(self, samples: Tensor, condition: Tensor | None = None) -> object:
            seen = (samples[:, 0] / 10).round().long().clamp(0, 2)
            codes = torch.tensor([named[index] for index in range(3)])[seen]
            return super().forward(torch.cat([torch.zeros(len(samples), 1), one_hot(codes, n).float()], dim=1))

    return Naming(latent.codes)


SAME = {0: 0, 1: 1, 2: 2}


def test_the_data_themselves_are_as_diverse_as_the_data() -> None:
    for latent, name in ((ASKED, "label"), (CODED, "category")):
        score = collapse(make=by_latent(name), latent=latent, critic=judged(SAME))["diversity"]
        assert score.value == pytest.approx(1, abs=0.06)
        assert score.floor == pytest.approx(1, abs=0.06)
        assert score.extractor == "looking"


def test_a_spread_of_a_half_is_a_diversity_of_a_half() -> None:
    score = collapse(make=by_latent("label", 0.5), latent=ASKED)["diversity"]
    assert score.value == pytest.approx(0.5, abs=0.03)


def test_one_picture_a_class_has_no_diversity_though_the_classes_differ() -> None:
    for latent, name in ((ASKED, "label"), (CODED, "category")):
        assert collapse(make=by_latent(name, 0.0), latent=latent, critic=judged(SAME))["diversity"].value == 0


def test_the_floor_is_of_groups_like_those_of_the_score() -> None:
    from ganzoo.evaluation.extractors.values import Values

    # Half as diverse within a label, and nearly as diverse as a whole, which is all that these features can tell.
    test = of_class(CLASSES, 0.5, seed=1)
    given = {"labels": CLASSES, "test_labels": CLASSES, "extractor": Values, "range": (-99.0, 99.0), "samples": 900}
    told = subject(of_class(CLASSES), test, by_latent("label"), latent=ASKED, **given)
    assert by_name(Collapse().scores(told))["diversity"].floor == pytest.approx(0.5, abs=0.03)
    plain = subject(of_class(CLASSES), test, of_class(torch.arange(900) % 3, seed=4), **given)
    assert by_name(Collapse().scores(plain))["diversity"].floor > 0.9


def test_the_least_diverse_class_is_named() -> None:
    spread = torch.tensor([1.0, 0.1, 1.0])
    named = ASKED.replace("(3)", '(3, names=["ant", "bee", "cat"])')
    score = collapse(make=by_latent("label", spread), latent=named)["diversity"]
    assert score.details["least"] == "label bee"
    assert score.details["minimum"] == pytest.approx(0.1, abs=0.02)
    assert set(score.details["groups"]["label"]) == {"ant", "bee", "cat"}
    assert "label bee with 0.10" in score.note


def test_a_code_that_is_two_classes_is_held_against_pairs_of_both() -> None:
    def mixed(latents: Latents) -> Tensor:
        other = torch.arange(len(latents)) % 2
        return of_class(torch.where(latents["category"].argmax(1) == 0, other, 2), seed=3)

    score = collapse(make=mixed, latent=CODED, critic=judged(SAME))["diversity"]
    assert score.details["groups"]["category"]["0"] == pytest.approx(1, abs=0.06)


def test_without_condition_or_code_each_class_that_the_extractor_sees_is_a_group_and_a_missing_one_is_none() -> None:
    two = torch.arange(900) % 2
    score = collapse(of_class(two, seed=4))["diversity"]
    assert score.details["groups"]["class"]["cat"] == 0
    assert score.details["groups"]["class"]["ant"] == pytest.approx(1, abs=0.06)
    assert score.value == pytest.approx(2 / 3, abs=0.04)


def test_without_classes_all_samples_are_one_group() -> None:
    from ganzoo.evaluation.extractors.values import Values

    everything = collapse(of_class(torch.arange(900) % 3, seed=4), extractor=Values)["diversity"]
    assert everything.details["groups"] == {"set": {"all": everything.value}}
    assert everything.value == pytest.approx(1, abs=0.05)
    one = collapse(of_class(torch.zeros(900, dtype=torch.int64), seed=4), extractor=Values)["diversity"]
    assert one.value < 0.3  # type: ignore[operator]
    coded = collapse(make=by_latent("category"), latent=CODED, critic=judged(SAME), extractor=Values)["diversity"]
    assert list(coded.details["groups"]) == ["set"]  # nobody knows what a code stands for


def test_the_ratio_is_that_of_scipys_mean_distances() -> None:
    samples, data = uniform(40, 3), uniform(60, 3, seed=1)
    zeros, ones = torch.zeros(40, dtype=torch.int64), torch.zeros(60, dtype=torch.int64)
    found = relative_diversity(Grouped(samples, zeros, zeros), Grouped(data, ones, ones), [0, 7])
    expected = pdist(samples.numpy()).mean() / pdist(data[:40].numpy()).mean()
    assert found == {0: pytest.approx(expected, rel=1e-5), 7: 0}


def test_kinds_that_the_data_do_not_have_are_left_out() -> None:
    samples, kinds = uniform(40, 3), torch.full((40,), 5)
    nothing = torch.zeros(60, dtype=torch.int64)
    assert relative_diversity(Grouped(samples, kinds, kinds), Grouped(uniform(60, 3), nothing, nothing), [5]) == {}


def test_unused_categories_are_dead() -> None:
    scores = collapse(make=by_latent("category"), latent=CODED, critic=judged(SAME))
    assert scores["dead_codes/category"].value == 0
    assert scores["dead_codes/category"].better == "lower"
    scores = collapse(make=by_latent("category"), latent=CODED, critic=judged({0: 0, 1: 2, 2: 2}))
    assert scores["dead_codes/category"].value == 1
    assert scores["dead_codes/category"].details["dead"] == ["1"]
    assert scores["dead_codes/category"].details["shares"] == {
        "0": pytest.approx(1 / 3),
        "1": 0,
        "2": pytest.approx(2 / 3),
    }


def test_a_category_that_is_one_picture_is_dead_though_it_is_used() -> None:
    spread = torch.tensor([1.0, 1.0, 0.01])
    score = collapse(make=by_latent("category", spread), latent=CODED, critic=judged(SAME))["dead_codes/category"]
    assert score.details["dead"] == ["2"]
    assert score.note == "dead: 2"
    assert score.extractor == "looking" and score.protocol.endswith("or diversity below 0.05")


def test_a_rare_category_is_not_dead() -> None:
    rare = "z: normal(2), category: categorical(3, probs=[0.499, 0.499, 0.002]) code"
    classes = torch.arange(600) % 2
    more = {"labels": classes, "test_labels": classes, "classes": ("ant", "bee", "cat")}
    told = subject(
        of_class(classes), of_class(classes), by_latent("category"), latent=rare, critic=judged(SAME), samples=900,
        extractor=Looking, range=(-99.0, 99.0), **more,
    )  # fmt: skip
    assert by_name(Collapse().scores(told))["dead_codes/category"].details["dead"] == ["2"]  # none at all is too few


def test_without_an_extractor_dead_codes_alone_are_found() -> None:
    scores = collapse(make=by_latent("category"), latent=CODED, critic=judged({0: 0, 1: 2, 2: 2}), extractor=None)
    assert set(scores) == {"dead_codes/category"}
    assert "expected share of 600 test samples (averaged critic, any batch" in scores["dead_codes/category"].protocol
    with pytest.raises(Unavailable, match="no extractor"):
        collapse(of_class(torch.arange(900) % 3), extractor=None)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(Unavailable, match="generated samples, and got 10"):
        collapse(of_class(torch.arange(10) % 3), samples=10)
