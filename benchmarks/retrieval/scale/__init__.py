"""Indexing and search at 100,000 passages, against Chroma."""
