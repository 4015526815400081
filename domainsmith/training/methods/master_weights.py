"""AdamW with float32 master weights for a model that computes in bfloat16.

An adapter that computes in bfloat16 trains about 1.2 times as fast on a CPU as one in float32
over a bfloat16 base (no casts), but bfloat16 alone would lose small updates. So the optimizer
owns float32 copies: gradients are summed into them after each micro-batch, and each step writes
the rounded result back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

__all__ = ["MasterAdamW"]


class MasterAdamW(torch.optim.AdamW):
    """AdamW over float32 copies of the given parameters.

    Args:
        named: Names and parameters to train, in a fixed order.
        lr: Peak learning rate.
        clip: Largest norm of the whole gradient, taken in float32.
    """

    def __init__(
        self, named: Iterable[tuple[str, torch.nn.Parameter]], *, lr: float, clip: float = 1.0
    ) -> None:
        pairs = list(named)
        self.names = [name for name, _ in pairs]
        self.live = [parameter for _, parameter in pairs]
        self.masters = [parameter.detach().float().clone() for parameter in self.live]
        self.clip = clip
        self.gradient_norm = 0.0
        super().__init__(self.masters, lr=lr, betas=(0.9, 0.999), weight_decay=0.0, foreach=True)

    def absorb(self) -> None:
        """Add the parameters' gradients to the masters' and clear them."""
        for parameter, master in zip(self.live, self.masters, strict=True):
            if parameter.grad is None:
                continue
            gradient = parameter.grad.float()
            master.grad = gradient if master.grad is None else master.grad.add_(gradient)
            parameter.grad = None

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Clip, update the masters and write them back."""
        self.absorb()
        self.gradient_norm = float(torch.nn.utils.clip_grad_norm_(self.masters, self.clip))
        super().step(closure)
        for parameter, master in zip(self.live, self.masters, strict=True):
            parameter.copy_(master)
            # The trainer clears the model's gradients only, and these are not the model's.
            master.grad = None

    def save(self, folder: Path) -> None:
        """Write masters and moments as safetensors.

        Args:
            folder: Gets ``optimizer.safetensors``.
        """
        tensors: dict[str, torch.Tensor] = {}
        for name, master in zip(self.names, self.masters, strict=True):
            tensors[f"master.{name}"] = master.detach()
            for key, value in self.state[master].items():
                tensors[f"{key}.{name}"] = value
        plain = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        save_file(plain, folder / "optimizer.safetensors")

    @torch.no_grad()
    def restore(self, folder: Path) -> None:
        """Take over what :meth:`save` wrote.

        Args:
            folder: Holds ``optimizer.safetensors``.
        """
        tensors = load_file(folder / "optimizer.safetensors")
        pairs = zip(self.names, self.live, self.masters, strict=True)
        for name, parameter, master in pairs:
            master.copy_(tensors[f"master.{name}"])
            parameter.copy_(master)
            if f"step.{name}" not in tensors:
                continue  # never had a gradient (a part of the model that its output leaves out)
            for key in ("exp_avg", "exp_avg_sq"):
                self.state[master][key] = tensors[f"{key}.{name}"].to(master.device)
            self.state[master]["step"] = tensors[f"step.{name}"]
