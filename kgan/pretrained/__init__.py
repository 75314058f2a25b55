"""Networks that were trained elsewhere: their weights, read from packages, and their tables."""
