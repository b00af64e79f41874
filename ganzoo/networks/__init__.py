"""Stock networks."""
