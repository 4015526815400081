"""Answers made wrong on purpose: one fact changed, and proven to be wrong."""
