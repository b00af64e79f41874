import re

import pytest
import torch

from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.runs.names import FILE, CategoryNames, Names, write_names
from ganzoo.sampling import sampler as sampler_module
from ganzoo.sampling.sampler import Sampler
from ganzoo.sampling.traversal import MOST_CLASSES, row_classes

NAMES = CategoryNames(names=("3", "1", "unknown 1", "0"), classes=(2, 1, None, 0))
CODES = LatentSpec.parse("z: normal(3), category: categorical(4) code, style: uniform(2) code")
ORDER = {"category": (3, 1, 0, 2)}


@pytest.fixture
def named(run, zoo) -> Sampler:
    write_names(run, Names(variables={"category": NAMES}))
    return Sampler(run, zoo)


def test_a_name_means_its_category_whatever_number_it_looks_like(named):
    for name, index in [("3", 0), ("1", 1), ("unknown 1", 2), ("0", 3)]:
        assert torch.equal(named.sample(3, given={"category": name}), named.sample(3, given={"category": index}))
    with pytest.raises(UsageError, match="one of the names 3, 1, unknown 1, 0, not '2'"):
        named.sample(3, given={"category": "2"})


def test_names_change_no_sample(run, zoo):
    plain = Sampler(run, zoo)
    write_names(run, Names(variables={"category": NAMES}))
    named = Sampler(run, zoo)
    assert torch.equal(plain.sample(9, seed=4), named.sample(9, seed=4))
    assert plain.latent["category"].names is None and named.latent["category"].names == NAMES.names


def test_rows_of_a_sheet_are_in_the_order_of_the_classes(named, monkeypatch):
    seen = {}

    def grid(samples, data, columns, labels):
        seen.update(samples=samples, columns=columns, labels=labels)

    monkeypatch.setattr(sampler_module, "grid", grid)
    named.sheet(8, seed=1, given={"label": 0})
    assert seen["labels"] == ("0", "1", "3", "unknown 1") and seen["columns"] == 2
    expected = named.sample(8, 1, given={"label": 0, "category": [3, 3, 1, 1, 0, 0, 2, 2]})
    assert torch.equal(seen["samples"], expected)


def test_a_category_is_traversed_in_the_order_of_its_classes(named):
    (made,) = named.traverse("category", steps=3)
    assert made.row_labels == ("0", "1", "3", "unknown 1")
    latents = named.latent.sample(3, 0)
    for row, index in enumerate((3, 1, 0, 2)):
        given = named.latent.sample(3, 0, given={"category": index})
        assert torch.equal(made.samples[row], named.generate(given))
    assert torch.equal(latents["z"], given["z"])


def test_other_codes_are_traversed_with_those_rows(echo):
    sampler = echo(CODES)
    sampler.order = ORDER
    (made,) = sampler.traverse("style", 0, steps=2)
    assert made.samples[:, 0, CODES.columns("category")].argmax(1).tolist() == [3, 1, 0, 2]
    assert made.row_labels == ("3", "1", "0", "2")


def test_of_many_classes_the_first_in_order_are_shown():
    latent = LatentSpec.parse("c: categorical(60) code")
    name, labels = row_classes(latent, {}, {"c": range(59, -1, -1)})
    assert name == "c" and list(labels) == list(range(59, 59 - MOST_CLASSES, -1)) and labels[59] == "59"


def test_damaged_names_are_said_to_be_in_one_sentence(run, zoo):
    (run.path / FILE).write_text("{")
    with pytest.raises(RunError, match="is damaged") as caught:
        Sampler(run, zoo)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("variable", ["category", "kind", "z"])
def test_names_of_another_latent_space_are_said_to_be(run, zoo, variable):
    write_names(run, Names(variables={variable: CategoryNames(names=("a", "b"), classes=(0, 1))}))
    with pytest.raises(RunError, match=re.escape(str(run.path / FILE)) + " does not fit the run") as caught:
        Sampler(run, zoo)
    assert "\n" not in str(caught.value)
