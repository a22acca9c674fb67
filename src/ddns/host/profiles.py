"""The profile of the network behind a router: `behind(mac)` is its name, and ``public``, ``private`` or ``domain``.

Both are "" where the system knows none, as everywhere but on Windows.
"""

import sys

if sys.platform == "win32":
    from ddns.host.windows.profiles import behind as behind
else:

    def behind(router: str) -> tuple[str, str]:  # noqa: ARG001 - Windows' signature
        """Such a profile is Windows' own."""
        return "", ""
