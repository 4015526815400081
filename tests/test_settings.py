"""Settings precedence, provenance and errors."""

from pathlib import Path

import pytest

from domainsmith.errors import InputInvalid
from domainsmith.settings import Settings, load_settings


def test_precedence_and_origins(tmp_path: Path) -> None:
    path = tmp_path / "domainsmith.toml"
    path.write_text("top_k = 7\nseed = 3\nepochs = 1.5\n", encoding="utf-8")
    loaded = load_settings(
        path,
        environment={"DOMAINSMITH_SEED": "4", "DOMAINSMITH_TOP_K": "8", "HOME": "/"},
        flags={"top_k": 9, "port": None},
    )
    assert (loaded.values.top_k, loaded.values.seed, loaded.values.epochs) == (9, 4, 1.5)
    assert loaded.origins["top_k"] == "flag"
    assert loaded.origins["seed"] == "environment"
    assert loaded.origins["epochs"] == "file"
    assert loaded.origins["port"] == "default"


def test_every_problem_is_reported_with_its_source(tmp_path: Path) -> None:
    path = tmp_path / "domainsmith.toml"
    path.write_text('top_k = "many"\nno_such = 1\n', encoding="utf-8")
    with pytest.raises(InputInvalid) as caught:
        load_settings(path, environment={"DOMAINSMITH_PORT": "99999"})
    text = str(caught.value)
    assert "top_k (from file)" in text
    assert "no_such (from file)" in text
    assert "port (from environment)" in text
    assert "Correct the file; then" in text
    with pytest.raises(InputInvalid) as caught:
        load_settings(None, environment={}, flags={"topk": "3"})
    text = str(caught.value)
    assert "topk (from flag): there is no such setting; did you mean top_k?" in text
    assert "file" not in text


def test_broken_toml_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "domainsmith.toml"
    path.write_text("top_k = = 3", encoding="utf-8")
    with pytest.raises(InputInvalid, match="not valid TOML"):
        load_settings(path, environment={})


def test_folder_variables_are_not_settings_and_lists_split() -> None:
    loaded = load_settings(
        environment={
            "DOMAINSMITH_MODELS": "/m",
            "DOMAINSMITH_OFFLINE": "1",
            "DOMAINSMITH_APPROVE": "train_model, serve_model,",
        }
    )
    assert loaded.values.approve == ("train_model", "serve_model")
    assert set(loaded.origins) == set(Settings.model_fields)
