"""The root of all values: frozen, JSON-serialisable, with an identity made from its content."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Language", "Value", "canonical_json", "content_hash"]

Language = Literal["en", "zh"]


def canonical_json(value: Any) -> str:
    """Serialise plain data so that equal data gives equal text.

    Args:
        value: Anything ``json`` can write. Floats keep Python's shortest form.

    Returns:
        JSON with sorted keys, no spaces and unescaped Unicode.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def content_hash(value: Any) -> str:
    """Hash plain data by content.

    Args:
        value: Anything ``json`` can write, or text, or bytes.

    Returns:
        SHA-256 as 64 hexadecimal digits. Text is hashed as its UTF-8 bytes.
    """
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    text = value if isinstance(value, str) else canonical_json(value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Value(BaseModel):
    """A frozen value with an identity made from its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str] = "value"
    identity_excludes: ClassVar[frozenset[str]] = frozenset()
    """Fields that do not belong to the identity (measurements, wall-clock times)."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of the identity fields."""
        return content_hash(self.model_dump(mode="json", exclude=set(self.identity_excludes)))

    @property
    def id(self) -> str:
        """Kind and the first 16 hexadecimal digits of :attr:`sha256`."""
        return f"{self.kind}_{self.sha256[:16]}"
