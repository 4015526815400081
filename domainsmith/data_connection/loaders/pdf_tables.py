"""Tables of a PDF page that are drawn with lines, found by pdfplumber."""

from __future__ import annotations

import io
import logging
import time
from typing import Any

from domainsmith.data_connection.loaders.pdf_grid import RuledTable, cut_table

__all__ = ["DrawnLines", "TableFinder"]

_MOST_DRAWN = 5000
"""Lines and boxes of a page; drawings and maps have more, and would take minutes."""
_LEAST_DRAWN = 4
_MOST_CROSSINGS = 5000
"""Heights times sides of lines; a table of 200 rows and 12 columns has half of that."""
_SECONDS = 15.0
"""Processor time for the tables of one file."""


class DrawnLines:
    """Counts what a page draws, while pypdf reads it."""

    def __init__(self) -> None:
        self.count = 0

    def visit(self, operator: bytes, *_: object) -> None:
        """Take one operator of the page's content."""
        self.count += operator in (b"re", b"l")

    @property
    def may_be_tables(self) -> bool:
        """Whether there are enough lines for a table, and not so many that it is a drawing."""
        return _LEAST_DRAWN <= self.count <= _MOST_DRAWN


class TableFinder:
    """Finds the tables of one file, which is opened at the first page that may have any.

    Args:
        data: The PDF.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._document: Any = None
        self._notes: list[str] = []
        self.seconds = 0.0
        """Processor time that it took."""

    def on(self, number: int) -> list[RuledTable]:
        """Find a page's tables.

        Args:
            number: Of the page, from 0.

        Returns:
            Tables from top to bottom; none if the page cannot be analysed, or if the pages
            before it took too long.
        """
        if self.seconds > _SECONDS:
            if not self._notes or "From" not in self._notes[-1]:
                self._notes.append(f"From page {number + 1} on drawn tables were not looked for.")
            return []
        began = time.process_time()
        try:
            return self._found(number)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - what pdfminer cannot read is read as text
            self._notes.append(
                f"Page {number + 1} was not searched for tables ({type(error).__name__})."
            )
            return []
        finally:
            self.seconds += time.process_time() - began

    def _found(self, number: int) -> list[RuledTable]:
        import pdfplumber

        logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
        if self._document is None:
            self._document = pdfplumber.open(io.BytesIO(self._data), password="")
        page = self._document.pages[number]
        try:
            if page.rotation % 360:
                return []  # the places of pypdf's texts are those before the rotation
            if _crossings(page) > _MOST_CROSSINGS:
                return []  # graph paper: each crossing is compared with all others
            return [table for found in page.find_tables() for table in cut_table(page, found)]
        finally:
            page.close()

    def close(self) -> list[str]:
        """Close the file.

        Returns:
            What could not be looked at.
        """
        if self._document is not None:
            self._document.close()
        return self._notes


def _crossings(page: Any) -> int:
    across = {round(edge["top"]) for edge in page.edges if edge["orientation"] == "h"}
    down = {round(edge["x0"]) for edge in page.edges if edge["orientation"] == "v"}
    return len(across) * len(down)
