"""The durable core: files that are whole or absent, and the database that is the truth.

Everything above it can be rebuilt from what is kept here. Import the modules by name;
none of them loads a heavy library.
"""

from __future__ import annotations

__all__: list[str] = []
