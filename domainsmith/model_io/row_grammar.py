"""Where one row stands in its grammar, and how it comes to its end within its tokens.

The end is planned. A :class:`~domainsmith.model_io.completion_plan.Plan` is a way to the end whose
tokens the grammar was seen to accept. While more tokens remain than any few decisions can add to
it, rows run freely. Then a token is taken only if a plan that fits was found for what follows it;
the first token of the present plan always is such a one. So a row whose shortest document fits
into its bound also ends within it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import xgrammar

from domainsmith.errors import OutputInvalid
from domainsmith.model_io.completion_plan import Plan, Planner, forced_text
from domainsmith.model_io.json_position import JsonPosition
from domainsmith.model_io.shortest_json import ShortTexts
from domainsmith.model_io.token_masks import ENDS_NUMBER, ENDS_TEXT, PRINTABLE, has_token

__all__ = ["CompiledGrammar", "RowGrammar", "Vocabulary"]

_NUMBER_LIMIT = 20
_CANDIDATES = 4
_NOTHING = ShortTexts((), (), ())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What all rows of a tokenizer share.

    Attributes:
        texts: Bytes of each token.
        masks: Of :func:`domainsmith.model_io.token_masks.vocabulary_masks`.
        encode: Text to tokens.
        planner: Finds ends.
    """

    texts: Sequence[bytes]
    masks: torch.Tensor
    encode: Callable[[str], list[int]]
    planner: Planner


@dataclass(frozen=True, slots=True)
class CompiledGrammar:
    """A compiled constraint.

    Attributes:
        grammar: xgrammar's compiled form.
        minimum: Tokens of the shortest valid output, as far as it is known.
        plan: The shortest output; None where the output is not JSON.
        step: Tokens that a single decision may add to a plan.
        text_limit: Characters after which a text is ended wherever it may end; 0 for never, and
            where the output is not JSON.
        short: Texts that end a document soon.
    """

    grammar: Any
    minimum: int
    plan: Plan | None = None
    step: int = 0
    text_limit: int = 0
    short: ShortTexts = _NOTHING


class RowGrammar:
    """Where one row stands in its grammar.

    Attributes:
        max_new_tokens: The row's bound, which a choice may have raised.
    """

    def __init__(
        self, compiled: CompiledGrammar, vocabulary: Vocabulary, max_new_tokens: int
    ) -> None:
        self.max_new_tokens = max_new_tokens
        self._compiled = compiled
        self._vocabulary = vocabulary
        self._matcher = xgrammar.GrammarMatcher(compiled.grammar)
        self._bits = torch.zeros((1, vocabulary.masks.shape[1]), dtype=torch.int32)
        self._position = JsonPosition()
        self._tried: int | None = None
        self._plan: Plan | None = None
        self._plans: dict[int, Plan] = {}
        self._is_bound = False
        self._next_look = max_new_tokens
        self._begin()

    def reset(self) -> None:
        """Go back to the beginning."""
        self._matcher.reset()
        self._begin()

    def allow(self, logits: torch.Tensor, remaining: int, *, greedy: bool = False) -> None:
        """Set the logits of forbidden tokens to minus infinity.

        Args:
            logits: Shape (vocabulary), changed in place.
            remaining: Tokens that the row may still take.
            greedy: Whether the most likely allowed token will be taken. If the most likely of all
                is allowed, the logits are left alone: most masks need not be computed then.
        """
        self._untry()
        plan = self._binding_plan(remaining)
        long = self._is_long()
        if greedy and not long and self._take_short_cut(int(logits.argmax())):
            if plan is None or self._leads_to_end(int(self._tried or 0), plan, remaining):
                return
            self._untry()
        self._matcher.fill_next_token_bitmask(self._bits, 0)
        if self._compiled.text_limit:
            # xgrammar lets control characters into strings with a maxLength; JSON forbids them.
            self._bits[0] &= self._vocabulary.masks[PRINTABLE]
        if long:
            wanted = ENDS_TEXT if self._position.in_text else ENDS_NUMBER
            both = self._bits[0] & self._vocabulary.masks[wanted]
            if bool(both.any()):
                self._bits[0] = both
        xgrammar.apply_token_bitmask_inplace(logits[None, :], self._bits.to(logits.device))
        if plan is not None:
            self._keep_the_way(logits, plan, remaining, 1 if greedy else _CANDIDATES)

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
        plan = self._plan
        if plan is not None and plan.tokens[:1] == (token,):
            written = len(self._vocabulary.texts[token])
            self._plan = Plan(plan.data[written:], plan.tokens[1:])
        else:
            self._plan = self._plans.get(token)
        self._plans = {}
        if self._compiled.text_limit:
            self._position.read(self._vocabulary.texts[token])
        if self._matcher.is_terminated():
            return True
        return bool(self._matcher.is_completed()) and self._vocabulary.planner.is_end(self._matcher)

    def forced(self) -> list[int]:
        """Return tokens of the text that must follow, each allowed in its turn; take none over."""
        self._untry()
        text = forced_text(self._matcher)
        if not text:
            return []
        if self._is_bound and self._plan is not None:
            return self._planned(text.encode(), self._plan)
        # A blank before a free word belongs to the word's token: written as a token of its own, it
        # leads to words that the model would never write.
        text = text.rstrip(" ")
        ahead = self._matcher.fork()
        tokens = []
        for token in self._vocabulary.encode(text):
            if not ahead.accept_token(token):
                break
            tokens.append(token)
        return tokens

    def _begin(self) -> None:
        self._position = JsonPosition()
        self._tried = None
        self._plan = self._compiled.plan
        self._plans = {}
        self._is_bound = False
        self._next_look = self.max_new_tokens
        if self._plan is not None:
            self._binding_plan(self.max_new_tokens)

    def _binding_plan(self, remaining: int) -> Plan | None:
        """Return the plan that must be kept to; None while there are tokens to spare."""
        if self._compiled.plan is None or (not self._is_bound and remaining > self._next_look):
            return None
        if self._plan is None:
            self._plan = self._vocabulary.planner.walk(
                self._matcher, self._position, self._compiled.short
            )
        if self._plan is None:
            return None
        free = (remaining - len(self._plan.tokens)) // (self._compiled.step + 1)
        self._is_bound = free < 1
        self._next_look = remaining - free
        return self._plan if self._is_bound else None

    def _leads_to_end(self, token: int, plan: Plan, remaining: int) -> bool:
        """Return whether the end is in reach after the token just tried; remember the way."""
        found = self._vocabulary.planner.after(
            self._matcher,
            self._position,
            self._compiled.short,
            before=plan,
            token=token,
            most=remaining - 1,
        )
        if found is not None:
            self._plans[token] = found
        return found is not None

    def _keep_the_way(self, logits: torch.Tensor, plan: Plan, remaining: int, wanted: int) -> None:
        """Forbid all but a few likely tokens after which the end is in reach."""
        likely = logits.topk(min(_CANDIDATES, logits.numel()))
        kept: list[int] = []
        for value, token in zip(likely.values.tolist(), likely.indices.tolist(), strict=True):
            if value == float("-inf") or len(kept) == wanted:
                break
            if token == plan.tokens[0]:
                kept.append(token)
            elif self._try(token):
                if self._leads_to_end(token, plan, remaining):
                    kept.append(token)
                self._untry()
        kept = kept or [plan.tokens[0]]
        values = logits[kept].nan_to_num(neginf=0.0)
        logits.fill_(float("-inf"))
        logits[kept] = values

    def _planned(self, forced: bytes, plan: Plan) -> list[int]:
        """Return the tokens of a plan that lie within the text that must follow."""
        tokens = []
        for token in plan.tokens:
            text = self._vocabulary.texts[token]
            if not text or not forced.startswith(text):
                break
            tokens.append(token)
            forced = forced[len(text) :]
        return tokens

    def _take_short_cut(self, token: int) -> bool:
        """Try the most likely token of all before any mask is computed."""
        return self._try(token)

    def _try(self, token: int) -> bool:
        """Take a token that is most likely wanted; :meth:`_untry` takes it back."""
        masks = self._vocabulary.masks
        if self._compiled.text_limit and not has_token(masks[PRINTABLE], token):
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
