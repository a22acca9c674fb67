"""Ways to learn the public address."""
