from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from domainsmith.chains.answer import answer_many, build_answer_chain
from domainsmith.chains.condense import standalone_question
from domainsmith.chains.statements import passage_sentences
from domainsmith.data_connection.index import Index
from domainsmith.data_connection.sources import add_folder
from domainsmith.errors import InputInvalid
from domainsmith.model_io.generation import Completion, GenerationRequest
from domainsmith.model_io.messages import is_refusal, refusal_text
from domainsmith.storage.documents import passage
from domainsmith.storage.lineage import ancestors, artifact
from domainsmith.workspace import Workspace

if TYPE_CHECKING:
    from domainsmith.model_io.embed import LocalEmbedder
    from domainsmith.model_io.engine import Engine

MANUAL = """# Brill Kettle Manual

## 1 Heating

The Brill kettle boils 1.7 litres of water in 4 minutes. The heater has 2200 W.

## 2 Descaling

Use 60 ml of vinegar to descale the kettle. Let it stand for 25 minutes.

## 3 Error codes

| code | cause | remedy |
| --- | --- | --- |
| BK-11 | The lid is open. | Close the lid. |
| BK-12 | The kettle is empty. | Fill in water. |
"""
CHINESE = "# 布里水壶说明书\n\n## 除垢\n\n用六十毫升白醋给水壶除垢。静置二十五分钟。\n"


class Scripted:
    """A generator that says what it is told, and notes how it was asked."""

    model_name = "scripted"
    context_length = 2048

    def __init__(self, *replies: str) -> None:
        self.replies = replies
        self.calls: list[list[GenerationRequest]] = []

    def render(self, messages: Sequence[Any], *, add_generation_prompt: bool = True) -> str:
        return "\n".join(message.content for message in messages)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, requests: Sequence[GenerationRequest], **_: object) -> Iterator[Completion]:
        self.calls.append(list(requests))
        for index in reversed(range(len(requests))):
            text = self.replies[min(index, len(self.replies) - 1)]
            yield Completion(index, text, 1, 1, "stop")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder):
    root = tmp_path_factory.mktemp("answer")
    (root / "docs").mkdir()
    (root / "docs" / "manual.md").write_text(MANUAL, encoding="utf-8")
    (root / "docs" / "说明书.md").write_text(CHINESE, encoding="utf-8")
    with Workspace.create(root / ".domainsmith") as workspace:
        add_folder(workspace, root / "docs", embedder=embedder)
        with Index.open(workspace, embedder) as index:
            yield workspace, index, embedder


def _chain(place: Any, chat: Any, **options: Any) -> Any:
    workspace, index, embedder = place
    return build_answer_chain(workspace, index, embedder, chat, **options)


def test_a_supported_answer_is_kept_and_cited(place: Any) -> None:
    chat = Scripted("Use 60 ml of vinegar [7].")

    answer = _chain(place, chat).invoke("How much vinegar is needed to descale the kettle?")

    assert answer.method == "generated"
    assert answer.text == "Use 60 ml of vinegar. [1]"
    (citation,) = answer.citations
    assert citation.quote == "Use 60 ml of vinegar to descale the kettle."
    assert citation.document_path == "manual.md"
    assert citation.support == 1.0
    assert citation.quote in passage(place[0].db, citation.passage_id).text


@pytest.mark.parametrize(
    "babble",
    [
        "Use 75 ml of vinegar to descale the kettle.",  # a number of its own
        "The kettle boils 1.7 litres of water in 4 minutes.",  # true, and no answer
        "I love kettles from Sweden and Norway.",
        "How much vinegar is needed to descale the kettle?",
        "",
    ],
)
def test_unsupported_words_are_replaced_by_the_best_sentence(place: Any, babble: str) -> None:
    question = "How much vinegar is needed to descale the kettle?"

    answer = _chain(place, Scripted(babble)).invoke(question)

    assert answer.method == "extracted"
    assert answer.text == "Use 60 ml of vinegar to descale the kettle. [1]"
    assert answer.trace["extracted"] == 1
    assert answer.trace["unsupported_text"] == babble


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Who won the football world cup in 1998?", "en"),
        ("What does error BK-77 mean?", "en"),
        ("明天马德里的天气怎么样？", "zh"),
    ],
)
def test_what_the_documents_do_not_hold_is_refused(
    place: Any, question: str, language: Any
) -> None:
    chat = Scripted("Something")

    answer = _chain(place, chat).invoke(question)

    assert answer.refused
    assert answer.method == "refused"
    assert answer.text == refusal_text(language)
    assert answer.citations == ()
    assert answer.nearest
    assert chat.calls == []


def test_a_table_row_is_quoted_verbatim_and_answered_readably(place: Any) -> None:
    answer = _chain(place, Scripted("")).invoke("What is the cause of error BK-12?")

    assert answer.text == "code: BK-12; cause: The kettle is empty.; remedy: Fill in water. [1]"
    assert answer.citations[0].quote == "| BK-12 | The kettle is empty. | Fill in water. |"


def test_chinese_questions_rest_on_words(place: Any) -> None:
    answer = _chain(place, Scripted("")).invoke("给水壶除垢要用多少白醋？")

    assert answer.text == "用六十毫升白醋给水壶除垢。 [1]"
    assert answer.language == "zh"


def test_a_batch_is_one_call_of_the_model(place: Any) -> None:
    chat = Scripted(
        "Use 60 ml of vinegar.", "The Brill kettle boils 1.7 litres of water in 4 minutes."
    )
    questions = [
        "How much vinegar is needed to descale the kettle?",
        "Who won the football world cup in 1998?",
        "How many litres of water does the kettle boil?",
    ]

    answers = _chain(place, chat).batch(questions)

    assert [len(call) for call in chat.calls] == [2]
    assert [answer.question for answer in answers] == questions
    assert [answer.refused for answer in answers] == [False, True, False]
    assert answers[2].text == "The Brill kettle boils 1.7 litres of water in 4 minutes. [1]"


def test_lineage_leads_to_the_cited_passage_and_the_adapter(place: Any) -> None:
    chain = _chain(place, Scripted("Use 60 ml of vinegar."), adapter_id="adapter_0")
    answer = chain.invoke("How much vinegar is needed to descale the kettle?")

    db = place[0].db
    assert artifact(db, answer.id).payload["text"] == answer.text
    parents = {edge.parent for edge in ancestors(db, answer.id)}
    assert {answer.citations[0].passage_id, "adapter_0"} <= parents
    assert passage(db, answer.citations[0].passage_id).document_id in parents


def test_beyond_the_documents_only_when_allowed(place: Any) -> None:
    chain = _chain(place, Scripted("France."), documents_only=False)

    answer = chain.invoke("Who won the football world cup in 1998?")

    assert (answer.text, answer.refused, answer.citations) == ("France.", False, ())
    assert answer.trace["grounded"] is False


def test_a_follow_up_is_searched_with_its_history(place: Any) -> None:
    history = [("How do I descale the Brill kettle?", "Use vinegar.")]

    answer = _chain(place, Scripted("")).invoke(
        {"question": "And how long must it stand?", "history": history}
    )

    assert answer.question == "And how long must it stand?"
    assert answer.text == "Let it stand for 25 minutes. [1]"
    assert standalone_question("How many litres does the kettle boil?", history) == (
        "How many litres does the kettle boil?"
    )


def test_a_rewriting_that_invents_is_not_taken() -> None:
    history = [("How do I descale the Brill kettle?", "Use vinegar.")]
    for reply, taken in [
        ("How much vinegar for the kettle?", True),
        ("Is it made in Peru?", False),
    ]:
        found = standalone_question("How much for it?", history, generator=Scripted(reply))
        assert (found == reply) is taken


def test_evaluation_can_see_the_model_without_the_code_around_it(place: Any) -> None:
    _, index, embedder = place
    questions = ["How many litres of water does the kettle boil?", "Who won the world cup in 1998?"]
    chat = Scripted("Nonsense.", refusal_text("en"))
    parts = {"index": index, "embedder": embedder, "chat": chat}

    raw = answer_many(questions, gate=False, fallback=False, **parts)
    whole = answer_many(questions, **parts)

    assert [(reply.text, reply.refused) for reply in raw] == [
        ("Nonsense.", False),
        (refusal_text("en"), True),
    ]
    assert (whole[0].text, whole[0].method) == (
        "The Brill kettle boils 1.7 litres of water in 4 minutes.",
        "extracted",
    )
    assert whole[1].refused


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "empty"),
        (3, "no int"),
        (b"What is the limit?", "no bytes"),
        (["What is the limit?"], "no list"),
        ({"question": 3}, "no int"),
        ({"question": "Why?", "history": "earlier"}, "history"),
        ({"question": "Why?", "history": [("only one",)]}, "history"),
        ("x" * 100_000, "100000 characters"),
    ],
)
def test_what_is_no_question_is_said(place: Any, given: Any, said: str) -> None:
    with pytest.raises(InputInvalid, match=said):
        _chain(place, Scripted("")).invoke(given)


def test_one_bad_question_of_a_batch_costs_no_other(place: Any) -> None:
    chain = _chain(place, Scripted("", ""))
    first, bad, last = chain.batch(
        ["What is the chemical symbol of gold?", None, "Who wrote Hamlet?"],
        return_exceptions=True,
    )
    assert isinstance(bad, InputInvalid)
    assert first.question.startswith("What is the chemical")
    assert last.question.startswith("Who wrote")


def test_callbacks_see_each_question_and_its_answer(place: Any) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Watcher(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
            self.seen.append((kwargs["name"], inputs))

        def on_chain_end(self, outputs: Any, **_: Any) -> None:
            self.seen.append(outputs)

        def on_chain_error(self, error: BaseException, **_: Any) -> None:
            self.seen.append(type(error))

    watcher = Watcher()
    chain = _chain(place, Scripted("")).with_config(callbacks=[watcher], run_name="mine")
    answer = chain.invoke("Who wrote Hamlet?")
    assert watcher.seen == [("mine", "Who wrote Hamlet?"), answer]
    watcher.seen.clear()
    chain.batch([None], return_exceptions=True)
    assert watcher.seen == [("mine", None), InputInvalid]


def test_an_empty_question_is_an_error(place: Any) -> None:
    with pytest.raises(InputInvalid, match="empty"):
        _chain(place, Scripted("")).invoke({"question": "  "})


def test_sentences_of_a_passage_are_verbatim(place: Any) -> None:
    from domainsmith.storage.documents import passages

    for item in passages(place[0].db):
        for quote, _ in passage_sentences(item):
            assert quote in item.text


def test_the_embedded_model_answers_rightly(place: Any, engine: Engine) -> None:
    answers = _chain(place, engine).batch(
        [
            "How many litres of water does the kettle boil?",
            "Who won the football world cup in 1998?",
        ]
    )

    assert re.search(r"1\.7 litres", answers[0].text)
    assert answers[0].citations[0].document_path == "manual.md"
    assert is_refusal(answers[1].text)
