"""Small training data of one shape, for the tests of this folder."""

from domainsmith.records import Record

PARTS = ("pump", "drum", "filter", "heater", "display")


def small_records(count: int = 12, language: str = "en") -> list[Record]:
    """Closed-book, grounded and refused questions in turn, a few dozen tokens each."""
    records = []
    for number in range(count):
        part, code = PARTS[number % len(PARTS)], f"E{10 + number}"
        context = f"[1] Errors\nCode {code} means that the {part} is blocked."
        answers = (
            (f"What does {code} mean?", "", f"The {part} is blocked."),
            (f"What is blocked at {code}?", context, f"The {part}."),
            (f"Who won race {number}?", context, "The documents do not answer this question."),
        )
        question, given, answer = answers[number % 3]
        records.append(
            Record(
                instruction=question,
                input=given,
                output=answer,
                language=language,
                method="self_kv",
                model="code",
            )
        )
    return records
