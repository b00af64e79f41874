"""What an adversarial model is made of."""
