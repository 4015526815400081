"""The two in-memory indexes, kept as files that any process may read and one at a time writes.

A file is only a head start. One that is missing, damaged, of another embedder or other rules is
made again from the database; one of an older state is brought up to date by what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from domainsmith.data_connection.dense import Codes, DenseRows, make_codes
from domainsmith.data_connection.index_files import (
    load_arrays,
    pack_strings,
    save_arrays,
    unpack_strings,
)
from domainsmith.data_connection.lexical import LexicalIndex, term_rules
from domainsmith.errors import DomainSmithError
from domainsmith.storage.database import Database
from domainsmith.storage.documents import passages_by_id, vectors_by_id
from domainsmith.storage.locks import try_hold

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["IndexStore"]

_Arrays = dict[str, "NDArray[np.generic]"]
_Stored = tuple[list[str], _Arrays]

_WORTH_MAPPING = 1 << 24
"""Bytes from which a matrix is searched in its file instead of in a copy."""
_FILES = {"dense": "vectors.arrays", "lexical": "terms.arrays"}


class IndexStore:
    """Makes the indexes of a workspace by the cheapest sure way.

    Args:
        folder: The workspace's index folder.
        db: Its database.
        model: Name of the embedder.
    """

    def __init__(self, folder: Path, db: Database, model: str) -> None:
        self._folder = folder
        self._db = db
        self._model = model
        self.rebuilds: list[str] = []
        """Why an index was made from nothing, one reason each."""
        self.not_kept = ""
        """Why the newest state could not be written to a file; empty if it was."""

    def lexical(self, ids: list[str], present: LexicalIndex) -> LexicalIndex:
        """Make the BM25 index of passages.

        Args:
            ids: All current passages, in order.
            present: The index so far; an empty one has the file looked at.

        Returns:
            The index of exactly these passages.
        """
        key = {"rules": term_rules()}
        if not present.ids:
            stored = self._read("lexical", key)
            if stored is not None:
                present = LexicalIndex.from_arrays(*stored)
        if present.ids == ids:
            return present
        index = present.changed(ids, lambda wanted: passages_by_id(self._db, wanted))
        self._write("lexical", key, ids, index.arrays())
        return index

    def dense(self, ids: list[str], present: DenseRows | None) -> DenseRows:
        """Make the rows of dense search.

        Args:
            ids: All passages that have a vector, in order.
            present: The rows so far; None has the file looked at.

        Returns:
            The rows of exactly these passages.
        """
        key = {"model": self._model}
        if present is None or not present.ids:
            present = self._stored_rows(key)
        if present is not None and present.ids == ids:
            return present
        matrix = self._matrix(ids, present)
        codes = make_codes(matrix, present.codes if present else None)
        arrays: dict[str, NDArray[np.generic]] = {"matrix": matrix}
        if codes is not None:
            arrays["codes"] = codes.to_bytes()
            arrays["candidates"] = np.array(codes.candidates, dtype=np.int64)
            arrays["recall"] = np.array([codes.recall])
        if self._write("dense", key, ids, arrays) and matrix.nbytes > _WORTH_MAPPING:
            # the mapped file can leave the memory again; the matrix that was just made cannot
            mapped = self._stored_rows(key)
            if mapped is not None and mapped.ids == ids:
                return mapped
        return DenseRows(ids, matrix, codes)

    def _stored_rows(self, key: Mapping[str, Any]) -> DenseRows | None:
        stored = self._read("dense", key)
        if stored is None:
            return None
        ids, arrays = stored
        matrix: Any = arrays["matrix"]
        codes = None
        if "codes" in arrays:
            packed: Any = arrays["codes"]
            few, many = arrays["candidates"].tolist()
            codes = Codes.from_bytes(packed, (few, many), float(arrays["recall"][0]))
        return DenseRows(ids, matrix, codes)

    def _matrix(self, ids: Sequence[str], present: DenseRows | None) -> NDArray[np.float32]:
        if present is None or not present.ids:
            return vectors_by_id(self._db, self._model, ids)
        known = {id: row for row, id in enumerate(present.ids)}
        source = np.array([known.get(id, -1) for id in ids], dtype=np.int64)
        fresh = np.flatnonzero(source < 0)
        new = vectors_by_id(self._db, self._model, [ids[row] for row in fresh.tolist()])
        matrix = np.empty((len(ids), present.matrix.shape[1]), dtype=np.float32)
        matrix[source >= 0] = present.matrix[source[source >= 0]]
        matrix[fresh] = new
        return matrix

    def _read(self, name: str, key: Mapping[str, Any]) -> _Stored | None:
        path = self._folder / _FILES[name]
        if not path.is_file():
            return None
        found = load_arrays(path)
        if found is None:
            self.rebuilds.append(f"{path.name} was damaged")
            return None
        made_from, arrays = found
        if {**made_from, "passages": 0} != {**key, "passages": 0}:
            self.rebuilds.append(f"{path.name} was made in another way")
            return None
        return unpack_strings(arrays.pop("ids"), made_from["passages"]), arrays

    def _write(self, name: str, key: Mapping[str, Any], ids: list[str], arrays: _Arrays) -> bool:
        """Keep an index for the next process; without it that one only needs longer."""
        path = self._folder / _FILES[name]
        try:
            lock = try_hold(self._folder / "arrays.lock", purpose="keeping the search index")
            if lock is None:
                return False
            with lock:
                made_from = {**key, "passages": len(ids)}
                save_arrays(path, made_from, {"ids": pack_strings(ids), **arrays})
        except DomainSmithError as error:
            self.not_kept = str(error)
            return False
        self.not_kept = ""
        return True
