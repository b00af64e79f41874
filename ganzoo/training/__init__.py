"""The trainer and what it tells."""
