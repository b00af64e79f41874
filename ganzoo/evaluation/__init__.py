"""Scores of a trained run: metrics and feature extractors, each a plugin."""
