"""Whether a served model answers, and what it serves."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from domainsmith.errors import JobFailed

__all__ = ["START_S", "is_healthy", "served_models", "wait_healthy"]

START_S = 120.0
"""Seconds that loading the model may take."""
_POLL_S = 0.25


def wait_healthy(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a server that was started answers.

    Args:
        child: Its process.
        url: Where it will answer.
        log: Its log, for the reason if it does not.

    Raises:
        JobFailed: It ended, or does not answer in time.
    """
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if child.poll() is not None:
            tail = log.read_text(encoding="utf-8", errors="replace").strip().split("\n")[-1]
            raise JobFailed(
                f"The server ended at once: {tail or 'it said nothing'}",
                where=log,
                fix="Read its log, correct what it names and serve again.",
            )
        if is_healthy(url):
            return
        time.sleep(_POLL_S)
    raise JobFailed(
        f"The server did not answer within {START_S:.0f} s", where=log, fix="Read its log."
    )


def _get(url: str) -> Any:
    # A proxy of the environment cannot reach this machine's own address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url)
    if key := os.environ.get("DOMAINSMITH_API_KEY"):  # the server has it from the same place
        request.add_header("Authorization", f"Bearer {key}")
    with opener.open(request, timeout=5) as reply:
        return json.loads(reply.read())


def is_healthy(url: str) -> bool:
    """Tell whether a server answers."""
    try:
        _get(url.removesuffix("/v1") + "/health")
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return True


def served_models(url: str) -> tuple[str, ...]:
    """Return the names of the models that a server offers."""
    try:
        return tuple(str(model["id"]) for model in _get(f"{url}/models")["data"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return ()
