"""Tuning search on a collection's own documents: what it learns from, and what proves it."""
