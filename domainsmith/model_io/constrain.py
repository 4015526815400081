"""Compiles constraints to token masks (xgrammar), so that output is valid by construction."""

from __future__ import annotations

import json
import threading
from typing import Any

import xgrammar

from domainsmith.errors import InputInvalid
from domainsmith.model_io.completion_plan import Planner
from domainsmith.model_io.generation import Constraint
from domainsmith.model_io.json_position import JsonPosition
from domainsmith.model_io.row_grammar import CompiledGrammar, RowGrammar, Vocabulary
from domainsmith.model_io.schema_bounds import bounded_schema, text_limit
from domainsmith.model_io.schema_check import check_schema
from domainsmith.model_io.shortest_json import short_texts
from domainsmith.model_io.text_spans import span_rules, take_spans
from domainsmith.model_io.token_masks import vocabulary_masks

__all__ = ["Grammars", "RowGrammar"]

_CACHE_BYTES = 256 << 20
_CACHE_ENTRIES = 256
_SPARE_STEPS = 2


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

        def encode(text: str) -> list[int]:
            tokens: list[int] = tokenizer.encode(text, add_special_tokens=False)
            return tokens

        texts: list[bytes] = info.decoded_vocab
        self._shared = Vocabulary(
            texts, vocabulary_masks(texts, vocabulary), encode, Planner(texts, encode, vocabulary)
        )
        self._compiled: dict[Constraint, CompiledGrammar] = {}
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
        missing = compiled.minimum - max_new_tokens
        if missing > 0:
            raise InputInvalid(
                f"The shortest output that the constraint allows has {compiled.minimum} tokens, "
                f"and max_new_tokens is {max_new_tokens}: {missing} too few",
                where=str(constraint.body)[:120],
                fix="Raise max_new_tokens or shorten the schema.",
            )
        return RowGrammar(compiled, self._shared, max_new_tokens)

    def _compile(self, constraint: Constraint) -> CompiledGrammar:
        try:
            if constraint.kind == "choice":
                grammar = self._compiler.compile_grammar(_choice_grammar(constraint.body))
                # A model may spell a choice byte by byte.
                longest = max(len(choice.encode()) for choice in constraint.body)
                return CompiledGrammar(grammar, longest + 1)
            if constraint.kind == "regex":
                return CompiledGrammar(self._compiler.compile_regex(str(constraint.body)), 1)
            check_schema(constraint.schema)
            return self._compile_json(constraint.schema)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputInvalid(
                f"The {constraint.kind} constraint cannot be compiled: {reason}",
                where=str(constraint.body)[:120],
            ) from error

    def _compile_json(self, schema: dict[str, Any]) -> CompiledGrammar:
        bounded = bounded_schema(schema)
        texts: list[str] = []
        grammar = self._compile_schema(take_spans(bounded, texts), texts)
        short = short_texts(bounded)
        planner = self._shared.planner
        plan = planner.walk(xgrammar.GrammarMatcher(grammar), JsonPosition(), short)
        if plan is None:
            raise ValueError("no end of it was found")
        step = planner.longest(short.steps) + _SPARE_STEPS
        return CompiledGrammar(grammar, len(plan.tokens), plan, step, text_limit(schema), short)

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


def _choice_grammar(choices: str | tuple[str, ...]) -> str:
    options = " | ".join(json.dumps(choice, ensure_ascii=True) for choice in choices)
    return f"root ::= {options}"
