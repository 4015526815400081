"""Which device, number type and number of threads to compute with."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

from domainsmith.errors import InputInvalid

if TYPE_CHECKING:
    import torch

__all__ = [
    "is_out_of_memory",
    "keep_freed_memory",
    "physical_cores",
    "pick_device",
    "pick_dtype",
    "set_threads",
]

_DEVICES = ("cpu", "cuda", "mps")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 1 << 29
_BLOCK_BYTES = (1 << 27, 1 << 25)
"""Largest block that is taken from kept memory; older glibc takes no more than 32 MB."""
_DTYPES = {
    "bfloat16": "bfloat16",
    "bf16": "bfloat16",
    "float16": "float16",
    "fp16": "float16",
    "float32": "float32",
    "fp32": "float32",
}


def pick_device(device: str = "auto") -> str:
    """Choose the device to compute on.

    Args:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Returns:
        ``auto`` becomes the first of cuda, mps and cpu that works here.

    Raises:
        InputInvalid: The named device does not exist here.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind, colon, number = device.partition(":")
    if kind not in _DEVICES or (colon and not number.isdecimal()):
        raise InputInvalid("Unknown device", where=device, fix=f"Use auto or one of {_DEVICES}.")
    count = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    if int(number or 0) >= count[kind]:
        raise InputInvalid(
            "This machine (or this build of torch) has no such device",
            where=device,
            fix="Use auto.",
        )
    return device


def pick_dtype(dtype: str = "auto", device: str = "cpu") -> torch.dtype:
    """Choose the number type of the weights.

    Args:
        dtype: ``auto``, ``bfloat16``, ``float16`` or ``float32`` (short forms work as well).
        device: As returned by :func:`pick_device`.

    Returns:
        ``auto`` becomes bfloat16, which decodes about twice as fast as float32 even on CPUs; only
        mps and x86 CPUs without AVX-512 or AMX get float16 and float32.

    Raises:
        InputInvalid: Not one of these names.
    """
    import torch

    if dtype != "auto":
        if dtype not in _DTYPES:
            raise InputInvalid(
                "Unknown number type", where=dtype, fix="Use auto, bfloat16, float16 or float32."
            )
        chosen: torch.dtype = getattr(torch, _DTYPES[dtype])
        return chosen
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device == "mps":
        return torch.float16
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def physical_cores() -> int:
    """Return the number of physical cores that this process may use, at least 1."""
    allowed = (
        os.sched_getaffinity(0)
        if hasattr(os, "sched_getaffinity")
        else set(range(os.cpu_count() or 1))
    )
    cores = set()
    for cpu in allowed:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text(encoding="ascii").strip())
        except OSError:
            return max(1, len(allowed))
    return max(1, min(len(cores), _cpu_quota()))


def _cpu_quota() -> int:
    """Return the CPUs that a container's quota grants; a large number without a quota."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return 1 << 16


def set_threads(threads: int = 0) -> int:
    """Set the number of torch's compute threads for this process.

    Oversubscription costs several times the speed, so it is always set explicitly.

    Args:
        threads: 0 takes ``OMP_NUM_THREADS`` if set, else the physical cores.

    Returns:
        The number that was set.

    Raises:
        InputInvalid: The number is negative.
    """
    import torch

    if threads < 0:
        raise InputInvalid("The number of threads is negative", where=threads)
    if threads == 0:
        wish = os.environ.get("OMP_NUM_THREADS", "")
        threads = int(wish) if wish.isdecimal() and int(wish) > 0 else physical_cores()
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    return threads


def keep_freed_memory() -> bool:
    """Let the C library keep what torch frees on a CPU, up to 512 MB, for its next tensors.

    By default glibc gives blocks of some megabytes back to the system at once, and each of their
    pages is set to zero again when the next layer takes them: a tenth of a prompt's time.

    Returns:
        Whether it was done: not without glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    # In this order: the other option alone would keep glibc from raising the size of blocks itself.
    if not any(mallopt(_M_MMAP_THRESHOLD, size) == 1 for size in _BLOCK_BYTES):
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) == 1)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, of the machine or of an accelerator.

    Args:
        error: What a computation raised; torch's CPU allocator raises a plain ``RuntimeError``.
    """
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )
