"""Hypothesis: no deadline of its own (a run writes to disk), and in CI the same examples each time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from ground import in_ci

settings.register_profile(
    "faults",
    deadline=None,
    derandomize=in_ci(),
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
