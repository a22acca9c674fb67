"""This program as a service of the system: what an administrator asks of it, and the service itself.

Windows only; elsewhere every call raises UsageError, which says what to use instead.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from ddns.host.windows.manager import install as install
    from ddns.host.windows.manager import query as query
    from ddns.host.windows.manager import remove as remove
    from ddns.host.windows.manager import start as start
    from ddns.host.windows.manager import stop as stop
    from ddns.host.windows.service import serve as serve
else:
    from ddns.host.linux.service import install as install
    from ddns.host.linux.service import query as query
    from ddns.host.linux.service import remove as remove
    from ddns.host.linux.service import serve as serve
    from ddns.host.linux.service import start as start
    from ddns.host.linux.service import stop as stop
