"""Compiles constraints to token masks (xgrammar), so that output is valid by construction."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import xgrammar

from domainsmith.errors import InputInvalid, OutputInvalid
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.schema_bounds import bounded_schema

__all__ = ["Grammars", "RowGrammar"]

_CACHE_BYTES = 256 << 20
_CACHE_ENTRIES = 256
_MARGIN = 8
_MAX_LITERAL = 48
_WALK = 1024


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A compiled constraint.

    Attributes:
        grammar: xgrammar's compiled form.
        minimum: Tokens of about the shortest valid output.
        reserve: When more tokens than this remain, the end is not yet thought of.
        margin: Tokens by which a real ending may exceed the shortest one.
    """

    grammar: Any
    minimum: int
    reserve: int
    margin: int = 0


class Grammars:
    """Compiles constraints for one tokenizer and remembers the results.

    Args:
        tokenizer: A transformers tokenizer.
        vocabulary: Width of the model's logits (may exceed the tokenizer's vocabulary).
        stop_ids: Tokens that end a completion.
    """

    def __init__(self, tokenizer: Any, vocabulary: int, stop_ids: list[int]) -> None:
        info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=vocabulary, stop_token_ids=stop_ids
        )
        self._compiler = xgrammar.GrammarCompiler(
            info, max_threads=2, cache_enabled=True, cache_limit_bytes=_CACHE_BYTES
        )
        self._encode: Callable[[str], list[int]] = lambda text: tokenizer.encode(
            text, add_special_tokens=False
        )
        self._closers = _closing_tiers(info.decoded_vocab, vocabulary)
        self._compiled: dict[Constraint, _Compiled] = {}
        self._lock = threading.Lock()
        self.vocabulary = vocabulary

    def start(self, constraint: Constraint, max_new_tokens: int) -> RowGrammar:
        """Return a matcher at its beginning.

        Args:
            constraint: What one row must look like.
            max_new_tokens: Of the row; a choice may take more.

        Raises:
            InputInvalid: The schema or pattern cannot be compiled, or not even the shortest
                output that it allows fits into the bound.
        """
        with self._lock:
            compiled = self._compiled.get(constraint)
            if compiled is None:
                compiled = self._compile(constraint)
                if len(self._compiled) >= _CACHE_ENTRIES:
                    self._compiled.pop(next(iter(self._compiled)))
                self._compiled[constraint] = compiled
        if constraint.kind == "choice":
            max_new_tokens = max(max_new_tokens, compiled.minimum)
        if compiled.minimum > max_new_tokens:
            raise InputInvalid(
                f"The shortest output that the constraint allows has about {compiled.minimum} "
                f"tokens, and max_new_tokens is {max_new_tokens}",
                where=str(constraint.body)[:120],
                fix="Raise max_new_tokens or shorten the schema.",
            )
        return self._row(compiled, max_new_tokens)

    def _compile(self, constraint: Constraint) -> _Compiled:
        try:
            if constraint.kind == "choice":
                grammar = self._compiler.compile_grammar(_choice_grammar(constraint.body))
                # A model may spell a choice byte by byte.
                longest = max(len(choice.encode()) for choice in constraint.body)
                return _Compiled(grammar, longest + 1, 0)
            if constraint.kind == "regex":
                return _Compiled(self._compiler.compile_regex(str(constraint.body)), 1, 0)
            schema = bounded_schema(constraint.schema)
            # Free white space would let a weak model write blanks without end.
            grammar = self._compiler.compile_json_schema(json.dumps(schema), any_whitespace=False)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputInvalid(
                f"The {constraint.kind} constraint cannot be compiled: {reason}",
                where=str(constraint.body)[:120],
            ) from error
        margin = _MARGIN + min(_longest_literal(schema), _MAX_LITERAL)
        minimum = self._row(_Compiled(grammar, 1, 0), 1).tokens_to_end()
        return _Compiled(grammar, minimum, minimum + margin, margin)

    def _row(self, compiled: _Compiled, max_new_tokens: int) -> RowGrammar:
        return RowGrammar(compiled, self._closers, self.vocabulary, max_new_tokens, self._encode)


class RowGrammar:
    """Where one row stands in its grammar.

    Attributes:
        max_new_tokens: The row's bound, which a choice may have raised.
    """

    def __init__(
        self,
        compiled: _Compiled,
        closers: torch.Tensor,
        vocabulary: int,
        max_new_tokens: int,
        encode: Callable[[str], list[int]],
    ) -> None:
        self.max_new_tokens = max_new_tokens
        self._encode = encode
        self._compiled = compiled
        self._closers = closers
        self._matcher = xgrammar.GrammarMatcher(compiled.grammar)
        self._bits = xgrammar.allocate_token_bitmask(1, vocabulary)

    def reset(self) -> None:
        """Go back to the beginning."""
        self._matcher.reset()

    def allow(self, logits: torch.Tensor, remaining: int) -> None:
        """Set the logits of forbidden tokens to minus infinity.

        Args:
            logits: Shape (vocabulary), changed in place.
            remaining: Tokens that the row may still take.
        """
        closing = (
            remaining <= self._compiled.reserve
            and remaining <= self.tokens_to_end() + self._compiled.margin
        )
        self._fill(self._matcher, closing=closing)
        xgrammar.apply_token_bitmask_inplace(logits[None, :], self._bits.to(logits.device))

    def accept(self, token: int) -> bool:
        """Take a token over.

        Returns:
            True if the output is complete: only the end could follow.
        """
        if not self._matcher.accept_token(token):
            raise OutputInvalid("A token broke its constraint", where=token)
        if self._matcher.is_terminated():
            return True
        return bool(self._matcher.is_completed()) and self._only_end_follows()

    def forced(self) -> list[int]:
        """Return tokens of the text that must follow, each allowed in its turn; take none over."""
        ahead = self._matcher.fork()
        tokens = []
        for token in self._encode(_forced_text(ahead)):
            if not ahead.accept_token(token):
                break
            tokens.append(token)
        return tokens

    def tokens_to_end(self) -> int:
        """Walk ahead by forced text and closing tokens; return about the tokens it takes."""
        ahead = self._matcher.fork()
        tokens = 0
        while tokens < _WALK and not (ahead.is_completed() or ahead.is_terminated()):
            forced = _forced_text(ahead)
            if forced and ahead.accept_string(forced):
                tokens += len(self._encode(forced))
            else:
                self._fill(ahead, closing=True)
                tokens += 1
                ahead.accept_token(_first_bit(self._bits))
        return tokens

    def _fill(self, matcher: Any, *, closing: bool) -> None:
        matcher.fill_next_token_bitmask(self._bits, 0)
        if not closing:
            return
        forced = self._encode(_forced_text(matcher))
        if forced and _has_bit(self._bits, forced[0]):
            # Left alone, a model may spell forced text letter by letter and miss the end.
            self._bits.zero_()
            _set_bit(self._bits, forced[0])
            return
        in_text = bool(((self._bits[0] & self._closers[0]) == self._closers[0]).all())
        # Within a text, brackets are text too, so only what begins with a quotation mark ends it.
        for tier in self._closers[1:2] if in_text else self._closers[2:]:
            both = self._bits[0] & tier
            if bool(both.any()):
                self._bits[0] = both
                return

    def _only_end_follows(self) -> bool:
        self._matcher.fill_next_token_bitmask(self._bits, 0)
        words = self._bits[0]
        few = words[words != 0]
        if few.numel() > len(self._matcher.stop_token_ids):
            return False
        allowed = sum((int(word) & 0xFFFFFFFF).bit_count() for word in few.tolist())
        return allowed <= len(self._matcher.stop_token_ids)


def _closing_tiers(vocabulary: list[bytes], width: int) -> torch.Tensor:
    """Return bit masks over the vocabulary, shape (5, words).

    Row 0: letters that are all allowed only within a free text. Row 1: tokens that end a text.
    Rows 2 to 4: tokens that lead to the end elsewhere, the surest first.
    """
    wanted = (b"]}", b'"]}', b'", :]}')
    tiers = xgrammar.allocate_token_bitmask(2 + len(wanted), width)
    tiers.zero_()
    for token, text in enumerate(vocabulary[:width]):
        rows = [2 + row for row, those in enumerate(wanted) if text and set(text) <= set(those)]
        if text in (b"a", b"z", b"Q"):
            rows.append(0)
        if text.startswith(b'"') and set(text) <= set(wanted[-1]):
            rows.append(1)
        word, bit = divmod(token, 32)
        for row in rows:
            tiers[row, word] |= _word(bit)
    return tiers


def _forced_text(matcher: Any) -> str:
    try:
        return str(matcher.find_jump_forward_string())
    except UnicodeDecodeError:
        # xgrammar returns bytes as text and fails where they begin within a character.
        return ""


def _word(bit: int) -> int:
    # Words are int32, so bit 31 is the sign.
    return 1 << bit if bit < 31 else -(1 << 31)


def _has_bit(bits: torch.Tensor, token: int) -> bool:
    word, bit = divmod(token, 32)
    return bool(int(bits[0, word]) & 1 << bit)


def _set_bit(bits: torch.Tensor, token: int) -> None:
    word, bit = divmod(token, 32)
    bits[0, word] |= _word(bit)


def _first_bit(bits: torch.Tensor) -> int:
    word = int((bits[0] != 0).nonzero()[0, 0])
    value = int(bits[0, word]) & 0xFFFFFFFF
    return word * 32 + (value & -value).bit_length() - 1


def _longest_literal(schema: Any) -> int:
    """Return the bytes of the longest enum or const value at any level."""
    if isinstance(schema, list):
        return max((_longest_literal(item) for item in schema), default=0)
    if not isinstance(schema, dict):
        return 0
    literals = [*(schema.get("enum") or []), schema.get("const", "")]
    own = max(len(json.dumps(literal, ensure_ascii=False).encode()) for literal in literals)
    return max(own, *(_longest_literal(value) for value in schema.values()), 0)


def _choice_grammar(choices: str | tuple[str, ...]) -> str:
    options = " | ".join(json.dumps(choice, ensure_ascii=True) for choice in choices)
    return f"root ::= {options}"
