"""Short ways from any place of a JSON document to its end, as tokens that the grammar accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from domainsmith.model_io.json_position import JsonPosition
from domainsmith.model_io.shortest_json import ShortTexts
from domainsmith.model_io.token_masks import first_token

__all__ = ["Plan", "Planner", "forced_text"]

_WALK = 512
_MOST_TOKENS = 4096
_CLOSE = ("]", "}", ",", ":", " ")
_LONGEST_TOKEN = 24
# Punctuation first: in a pattern it stands between repetitions, which it thereby ends.
_CHARACTERS = (
    "-/:.@_+#0123456789aefghijklmnopqrstuvwxyzbcdABCDEFGHIJKLMNOPQRSTUVWXYZ ,;!?()[]{}|~*$%&'<=>^`"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A way to the end.

    Attributes:
        data: Bytes still to write.
        tokens: That write them; an end token is the last one where something else could follow.
    """

    data: bytes
    tokens: tuple[int, ...]


class Planner:
    """Finds plans for the grammars of one tokenizer.

    Args:
        texts: Bytes of each token.
        encode: Text to tokens.
        width: Of the model's logits.
    """

    def __init__(
        self, texts: Sequence[bytes], encode: Callable[[str], list[int]], width: int
    ) -> None:
        self._texts = texts
        self._encode = encode
        self._ids: dict[bytes, int] = {}
        for token, text in enumerate(texts[:width]):
            if text and len(text) <= _LONGEST_TOKEN:
                self._ids.setdefault(text, token)
        self._bits = torch.zeros((1, -(-width // 32)), dtype=torch.int32)

    def walk(self, matcher: Any, position: JsonPosition, short: ShortTexts) -> Plan | None:
        """Return a short way to the end, near the shortest one; None if none was found.

        Args:
            matcher: Where the document stands; it is not changed.
            position: The same in terms of JSON.
            short: Texts to try.
        """
        ahead, position = matcher.fork(), position.copy()
        data = bytearray()
        for _ in range(_WALK):
            if ahead.is_completed() or ahead.is_terminated():
                return self._plan(matcher, bytes(data))
            text: str | bytes = forced_text(ahead)
            if not text or not ahead.accept_string(text):
                text = self._next(ahead, position, short)
            piece = text.encode() if isinstance(text, str) else text
            if not piece:
                return None
            data += piece
            position.read(piece)
        return None

    def after(
        self,
        matcher: Any,
        position: JsonPosition,
        short: ShortTexts,
        *,
        before: Plan,
        token: int,
        most: int,
    ) -> Plan | None:
        """Return a plan of at most ``most`` tokens once a token is taken; None if none was found.

        Args:
            matcher: Stands after the token.
            position: Stands before it.
            short: Texts to try.
            before: The plan before it.
            token: What was taken.
            most: Bound of the plan.
        """
        text = self._texts[token]
        if before.tokens[:1] == (token,):
            return Plan(before.data[len(text) :], before.tokens[1:])
        if before.data.startswith(text):
            found = self._plan(matcher, before.data[len(text) :])
        elif len(before.tokens) <= most and _accepts(matcher, before.tokens):
            found = before
        else:
            position = position.copy()
            position.read(text)
            found = self.walk(matcher, position, short)
        return found if found is not None and len(found.tokens) <= most else None

    def longest(self, texts: Iterable[str]) -> int:
        """Return the tokens of the text that takes most of them."""
        longest = sorted(texts, key=lambda text: -len(text.encode()))[:16]
        return max((len(self._encode(text)) for text in longest), default=0)

    def is_end(self, matcher: Any) -> bool:
        """Return whether a completed document can only be ended."""
        matcher.fill_next_token_bitmask(self._bits, 0)
        words = self._bits[0]
        few = words[words != 0]
        ends = len(matcher.stop_token_ids)
        if few.numel() > ends:
            return False
        return sum((int(word) & 0xFFFFFFFF).bit_count() for word in few.tolist()) <= ends

    def _next(self, ahead: Any, position: JsonPosition, short: ShortTexts) -> str | bytes:
        """Take the piece that leads to the end soonest, as far as can be told here."""
        if position.in_text:
            options: Iterable[str] = ('"', *_CHARACTERS)
        else:
            options = (*_CLOSE, *short.keys, *short.values, '"', "-", "{", "[")
        for text in options:
            if ahead.accept_string(text):
                return text
        ahead.fill_next_token_bitmask(self._bits, 0)
        if not bool(self._bits.any()):
            return b""
        token = first_token(self._bits[0])
        ahead.accept_token(token)
        return self._texts[token]

    def _plan(self, matcher: Any, data: bytes) -> Plan | None:
        """Turn bytes that the grammar accepts and that complete it into tokens."""
        # The tokenizer's own tokens are as good and take it much longer.
        tokens = self._cut(data)
        ahead = _ahead(matcher, tokens) if tokens is not None else None
        if ahead is None:
            tokens = self._canonical(data)
            ahead = _ahead(matcher, tokens) if tokens is not None else None
        if ahead is None or tokens is None:
            return None
        # Of JSON only numbers may go on where they could end.
        if data[-1:].isdigit() and not ahead.is_terminated() and not self.is_end(ahead):
            tokens = [*tokens, ahead.stop_token_ids[0]]
        return Plan(data, tuple(tokens))

    def _canonical(self, data: bytes) -> list[int] | None:
        """Return the tokens that the tokenizer itself takes, if they write just these bytes."""
        try:
            tokens = self._encode(data.decode())
        except UnicodeDecodeError:
            return None
        return tokens if b"".join(self._texts[token] for token in tokens) == data else None

    def _cut(self, data: bytes) -> list[int] | None:
        """Cut bytes into the longest tokens, from the left."""
        tokens: list[int] = []
        at = 0
        while at < len(data) and len(tokens) < _MOST_TOKENS:
            for end in range(min(len(data), at + _LONGEST_TOKEN), at, -1):
                token = self._ids.get(data[at:end])
                if token is not None:
                    tokens.append(token)
                    at = end
                    break
            else:
                return None
        return tokens if at == len(data) else None


def forced_text(matcher: Any) -> str:
    """Return the text that must follow."""
    try:
        return str(matcher.find_jump_forward_string())
    except UnicodeDecodeError:
        # xgrammar returns bytes as text and fails where they begin within a character.
        return ""


def _ahead(matcher: Any, tokens: Sequence[int]) -> Any:
    ahead = matcher.fork()
    return ahead if all(ahead.accept_token(token) for token in tokens) else None


def _accepts(matcher: Any, tokens: Sequence[int]) -> bool:
    ahead = _ahead(matcher, tokens)
    return ahead is not None and bool(ahead.is_completed() or ahead.is_terminated())
