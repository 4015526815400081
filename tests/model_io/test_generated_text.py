"""Generated tokens as text."""

from __future__ import annotations

from domainsmith.model_io.engine import Engine
from domainsmith.model_io.generated_text import certain_text, generated_text


def test_a_character_that_the_limit_cut_is_left_out(engine: Engine) -> None:
    tokens = engine.tokenizer.encode("潭影", add_special_tokens=False)
    assert len(tokens) > 2
    assert "\ufffd" in engine.tokenizer.decode(tokens[:-1])
    assert generated_text(engine.tokenizer, tokens, ()) == "潭影"
    assert generated_text(engine.tokenizer, tokens[:-1], ()) == "潭"
    assert certain_text(engine.tokenizer, tokens[:-1], ()) == "潭"
