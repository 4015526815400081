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
from domainsmith.model_io.json_position import JsonPosition
from domainsmith.model_io.schema_bounds import bounded_schema, text_limit
from domainsmith.model_io.schema_check import check_schema
from domainsmith.model_io.text_spans import span_rules, take_spans

__all__ = ["Grammars", "RowGrammar"]

_CACHE_BYTES = 256 << 20
_CACHE_ENTRIES = 256
_MARGIN = 8
_MAX_LITERAL = 48
_WALK = 1024
_HURRY = 2
_NUMBER_LIMIT = 20
_CLOSE_TEXT = ('"',)
_CLOSE = ("]", "}", '"', ",", ":", " ")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A compiled constraint.

    Attributes:
        grammar: xgrammar's compiled form.
        minimum: Tokens of about the shortest valid output.
        reserve: When more tokens than this remain, the end is not yet thought of.
        margin: Tokens by which a real ending may exceed the shortest one.
        text_limit: Characters after which a text is ended wherever it may end; 0 for never, and
            where the output is not JSON.
    """

    grammar: Any
    minimum: int
    reserve: int
    margin: int = 0
    text_limit: int = 0


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
        self._texts: list[bytes] = info.decoded_vocab
        self._closers = _closing_tiers(self._texts, vocabulary)
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
            check_schema(constraint.schema)
            texts: list[str] = []
            schema = bounded_schema(take_spans(constraint.schema, texts))
            grammar = self._compile_schema(schema, texts)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputInvalid(
                f"The {constraint.kind} constraint cannot be compiled: {reason}",
                where=str(constraint.body)[:120],
            ) from error
        margin = _MARGIN + min(_longest_literal(schema), _MAX_LITERAL)
        minimum = self._row(_Compiled(grammar, 1, 0, 0, 1), 1).tokens_to_end()
        limit = text_limit(constraint.schema)
        return _Compiled(grammar, minimum, minimum + margin, margin, limit)

    def _compile_schema(self, schema: Any, texts: list[str]) -> Any:
        # Free white space would let a weak model write blanks without end.
        if not texts:
            return self._compiler.compile_json_schema(json.dumps(schema), any_whitespace=False)
        rules = str(xgrammar.Grammar.from_json_schema(json.dumps(schema), any_whitespace=False))
        for number, text in enumerate(texts):
            pattern = f'Regex("^SPAN-{number}-$", json_string=true)'
            rules = rules.replace(pattern, f"span_{number}")
            rules += f"\n{span_rules(text, f'span_{number}')}\n"
        return self._compiler.compile_grammar(rules)

    def _row(self, compiled: _Compiled, max_new_tokens: int) -> RowGrammar:
        return RowGrammar(compiled, self._closers, self._texts, max_new_tokens, self._encode)


class RowGrammar:
    """Where one row stands in its grammar.

    Attributes:
        max_new_tokens: The row's bound, which a choice may have raised.
    """

    def __init__(
        self,
        compiled: _Compiled,
        closers: torch.Tensor,
        texts: list[bytes],
        max_new_tokens: int,
        encode: Callable[[str], list[int]],
    ) -> None:
        self.max_new_tokens = max_new_tokens
        self._encode = encode
        self._compiled = compiled
        self._closers = closers
        self._texts = texts
        self._matcher = xgrammar.GrammarMatcher(compiled.grammar)
        self._position = JsonPosition()
        self._tried: int | None = None
        self._bits = torch.zeros((1, closers.shape[1]), dtype=closers.dtype)

    def reset(self) -> None:
        """Go back to the beginning."""
        self._matcher.reset()
        self._position = JsonPosition()
        self._tried = None

    def allow(self, logits: torch.Tensor, remaining: int, *, greedy: bool = False) -> None:
        """Set the logits of forbidden tokens to minus infinity.

        Args:
            logits: Shape (vocabulary), changed in place.
            remaining: Tokens that the row may still take.
            greedy: Whether the most likely allowed token will be taken. If the most likely of all
                is allowed, the logits are left alone: most masks need not be computed then.
        """
        self._untry()
        spare = remaining
        if remaining <= self._compiled.reserve:
            spare = remaining - self.tokens_to_end()
        closing = remaining <= self._compiled.reserve and spare <= self._compiled.margin
        if greedy and not closing and not self._is_long() and self._try(int(logits.argmax())):
            return
        self._fill(closing=closing, hurry=spare <= _HURRY)
        if not closing and self._is_long():
            self._keep(self._closers[0 if self._position.in_text else -2])
        xgrammar.apply_token_bitmask_inplace(logits[None, :], self._bits.to(logits.device))

    def accept(self, token: int) -> bool:
        """Take a token over.

        Returns:
            True if the output is complete: only the end could follow.
        """
        if token == self._tried:
            self._tried = None
        else:
            self._untry()
            if not self._matcher.accept_token(token):
                raise OutputInvalid("A token broke its constraint", where=token)
        if self._compiled.text_limit:
            self._position.read(self._texts[token])
        if self._matcher.is_terminated():
            return True
        return bool(self._matcher.is_completed()) and self._only_end_follows()

    def forced(self) -> list[int]:
        """Return tokens of the text that must follow, each allowed in its turn; take none over."""
        self._untry()
        ahead = self._matcher.fork()
        tokens = []
        for token in self._encode(_forced_text(ahead)):
            if not ahead.accept_token(token):
                break
            tokens.append(token)
        return tokens

    def tokens_to_end(self) -> int:
        """Walk ahead by forced text and closing tokens; return about the tokens it takes."""
        self._untry()
        ahead, position = self._matcher.fork(), self._position.copy()
        tokens = 0
        while tokens < _WALK and not (ahead.is_completed() or ahead.is_terminated()):
            forced = _forced_text(ahead)
            if forced and ahead.accept_string(forced):
                tokens += len(self._encode(forced))
                position.read(forced.encode())
                continue
            tokens += 1
            ends = _CLOSE_TEXT if position.in_text else _CLOSE
            taken = next((text for text in ends if ahead.accept_string(text)), None)
            if taken is None:
                ahead.fill_next_token_bitmask(self._bits, 0)
                if self._compiled.text_limit:
                    self._bits[0] &= self._closers[-1]
                token = _first_bit(self._bits)
                ahead.accept_token(token)
                position.read(self._texts[token])
            else:
                position.read(taken.encode())
        return tokens

    def _try(self, token: int) -> bool:
        """Take a token that is most likely wanted; :meth:`_untry` takes it back."""
        if self._compiled.text_limit and not _has_bit(self._closers[-1:], token):
            return False
        if self._matcher.accept_token(token):
            self._tried = token
            return True
        return False

    def _untry(self) -> None:
        if self._tried is not None:
            self._matcher.rollback(1)
            self._tried = None

    def _is_long(self) -> bool:
        limit = self._compiled.text_limit
        return limit > 0 and self._position.length >= (
            limit if self._position.in_text else _NUMBER_LIMIT
        )

    def _keep(self, wanted: torch.Tensor) -> bool:
        """Forbid all but the wanted tokens, if any of them is allowed."""
        both = self._bits[0] & wanted
        if bool(both.any()):
            self._bits[0] = both
            return True
        return False

    def _fill(self, *, closing: bool, hurry: bool) -> None:
        """Compute the mask.

        Args:
            closing: Allow only what leads to the end, where that is known.
            hurry: Elsewhere take the very way that :meth:`tokens_to_end` took.
        """
        self._matcher.fill_next_token_bitmask(self._bits, 0)
        if self._compiled.text_limit:
            # xgrammar lets control characters into strings with a maxLength; JSON forbids them.
            self._bits[0] &= self._closers[-1]
        if not closing:
            return
        forced = self._encode(_forced_text(self._matcher))
        if forced and _has_bit(self._bits, forced[0]):
            # Left alone, a model may spell forced text letter by letter and miss the end.
            self._only(forced[0])
            return
        # Within a text, brackets are text too, so only what begins with a quotation mark ends it.
        tiers = self._closers[:1] if self._position.in_text else self._closers[1:-1]
        if not any(self._keep(tier) for tier in tiers) and hurry:
            self._only(_first_bit(self._bits))

    def _only(self, token: int) -> None:
        self._bits.zero_()
        _set_bit(self._bits, token)

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

    Row 0: tokens that end a text. Rows 1 to 3: tokens that lead to the end elsewhere, the surest
    first. Row 4: tokens without control characters, which JSON must not have.
    """
    wanted = (b"]}", b'"]}', b'", :]}')
    tiers = xgrammar.allocate_token_bitmask(2 + len(wanted), width)
    tiers.zero_()
    for token, text in enumerate(vocabulary[:width]):
        rows = [1 + row for row, those in enumerate(wanted) if text and set(text) <= set(those)]
        if text.startswith(b'"') and set(text) <= set(wanted[-1]):
            rows.append(0)
        if min(text, default=32) >= 32:
            rows.append(4)
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
