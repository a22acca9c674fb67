"""How long the machine slept since it was started."""

from __future__ import annotations

import sys

assert sys.platform == "win32"


def sleep_bias() -> int:
    """Whole seconds that this machine has slept since boot: a new value means that it was resumed."""
    import ctypes  # noqa: PLC0415 - 10 ms that `ddns status` needn't pay

    kernel = ctypes.WinDLL("kernel32")
    kernel.GetTickCount64.restype = ctypes.c_uint64
    awake = ctypes.c_uint64()  # in 100 ns
    kernel.QueryUnbiasedInterruptTime(ctypes.byref(awake))
    since_boot: int = kernel.GetTickCount64()  # in ms
    return round(since_boot / 1000 - awake.value / 10_000_000)
