"""``python -m benchmarks.retrieval --corpus docs.jsonl --questions questions.jsonl --json``.

Corpus lines: ``id``, ``title``, ``text``. Question lines: ``id``, ``question``, ``gold`` (ids).
Each document is split as the product splits it; a hit is a passage of a gold document.
``--set NAME`` (or ``all``) builds corpus and questions from ``../shared/data`` instead and also
ranks by plain BM25 and by LangChain's EnsembleRetriever with rank_bm25 and Chroma.

The best fused candidates are ordered anew by late interaction, as the product does by default (a
quarter to three quarters of a second a question on a CPU); ``--rerank`` names another reranker, and
``--rerank none`` leaves that row out. ``--tuned FOLDER`` adds rows with an embedder and a reranker
that were tuned. Intervals are 95 % bootstrap intervals over questions. With ``--set`` the exit
status is 1 if fusion is more than a point below its better part.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from benchmarks.retrieval.collection import Collection, from_files, sampled
from benchmarks.retrieval.measures import DEPTHS, HitRates
from benchmarks.retrieval.sets import SETS, labelled_set
from benchmarks.retrieval.systems import Options, Result, run
from domainsmith.data_connection.splitter import Splitter
from domainsmith.model_io.load import load_embedder
from domainsmith.settings import Settings

_TOLERANCE = 0.01
"""How far fusion may stay below its better part."""
_TITLES = {
    "plain bm25": "BM25 (words / bigrams, bare text)",
    "langchain": "LangChain EnsembleRetriever",
    "bm25": "ours: BM25 alone",
    "dense": "ours: dense alone",
    "fused": "ours, not reranked",
    "fused + rerank": "ours + rerank",
    "tuned dense": "tuned: dense alone",
    "tuned fused": "ours tuned, not reranked",
    "tuned fused + rerank": "ours tuned + rerank",
}


def fusion_holds(rates: Mapping[str, HitRates]) -> bool:
    """Tell whether fusion is at most a point below the better of its parts, at 1 and at 10."""
    return all(
        rates["fused"].at(k) >= max(rates[part].at(k) for part in ("bm25", "dense")) - _TOLERANCE
        for k in (1, 10)
    )


def report(collection: Collection, result: Result) -> dict[str, Any]:
    """Return a run's figures as plain data."""
    return {
        "set": collection.name,
        "definition": collection.definition,
        "questions": len(collection.questions),
        "passages": len(collection.passages),
        **{name: rates.as_dict() for name, rates in result.rates.items()},
        "fusion_holds": fusion_holds(result.rates),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "load": round(os.getloadavg()[0], 1),
        **result.notes,
    }


def show(collection: Collection, result: Result) -> None:
    """Print a run's table."""
    print(f"\n{collection.name}: {collection.definition}")
    print(f"{len(collection.questions)} questions, {len(collection.passages)} passages")
    for name, rates in result.rates.items():
        if name not in _TITLES:
            continue
        cells = []
        for k in DEPTHS:
            low, high = rates.interval(k)
            cells.append(f"@{k} {rates.at(k):.3f} [{low:.3f}, {high:.3f}]")
        print(f"  {_TITLES[name]:34}", "  ".join(cells))
    print("  fusion holds" if fusion_holds(result.rates) else "  FUSION BELOW ITS BETTER PART")
    for name, value in result.notes.items():
        if name != "index":
            print(f"  {name}: {value}")


def _own(options: argparse.Namespace) -> Collection:
    splitter = Splitter(load_embedder(options.embedder), Settings().chunk_tokens)
    return from_files(options.corpus, options.questions, splitter=splitter)


def main() -> int:
    """Run from the command line.

    Returns:
        1 if a check failed.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval", description=__doc__)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--set", choices=[*SETS, "all"], help="a collection of ../shared/data")
    parser.add_argument("--limit", type=int, default=0, help="most questions (0: all)")
    parser.add_argument("--embedder", default="default", help="name or folder of an embedder")
    parser.add_argument("--cache", type=Path, help="folder of the vector cache")
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    parser.add_argument(
        "--rerank",
        default="late-interaction",
        help="late-interaction, likelihood, a cross-encoder's folder, or none",
    )
    parser.add_argument("--tuned", type=Path, help="a tuned workspace, or a folder of models")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.set is None and (options.corpus is None or options.questions is None):
        parser.error("give --corpus and --questions, or --set")
    names = list(SETS) if options.set == "all" else [options.set]
    wanted = Options(
        embedder=options.embedder,
        cache=options.cache or Path(platformdirs.user_cache_dir("domainsmith")) / "benchmarks",
        peers=options.set is not None and not options.no_peers,
        rerank=options.rerank,
        tuned=options.tuned,
    )
    failed = False
    for name in names:
        whole = labelled_set(name) if name else _own(options)
        collection = sampled(whole, options.limit)
        result = run(collection, wanted)
        failed |= name is not None and not fusion_holds(result.rates)
        if options.json:
            print(json.dumps(report(collection, result)), flush=True)
        else:
            show(collection, result)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
