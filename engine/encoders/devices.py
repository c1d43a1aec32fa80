"""What the machine can do: which device computes, in which numbers, with how many threads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import SettingsError

if TYPE_CHECKING:
    import torch

CPU_INFO = Path("/proc/cpuinfo")
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Elsewhere bf16 is emulated, and slower than fp32."""


def device_for(name: str) -> torch.device:
    """The device that `DEVICE` means here.

    Args:
        name: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.

    Raises:
        SettingsError: This machine has no such device.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    device = torch.device(name)
    is_there = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not is_there.get(device.type, True):
        reason = f"this machine offers no {name}; use auto or cpu"
        raise SettingsError(f"DEVICE: {reason}", key="settings", name="DEVICE", reason=reason)
    return device


def precision_for(device: torch.device) -> torch.dtype:
    """The numbers to keep weights in: half as many bytes where the hardware multiplies them."""
    import torch

    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16
        has_fast_half = torch.cuda.get_device_capability(device) >= (7, 0)
        return torch.float16 if has_fast_half else torch.float32
    if device.type == "cpu" and has_bf16():
        return torch.bfloat16
    return torch.float32


def has_bf16(cpu_info: Path = CPU_INFO) -> bool:
    """Whether the processor multiplies bf16 itself (AVX512-BF16 or AMX-BF16)."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2] for line in lines if line.startswith("flags")), "")
    return not BF16_FLAGS.isdisjoint(flags.split())


def use_allowed_threads() -> int:
    """Keep torch to the cores this process may use; returns how many threads it computes with.

    torch counts the machine's cores; in a container with a quota its threads would wait for
    each other.
    """
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), allowed_cores()))
    return torch.get_num_threads()


def allowed_cores(quota: Path = CPU_QUOTA) -> int:
    """Cores that this process may keep busy: affinity, and the container's quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        allowance, period = quota.read_text(encoding="ascii").split()
        share = int(allowance) // int(period)
    except (OSError, ValueError):  # no such file, or "max": no quota
        return cores
    return max(1, min(cores, share))
