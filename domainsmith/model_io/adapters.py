"""Adapters beside one set of base weights: load, switch, switch off, unload."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domainsmith.errors import InputInvalid, WeightsMissing
from domainsmith.model_io.kv_cache import States
from domainsmith.model_io.packed_linear import pack_linear_layers
from domainsmith.model_io.quiet import quiet_transformers
from domainsmith.model_io.virtual_tokens import VIRTUAL_TOKEN_KINDS, load_virtual_tokens

__all__ = ["Adapters"]

_UNSUPPORTED_KINDS = ("CPT", "MULTITASK_PROMPT_TUNING", "CARTRIDGE")
_BASE_ROW = "__base__"
"""What peft calls a row of a mixed batch that no adapter applies to."""


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
        self._mixable: set[str] = set()
        self._virtual: dict[str, States] = {}
        self._count = 0
        self._active: str | None = None
        self._is_on = False

    @property
    def names(self) -> tuple[str, ...]:
        """Loaded adapters, sorted."""
        return tuple(sorted([*self._keys, *self._virtual]))

    def check(self, name: str | None) -> None:
        """Raise InputInvalid if there is no adapter of that name (None is always there)."""
        if name is not None and name not in self._keys and name not in self._virtual:
            known = ", ".join(self.names) or "none"
            raise InputInvalid(f"No such adapter is loaded (loaded: {known})", where=name)

    def virtual_states(self, name: str | None) -> States | None:
        """Return the states that prompts begin with under an adapter, if it has any."""
        return self._virtual.get(name) if name is not None else None

    def mixes(self, name: str | None) -> bool:
        """Tell whether rows with this adapter may share a batch with rows of others.

        peft computes LoRA for each row apart. Of DoRA it says that it cannot, and adapters of
        virtual tokens leave the weights alone.
        """
        return name not in self._keys or self._keys[str(name)] in self._mixable

    def use(self, name: str | None) -> None:
        """Switch to an adapter; None switches all off."""
        self.check(name)
        self._switch(self._keys.get(name) if name is not None else None)

    @contextmanager
    def rows(self, names: Sequence[str | None]) -> Iterator[None]:
        """Let the model compute each row of a batch with its own adapter.

        Args:
            names: Of each row's adapter; if they differ, all of them must mix.
        """
        keys = [self._keys.get(name) if name is not None else None for name in names]
        if len(set(keys)) < 2:
            self._switch(keys[0] if keys else None)
            yield
            return
        if not self._is_on:
            self._switch(next(key for key in keys if key is not None))
        given = [key or _BASE_ROW for key in keys]
        with self._peft.base_model._enable_peft_forward_hooks(adapter_names=given):
            yield

    def _switch(self, key: str | None) -> None:
        if self._peft is None or (key == self._active and self._is_on == (key is not None)):
            return
        if key is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.base_model.set_adapter(key)
            self._model.requires_grad_(False)
        self._active = key
        self._is_on = key is not None

    def add(self, name: str, folder: Path) -> None:
        """Load an adapter; one of the same name is replaced, and the base stays switched on.

        Raises:
            WeightsMissing: The folder holds no adapter.
            InputInvalid: The adapter does not fit the model; what was loaded stays as it was.
        """
        kind = _adapter_kind(folder)
        self._count += 1
        key = f"adapter{self._count:06d}"  # of one length: peft looks for keys as parts of names
        states: States | None = None
        try:
            with quiet_transformers():
                if kind in VIRTUAL_TOKEN_KINDS:
                    self._switch(None)
                    states = load_virtual_tokens(self._model, folder)
                else:
                    self._load(key, folder)
        except Exception as error:
            if kind not in VIRTUAL_TOKEN_KINDS:
                self._drop(key)
            reason = " ".join(str(error).split())[:240]
            raise InputInvalid(
                f"The adapter does not fit the model: {reason}", where=folder
            ) from error
        replaced = self._keys.pop(name, None)
        self._virtual.pop(name, None)
        if states is not None:
            self._virtual[name] = states
        else:
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
        if self._virtual.pop(name, None) is None:
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
        pack_linear_layers(self._model)
        config = self._peft.peft_config[key]
        if config.peft_type == "LORA" and not config.use_dora and not self._is_variant(key):
            self._mixable.add(key)

    def _is_variant(self, key: str) -> bool:
        """Tell whether a layer computes an adapter in a way of its own, which may not mix."""
        layers = self._peft.base_model.modules()
        return any(key in getattr(layer, "lora_variant", {}) for layer in layers)

    def _drop(self, key: str) -> None:
        """Take an adapter out of the model, even one that came in only in part."""
        self._mixable.discard(key)
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
        self._active, self._is_on = None, False

    def _rest(self) -> None:
        """Switch to the base weights, whatever peft did before."""
        if self._peft is None:
            return
        self._peft.base_model.disable_adapter_layers()
        self._model.requires_grad_(False)
        self._model.eval()
        self._active, self._is_on = None, False


def _strip(model: Any) -> None:
    """Undo an injection that peft broke off before it returned anything to unload."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for path, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, last = path.rpartition(".")
            setattr(model.get_submodule(parent), last, module.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config


def _adapter_kind(folder: Path) -> str:
    """Return peft's name of an adapter's kind; refuse what cannot be loaded."""
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
    if kind in _UNSUPPORTED_KINDS:
        # They need more than the prompt (labelled examples, a task's number), which no request
        # has: without it the answers would silently be the base model's.
        raise InputInvalid(
            f"Adapters of type {kind} need more than a prompt, so this engine cannot compute them",
            where=folder,
            fix="Train a LoRA, DoRA, prefix, prompt-tuning or P-tuning adapter.",
        )
    return str(kind or "")
