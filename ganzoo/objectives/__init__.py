"""Losses as named, weighted terms."""
