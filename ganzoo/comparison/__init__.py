"""Comparisons: one protocol for several models, the table that comes of it, and its report."""
