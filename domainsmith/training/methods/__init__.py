"""Training methods, one file each. These modules are heavy: import them only to train."""

__all__: list[str] = []
