"""Sampling: samples, sheets, traversals and interpolations from a trained generator, and their pictures."""
