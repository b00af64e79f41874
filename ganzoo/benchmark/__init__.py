"""How fast training is: rates, ceilings, profiles, and the textbook's way beside ganzoo's."""
