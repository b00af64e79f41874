"""Models: four things put together into a game."""
