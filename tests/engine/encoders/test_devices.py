"""What the machine can do is looked up, not assumed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import torch

from engine.encoders.devices import allowed_cores, device_for, has_bf16, precision_for
from engine.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f avx512_bf16 amx", True),
        ("fpu amx_bf16", True),
        ("fpu avx2 avx512_vnni", False),
    ],
)
def test_bf16_is_used_only_where_the_processor_has_it(
    tmp_path: Path, flags: str, *, expected: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(
        f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: avx512_bf16\n"
    )
    assert has_bf16(tmp_path / "cpuinfo") is expected


def test_without_a_list_of_flags_there_is_no_bf16(tmp_path: Path) -> None:
    assert not has_bf16(tmp_path / "cpuinfo")


def test_precision_on_the_processor_follows_its_flags() -> None:
    expected = torch.bfloat16 if has_bf16() else torch.float32
    assert precision_for(torch.device("cpu")) is expected


@pytest.mark.parametrize(
    ("quota", "most"), [("150000 100000", 1), ("50000 100000", 1), ("max 100000", 10**6)]
)
def test_a_containers_quota_bounds_the_threads(tmp_path: Path, quota: str, most: int) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert allowed_cores(tmp_path / "cpu.max") == min(cores or 1, most)


def test_a_device_that_is_not_there_names_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"DEVICE: this machine offers no cuda:63"):
        device_for("cuda:63")
    assert device_for("cpu") == torch.device("cpu")
