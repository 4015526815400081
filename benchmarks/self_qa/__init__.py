"""Validated question-answer pairs for a CPU-second."""
