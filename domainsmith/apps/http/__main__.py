"""Run the server as a process: ``python -m domainsmith.apps.http --workspace DIR``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from domainsmith.apps.http.run import run_server
from domainsmith.apps.output import clean, safe_json
from domainsmith.errors import DomainSmithError
from domainsmith.records import Endpoint
from domainsmith.tools.endpoint import record_endpoint


def main(argv: Sequence[str] | None = None) -> int:
    """Serve one workspace until a signal comes.

    Args:
        argv: Arguments without the program's name.

    Returns:
        0 after an orderly stop, else the error's exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m domainsmith.apps.http", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--adapter", help="adapter id; the promoted one if absent, 'none' for base")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8077, help="0 takes a free port")
    parser.add_argument("--model", default=None, help="chat model; the settings' if absent")
    parser.add_argument("--api-key", default=os.environ.get("DOMAINSMITH_API_KEY"))
    parser.add_argument("--record", action="store_true", help="note in the workspace who serves it")
    arguments = parser.parse_args(argv)
    try:
        if arguments.record:
            url = f"http://{arguments.host}:{arguments.port}/v1"
            adapter = None if arguments.adapter == "none" else arguments.adapter
            # Before anything is loaded, so that whoever started this process may be killed.
            starting = Endpoint(url=url, models=(), pid=os.getpid(), adapter_id=adapter)
            record_endpoint(arguments.workspace, starting)
        run_server(
            arguments.workspace,
            adapter_id=arguments.adapter,
            host=arguments.host,
            port=arguments.port,
            api_key=arguments.api_key,
            flags={"chat_model": arguments.model},
            on_ready=_announce,
            log=_log,
        )
    except DomainSmithError as error:
        sys.stderr.write(clean(f"error: {error}") + "\n")
        return error.exit_code
    return 0


def _announce(endpoint: Endpoint) -> None:
    # One line for the program that started this process.
    sys.stdout.write(safe_json(endpoint.model_dump(mode="json"), indent=None) + "\n")
    sys.stdout.flush()


def _log(line: str) -> None:
    sys.stderr.write(clean(line) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
