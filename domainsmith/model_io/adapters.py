"""Adapters beside one set of base weights: load, switch, switch off, unload."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from domainsmith.errors import InputInvalid, WeightsMissing
from domainsmith.model_io.quiet import quiet_transformers

__all__ = ["Adapters"]

_VIRTUAL_TOKENS = ("CPT", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "PROMPT_TUNING")


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
        # Names may be paths; peft makes its own keys into module names, which hold no full stop.
        self._keys: dict[str, str] = {}
        self._count = 0
        self._active: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Loaded adapters, sorted."""
        return tuple(sorted(self._keys))

    def check(self, name: str | None) -> None:
        """Raise InputInvalid if there is no adapter of that name (None is always there)."""
        if name is not None and name not in self._keys:
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
            self._peft.base_model.set_adapter(self._keys[name])
            self._model.requires_grad_(False)
        self._active = name

    def add(self, name: str, folder: Path) -> None:
        """Load an adapter; one of the same name is replaced, and the base stays switched on.

        Raises:
            WeightsMissing: The folder holds no adapter.
            InputInvalid: The adapter does not fit the model; what was loaded stays as it was.
        """
        _check_folder(folder)
        self._count += 1
        key = f"adapter{self._count:06d}"  # of one length: peft looks for keys as parts of names
        try:
            with quiet_transformers():
                self._load(key, folder)
        except Exception as error:
            self._drop(key)
            reason = " ".join(str(error).split())[:240]
            raise InputInvalid(
                f"The adapter does not fit the model: {reason}", where=folder
            ) from error
        replaced = self._keys.get(name)
        self._keys[name] = key
        if replaced is not None:
            self._drop(replaced)
        self._rest()

    def remove(self, name: str) -> None:
        """Unload an adapter.

        Raises:
            InputInvalid: There is none of that name.
        """
        self.check(name)
        self._drop(self._keys.pop(name))

    def _load(self, key: str, folder: Path) -> None:
        from peft import PeftConfig, get_peft_model

        # Without the cast to float32 the adapter computes in the base's number type, as trained.
        if self._peft is None:
            config = PeftConfig.from_pretrained(str(folder))
            config.inference_mode = True
            # The name it was trained under; peft warns about any other.
            config.base_model_name_or_path = getattr(self._model, "name_or_path", None)
            self._peft = get_peft_model(
                self._model, config, adapter_name=key, autocast_adapter_dtype=False
            )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found missing adapter keys")  # an error below
            found = self._peft.load_adapter(
                str(folder), adapter_name=key, is_trainable=False, autocast_adapter_dtype=False
            )
        odd = len(found.missing_keys) + len(found.unexpected_keys)
        if odd:
            raise ValueError(f"{odd} of its weights are missing or belong to another model")

    def _drop(self, key: str) -> None:
        """Take an adapter out of the model, even one that came in only in part."""
        others = [other for other in self._keys.values() if other != key]
        if others:
            if key in self._peft.peft_config:
                # peft warns when the adapter that it last switched to is deleted.
                self._peft.base_model.set_adapter(others[0])
                self._peft.delete_adapter(key)
            self._rest()
            return
        if self._peft is not None:
            self._peft.unload()
        _strip(self._model)
        self._peft = None
        self._active = None

    def _rest(self) -> None:
        """Switch to the base weights, whatever peft did before."""
        self._peft.base_model.disable_adapter_layers()
        self._model.requires_grad_(False)
        self._model.eval()
        self._active = None


def _strip(model: Any) -> None:
    """Undo an injection that peft broke off before it returned anything to unload."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for path, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, last = path.rpartition(".")
            setattr(model.get_submodule(parent), last, module.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config


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
    if kind in _VIRTUAL_TOKENS:
        # They put virtual tokens or states in front of every prompt. Prompts and steps are computed
        # by model_io.forward with a cache of its own, to which peft adds nothing: the adapter would
        # load, and the answers would silently be the base model's.
        raise InputInvalid(
            f"Adapters of type {kind} put virtual tokens before the prompt, which this engine "
            "does not compute",
            where=folder,
            fix="Train a LoRA or DoRA adapter, or serve this one with peft's own generate.",
        )
