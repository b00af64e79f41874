import torch
from helpers import tiny_data
from subjects import uniform

from ganzoo.evaluation.extractors.values import Values


def test_features_are_the_values():
    samples = uniform(5, 1, 4, 4)
    features, logits = Values(tiny_data())(samples)
    assert torch.equal(features, samples.reshape(5, 16)) and logits is None


def test_it_is_the_default_of_what_is_no_picture():
    assert Values.is_default_for(tiny_data((2,), drawn_as="points"))
    assert Values.is_default_for(tiny_data((8, 8)))
    assert not Values.is_default_for(tiny_data())
