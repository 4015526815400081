"""The rows of tables and the subjects of graphs that are about a topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domainsmith.chains.synthesis.kv_sources import KvSources
from domainsmith.data_connection.language import content_terms, detect_language
from domainsmith.data_connection.overlap import squeeze
from domainsmith.data_connection.topics import topic_phrases
from domainsmith.errors import InputNotFound

__all__ = ["TopicRows"]


class TopicRows:
    """Chooses what may be asked about.

    Args:
        topic: In the user's words; empty chooses everything.
        sources: Tables and graphs.

    Attributes:
        tables: Numbers of the rows about the topic, for each table.
        graphs: Subjects about the topic, for each graph.
        whole: Places of the tables that are about it as a whole, by their name or columns: only
            those can be counted and summed up.

    Raises:
        InputNotFound: No row and no subject speaks of the topic.
    """

    def __init__(self, topic: str, sources: KvSources) -> None:
        phrases = topic_phrases(topic)
        self.whole = {
            at
            for at, table in enumerate(sources.tables)
            if not topic or _speaks(phrases, (table.data.name, *table.data.heads))
        }
        self.tables = [
            [
                number
                for number, row in enumerate(table.rows)
                if at in self.whole or _speaks(phrases, (table.data.name, *table.data.heads, *row))
            ]
            for at, table in enumerate(sources.tables)
        ]
        told = [{subject: [""] for subject in graph.subjects} for graph in sources.graphs]
        for told_of, graph in zip(told, sources.graphs, strict=True):
            for item in graph.triples:
                told_of[item.subject] += [item.subject, item.relation, item.object]
        self.graphs = [
            [subject for subject, texts in told_of.items() if not topic or _speaks(phrases, texts)]
            for told_of in told
        ]
        if not any(self.tables) and not any(self.graphs):
            names = [table.data.name for table in sources.tables] + sources.graph_names
            raise InputNotFound(
                f"No row or subject speaks of: {topic}",
                where=", ".join(names[:5]),
                fix="Name something that stands in the tables or graphs.",
            )


def _speaks(phrases: Sequence[str], texts: Iterable[str]) -> bool:
    """Tell whether texts hold all words of any of the phrases."""
    joined = " ".join(texts)
    held = set(content_terms(joined, detect_language(joined)))
    letters = squeeze(joined)
    for phrase in phrases:
        wanted = set(content_terms(phrase, detect_language(phrase)))
        if (wanted and wanted <= held) or (squeeze(phrase) and squeeze(phrase) in letters):
            return True
    return False
