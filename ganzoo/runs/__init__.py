"""Runs: what is asked of one, the directory it fills, and the checkpoints it can be continued from."""
