"""What a wish says of each section of the documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domainsmith.agents.curation.goal import Goal
from domainsmith.data_connection.sections import Section
from domainsmith.data_connection.text_space import Space
from domainsmith.data_connection.topics import TopicFinder, not_spoken_of
from domainsmith.records import Passage

__all__ = ["focus_weights"]


def focus_weights(
    goal: Goal, sections: Sequence[Section], passages: Mapping[str, Passage], space: Space
) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Find the sections that a wish names and weigh them.

    Args:
        goal: With the phrases of the wish.
        sections: All sections.
        passages: By id.
        space: For likeness beyond words.

    Returns:
        Section key to weight (1 unless named; 0 leaves it out), and for each phrase the keys
        of the sections that it names, none if the documents do not speak of it.

    Raises:
        InputNotFound: The data shall be about something only of which the documents do not speak.
    """
    finder = TopicFinder(sections, passages, space)
    weights = {section.key: 1.0 for section in sections}
    named: dict[str, list[str]] = {}
    for focus in goal.focus:
        named[focus.phrase] = finder.sections(focus.phrase)
    if goal.only:
        wanted = [item.phrase for item in goal.focus if item.weight > 1]
        if wanted and not any(named[phrase] for phrase in wanted):
            raise not_spoken_of(wanted, sections)
        weights = dict.fromkeys(weights, 0.0)
    # What shall be left out wins over what shall be stronger.
    for focus in sorted(goal.focus, key=lambda item: -item.weight):
        for key in named[focus.phrase]:
            weights[key] = focus.weight
    return weights, named
