"""Settings: flags > environment > domainsmith.toml > defaults. Read by applications only.

Everything below the applications takes plain arguments, so that no function's result
depends on a file or a variable that its caller does not see.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from domainsmith.errors import InputInvalid, translated_os_errors

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["ENVIRONMENT_PREFIX", "LoadedSettings", "Settings", "load_settings"]

ENVIRONMENT_PREFIX = "DOMAINSMITH_"
_NOT_SETTINGS = frozenset(
    {
        "DOMAINSMITH_API_KEY",
        "DOMAINSMITH_DATA",
        "DOMAINSMITH_MODELS",
        "DOMAINSMITH_OFFLINE",
        "DOMAINSMITH_WORKSPACE",
    }
)
"""Variables with the prefix that are no settings (folders, a secret, a ban on the network), read
where they are used."""

Origin = Literal["flag", "environment", "file", "default"]


class Settings(BaseModel):
    """Every knob of the program. Each field is covered by a test that it changes behaviour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chat_model: str = "default"
    """``default``, ``local:PATH-or-hub-id[@ADAPTER]`` or ``openai:URL#MODEL``."""
    embed_model: str = "default"
    """``default`` (English), ``multilingual``, the path or hub id of a sentence-transformers model,
    or ``openai:URL#MODEL``."""
    device: str = "auto"
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``."""
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    """Numbers that the models compute in; ``auto`` goes by the device."""
    quantization: Literal["none", "8bit", "4bit"] = "none"
    """Weights on CUDA only; needs the extra ``gpu``."""
    threads: int = Field(default=0, ge=0, le=1024)
    """CPU threads for the models; 0 takes the physical cores."""
    chunk_tokens: int = Field(default=200, ge=32, le=2048)
    """Largest passage, in tokens of the embedder, its header not counted."""
    url_sources: Literal["off", "public", "any"] = "off"
    """Which web pages ``add --urls`` may fetch: none, those of the public Internet only, or those
    of this machine and of private networks too."""
    top_k: int = Field(default=5, ge=1, le=50)
    """Passages handed to the answer step."""
    tuned_retrieval: bool = True
    """Search with the models that ``tune-retrieval`` made and found better for this workspace and
    this ``embed_model``; false searches as if there were none."""
    reranker: str = "auto"
    """``auto`` (late interaction, and after it the tuned one if there is one), ``none``,
    ``late-interaction`` (each word of the question looks for its best word in the passage, by the
    embedder's own token vectors; a served or static embedder has none), ``likelihood`` (of the
    question after each passage, under the chat model) or the path or hub id of a cross-encoder.
    Likelihood under the embedded 135M model costs seconds a question on two cores and is not
    better throughout: on the example domain hit@1 went from 0.86 to 0.91 in English and from 0.89
    to 0.74 in Chinese (``python -m benchmarks.reranking``). So it is off; try it with a larger
    chat model."""
    rerank_top: int = Field(default=20, ge=1, le=50)
    """Passages of the fused ranking that the reranker orders anew."""
    decompose: Literal["auto", "on", "off"] = "auto"
    """Take a compound question apart and search each part; ``on`` also takes lists apart that the
    documents use as one name."""
    step_back: Literal["auto", "on", "off"] = "auto"
    """Search a broader question too where the gate doubts (``auto``) or always (``on``)."""
    translate: Literal["auto", "on", "off"] = "auto"
    """Search in the documents' language where the question's is another; ``on`` also where they are
    in both. A small model carries over only terms that the documents give in both languages."""
    spelling: Literal["auto", "on", "off"] = "auto"
    """Correct Latin words that the documents do not know; ``on`` without asking the model."""
    seed: int = Field(default=17, ge=0)
    """Of everything that is drawn; equal inputs and an equal seed give equal results."""
    records: int = Field(default=160, ge=1, le=1_000_000)
    """Training records wanted after selection; about twice as many are generated."""
    epochs: float = Field(default=2.0, gt=0, le=100)
    """Passes over the training data."""
    learning_rate: float = Field(default=5e-4, gt=0, le=1)
    """Peak learning rate per optimizer step."""
    lora_rank: int = Field(default=16, ge=1, le=512)
    """Rank of an adapter's matrices; its weights and memory grow with it."""
    host: str = "127.0.0.1"
    """Address that ``serve`` binds; anything but loopback needs an API key."""
    port: int = Field(default=8077, ge=0, le=65535)
    """Port that ``serve`` binds; 0 takes a free one."""
    max_steps: int = Field(default=20, ge=1, le=1000)
    """Steps that one agent request may take."""
    max_seconds: float = Field(default=7200.0, gt=0)
    """Wall-clock seconds that one agent request may take."""
    approve: tuple[str, ...] = ()
    """Names of tools whose side effects need no question (an explicit allow rule)."""

    @field_validator("approve", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Read the text of a variable or a flag: names with commas between them."""
        if not isinstance(value, str):
            return value
        return tuple(filter(None, (name.strip() for name in value.split(","))))


@dataclass(frozen=True)
class LoadedSettings:
    """Settings and where each value came from.

    Args:
        values: The settings.
        origins: Field name -> ``flag``, ``environment``, ``file`` or ``default``.
    """

    values: Settings
    origins: Mapping[str, Origin]


def load_settings(
    path: Path | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> LoadedSettings:
    """Merge all sources; report every problem at once.

    Args:
        path: The workspace's ``domainsmith.toml``; may be absent.
        flags: Values from the command line; None values are not given.
        environment: Variables; ``os.environ`` if None. ``DOMAINSMITH_TOP_K`` sets ``top_k``;
            lists are separated by commas.

    Returns:
        The settings with their origins.

    Raises:
        InputInvalid: Unknown names or bad values, all of them, each with its source.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = dict.fromkeys(Settings.model_fields, "default")
    sources: tuple[tuple[Origin, Mapping[str, Any]], ...] = (
        ("file", _read_file(path)),
        ("environment", _read_environment(os.environ if environment is None else environment)),
        ("flag", {k: v for k, v in (flags or {}).items() if v is not None}),
    )
    for origin, values in sources:
        merged.update(values)
        origins.update(dict.fromkeys(values, origin))
    try:
        return LoadedSettings(Settings.model_validate(merged), origins)
    except ValidationError as error:
        problems = [_problem(item, origins) for item in error.errors()]
        in_file = any(origins[str(item["loc"][0])] == "file" for item in error.errors())
        then = "Correct the file; then `" if in_file else "`"
        raise InputInvalid(
            "Invalid settings: " + "; ".join(problems),
            where=path if in_file else None,
            fix=f"{then}domainsmith config show` lists names and values.",
        ) from error


def _problem(item: ErrorDetails, origins: Mapping[str, Origin]) -> str:
    """Say what is wrong with one setting, where it comes from, and which one was perhaps meant."""
    name = ".".join(map(str, item["loc"]))
    origin = origins[str(item["loc"][0])]
    if item["type"] != "extra_forbidden":
        return f"{name} (from {origin}): {item['msg']}"
    from difflib import get_close_matches

    near = get_close_matches(name, Settings.model_fields, n=2)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{name} (from {origin}): there is no such setting{meant}"


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None or not path.is_file():
        return {}
    with translated_os_errors(path):
        data = path.read_bytes()
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(
            f"The settings file is not valid TOML: {error}", where=path, fix="Correct that line."
        ) from error


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _NOT_SETTINGS:
            continue
        values[variable.removeprefix(ENVIRONMENT_PREFIX).lower()] = environment[variable]
    return values
