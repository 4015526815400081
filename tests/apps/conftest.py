from __future__ import annotations

import openai
import pytest


@pytest.fixture
def client(server):
    """OpenAI's own client of the module's ``server``."""
    url = f"http://127.0.0.1:{server.port}/v1"
    with openai.OpenAI(base_url=url, api_key="unused", max_retries=0) as made:
        yield made
