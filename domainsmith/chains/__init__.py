"""Chains: steps that we order, on models, passages and records."""
