"""The kit's strategies, and those of its parts that only our own tests need."""

from ganzoo.testing.strategies import data_specs, identifiers, latent_specs, seeds, values, variables

__all__ = ["data_specs", "identifiers", "latent_specs", "seeds", "values", "variables"]
