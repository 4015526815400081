"""Seed tasks of our own writing: ``en.jsonl`` (100) and ``zh.jsonl`` (75), one task a line."""
