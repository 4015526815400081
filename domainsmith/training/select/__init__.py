"""Which records to train on: novelty, near-duplicates, coverage, leakage."""
