"""Golden scores of Nuggets against the published procedure, on the embedded SmolLM2.

The peer is the procedure of pldlgb/nuggets (``instruction_main.py``), restated: a record's states
are computed once; every task is padded or cut to a window of 200 tokens, in batches of eight; the
log-softmax over the whole vocabulary is taken at each of the 200 positions; all tasks are tried for
all records. Tasks and records are real (Alpaca, English) and fit into the window: longer ones are
cut there, but scored as if they were not. Both use its prompt form, the same tokens, one thread and
the same number type (``--dtype``; bfloat16 is the checkpoint's own, and what the product takes
where the processor can); times are seconds of processor time. The exit code is 1 if the best one
percent differ or the ratio is under 8.

The peer takes minutes: it goes on from where the last call ended (``--seconds``). ``--sample N``
times it on N records only and extends its time to all (stated as such); then nothing is compared.

Run: ``OMP_NUM_THREADS=1 python -m benchmarks.nuggets [--records 100] [--tasks 10] [--sample N]``
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from benchmarks.real_texts import cache_folder, conditions, data_folder
from domainsmith.model_io.catalog import chat_model_folder
from domainsmith.model_io.engine import Engine
from domainsmith.records import content_hash
from domainsmith.storage.atomic import write_json
from domainsmith.training.select.nuggets import golden_scores

WINDOW = 200
BATCH = 8
TARGET = 8


class Texts:
    """Records and tasks in the published prompt form."""

    def __init__(self, records: int, tasks: int, tokenizer: Any) -> None:
        path = data_folder() / "instr_pref_llamafactory" / "alpaca_en_demo.jsonl"
        found: list[tuple[str, str]] = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            row = json.loads(line) if line else {"output": ""}
            if not row["output"]:
                continue
            given = f"Input:\n{row['input']}\n" if row["input"] else ""
            prompt = f"Instruction:\n{row['instruction']}\n{given}Response:\n"
            if len(tokenizer.encode(prompt + row["output"])) < WINDOW - 4:
                found.append((prompt, row["output"]))
        self.tasks = found[:tasks]
        self.records = found[tasks : tasks + records]
        if len(self.records) < records:
            raise SystemExit(f"only {len(self.records)} records fit")
        self.sha256 = content_hash([self.tasks, self.records])[:16]

    def prompt(self, record: int, task: int) -> str:
        """Return a task's prompt after a record."""
        return f"{''.join(self.records[record])}\n\n{self.tasks[task][0]}"


class Ours:
    """The tasks as ``golden_scores`` asks for them."""

    name = "benchmark"

    def __init__(self, engine: Engine, texts: Texts) -> None:
        self._engine = engine
        self._texts = texts
        self.pairs = 0

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self._texts.tasks)

    def lengths(self) -> NDArray[np.int64]:
        """Count the characters of the tasks."""
        return np.asarray([len(prompt) + len(answer) for prompt, answer in self._texts.tasks])

    def alone(self) -> NDArray[np.float64]:
        """Score the tasks without a record."""
        return np.asarray([value.mean for value in self._engine.score(self._texts.tasks)])

    def after(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
        """Score tasks after records."""
        self.pairs += len(pairs)
        asked = [(self._texts.prompt(r, t), self._texts.tasks[t][1]) for r, t in pairs]
        return [value.mean for value in self._engine.score(asked)]


class Peer:
    """The published procedure."""

    def __init__(self, folder: Any, texts: Texts, tokenizer: Any, dtype: str) -> None:
        self.dtype = dtype
        kind = getattr(torch, dtype)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind).eval()
        self._texts = texts
        self._encode = lambda text: tokenizer.encode(text, add_special_tokens=False)
        self._zero = self._scored([self._encode(p) for p, _ in texts.tasks], None)

    @torch.inference_mode()
    def wins(self, record: int) -> int:
        """Count the tasks that a record helps with."""
        prompts = [
            self._encode(self._texts.prompt(record, task)) for task in range(len(self._texts.tasks))
        ]
        shared = 0
        while len({tuple(prompt[: shared + 1]) for prompt in prompts}) == 1:
            shared += 1
        shared = min(shared, len(self._encode("".join(self._texts.records[record]))))
        states = self._model(torch.tensor([prompts[0][:shared]]), use_cache=True).past_key_values
        scores = self._scored([prompt[shared:] for prompt in prompts], states)
        return sum(one > zero for one, zero in zip(scores, self._zero, strict=True))

    @torch.inference_mode()
    def _scored(self, prompts: list[list[int]], states: Any) -> list[float]:
        answers = [self._encode(answer) for _, answer in self._texts.tasks]
        found = []
        past = states.get_seq_length() if states is not None else 0
        for start in range(0, len(prompts), BATCH):
            group = range(start, min(start + BATCH, len(prompts)))
            window = torch.zeros((len(group), WINDOW), dtype=torch.long)
            mask = torch.zeros((len(group), past + WINDOW), dtype=torch.long)
            mask[:, :past] = 1
            for row, at in enumerate(group):
                tokens = (prompts[at] + answers[at])[:WINDOW]
                window[row, : len(tokens)] = torch.tensor(tokens)
                mask[row, past : past + len(tokens)] = 1
            logits = self._model(
                window, attention_mask=mask, past_key_values=_expanded(states, len(group))
            ).logits
            values = torch.log_softmax(logits.float(), dim=-1)
            for row, at in enumerate(group):
                first, last = len(prompts[at]), len(prompts[at]) + len(answers[at])
                wanted = window[row, first:last, None]
                chosen = values[row, first - 1 : last - 1].gather(-1, wanted)
                found.append(float(chosen.sum()) / (last - first))
        return found


def _expanded(states: Any, rows: int) -> Any:
    if states is None:
        return None
    cache = DynamicCache()
    for number, layer in enumerate(states.layers):
        keys = layer.keys.expand(rows, -1, -1, -1)
        cache.update(keys, layer.values.expand(rows, -1, -1, -1), number)
    return cache


def run_peer(peer: Peer, texts: Texts, seconds: float, sample: int) -> dict[str, Any]:
    """Go on with the peer for some seconds of wall time; return its state."""
    kind = "" if peer.dtype == "float32" else f"_{peer.dtype}"
    path = cache_folder() / f"nuggets_{texts.sha256}{kind}.json"
    state: dict[str, Any] = {"wins": [], "seconds": 0.0}
    if path.is_file():
        state = json.loads(path.read_text(encoding="utf-8"))
    total = sample or len(texts.records)
    end = time.perf_counter() + seconds
    while len(state["wins"]) < total and time.perf_counter() < end:
        began = time.process_time()
        state["wins"].append(peer.wins(len(state["wins"])))
        state["seconds"] += time.process_time() - began
        write_json(path, state)
    return state


def main() -> int:
    """Run both and print them as JSON."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--records", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seconds", type=float, default=300.0, help="of the peer in this call")
    parser.add_argument("--sample", type=int, default=0, help="time the peer on so many records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = chat_model_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = Texts(arguments.records, arguments.tasks, tokenizer)
    peer = Peer(folder, texts, tokenizer, arguments.dtype)
    state = run_peer(peer, texts, arguments.seconds, arguments.sample)
    del peer  # ours runs in the memory that a process without it has
    tried = len(state["wins"])
    result: dict[str, Any] = {
        "records": len(texts.records),
        "tasks": len(texts.tasks),
        "dtype": arguments.dtype,
        "texts_sha256": texts.sha256,
        "peer_records": tried,
        "peer_seconds": round(state["seconds"], 1),
        **conditions("torch", "transformers"),
    }
    if tried < (arguments.sample or len(texts.records)):
        print(json.dumps(result | {"unfinished": True}, indent=2))
        return 1
    wanted = max(1, len(texts.records) // 100)
    ours = Ours(Engine.load(folder, device="cpu", dtype=arguments.dtype, threads=1), texts)
    ours.alone()  # set-up is not timed
    began = time.process_time()
    scores = golden_scores([str(at) for at in range(len(texts.records))], ours, count=wanted)
    seconds = time.process_time() - began
    best = sorted(range(len(scores)), key=lambda at: (-scores[at].wins * scores[at].complete, at))
    whole = state["seconds"] * len(texts.records) / tried
    ratio = whole / seconds
    result |= {
        "best": [(at, scores[at].wins) for at in best[:wanted]],
        "our_seconds": round(seconds, 1),
        "our_pairs": ours.pairs,
        "pairs": len(texts.records) * len(texts.tasks),
        "ratio": round(ratio, 2),
    }
    equal = True
    if tried == len(texts.records):
        wins = state["wins"]
        expected = sorted(range(len(wins)), key=lambda at: (-wins[at], at))[:wanted]
        equal = sorted(best[:wanted]) == sorted(expected)
        same = sum(s.wins == w for s, w in zip(scores, wins, strict=True) if s.complete)
        result |= {
            "best_of_peer": [(at, wins[at]) for at in expected],
            "same_best": equal,
            "complete_scores_equal": f"{same} of {sum(s.complete for s in scores)}",
        }
    else:
        result["peer_seconds_extended_from_sample"] = round(whole, 1)
    print(json.dumps(result, indent=2))
    return 0 if equal and ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
