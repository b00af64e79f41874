"""The zoo: what plugins implement, how they are loaded, and the catalogue of what is known."""
