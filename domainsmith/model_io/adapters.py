"""Adapters beside one set of base weights: load, switch, switch off, unload."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from domainsmith.errors import DomainSmithError, InputInvalid, WeightsMissing
from domainsmith.model_io.quiet import quiet_transformers

__all__ = ["Adapters"]


class Adapters:
    """The adapters of one model.

    The modules that peft injects hold the base weights unchanged, so with adapters switched off
    the outputs are the base model's, bit by bit.

    Args:
        model: The base model; peft modules are injected into it at the first adapter.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._peft: Any = None
        self._names: set[str] = set()
        self._active: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Loaded adapters, sorted."""
        return tuple(sorted(self._names))

    def check(self, name: str | None) -> None:
        """Raise InputInvalid if there is no adapter of that name (None is always there)."""
        if name is not None and name not in self._names:
            known = ", ".join(self.names) or "none"
            raise InputInvalid(f"No such adapter is loaded (loaded: {known})", where=name)

    def use(self, name: str | None) -> None:
        """Switch to an adapter; None switches all off."""
        self.check(name)
        if name == self._active or self._peft is None:
            return
        if name is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.base_model.set_adapter(name)
            self._model.requires_grad_(False)
        self._active = name

    def add(self, name: str, folder: Path) -> None:
        """Load an adapter; one of the same name is replaced, and the base stays switched on.

        Raises:
            WeightsMissing: The folder holds no adapter.
            InputInvalid: The adapter does not fit the model.
        """
        _check_folder(folder)
        if name in self._names:
            self.remove(name)
        try:
            with quiet_transformers():
                self._load(name, folder)
        except DomainSmithError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:240]
            raise InputInvalid(
                f"The adapter does not fit the model: {reason}", where=folder
            ) from error
        self._names.add(name)
        self._peft.base_model.disable_adapter_layers()
        self._model.requires_grad_(False)
        self._model.eval()
        self._active = None

    def remove(self, name: str) -> None:
        """Unload an adapter.

        Raises:
            InputInvalid: There is none of that name.
        """
        if name not in self._names:
            self.check(name)
        self._names.discard(name)
        if self._names:
            # peft warns when the adapter that it last switched to is deleted.
            self._peft.base_model.set_adapter(self.names[0])
            self._peft.delete_adapter(name)
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.unload()
            self._peft = None
        self._active = None

    def _load(self, name: str, folder: Path) -> None:
        from peft import PeftModel

        # Without the cast to float32 the adapter computes in the base's number type, as trained.
        options: dict[str, Any] = {
            "adapter_name": name,
            "is_trainable": False,
            "autocast_adapter_dtype": False,
        }
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self._model, str(folder), **options)
        else:
            self._peft.load_adapter(str(folder), **options)


def _check_folder(folder: Path) -> None:
    config = folder / "adapter_config.json"
    if not config.is_file() or not (folder / "adapter_model.safetensors").is_file():
        raise WeightsMissing(
            "The folder holds no adapter in safetensors form",
            where=folder,
            fix="Name a folder with adapter_config.json and adapter_model.safetensors.",
        )
    try:
        kind = json.loads(config.read_bytes()).get("peft_type")
    except ValueError as error:
        raise WeightsMissing("The adapter's configuration is damaged", where=config) from error
    if kind in ("PREFIX_TUNING", "P_TUNING", "PROMPT_TUNING"):
        raise InputInvalid(
            f"Adapters of type {kind} cannot be switched beside others yet", where=folder
        )
