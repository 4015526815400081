"""The OpenAI-compatible server: ``python -m domainsmith.apps.http --workspace DIR``."""
