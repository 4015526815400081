"""What changes the model, and what proves the change."""

__all__: list[str] = []
