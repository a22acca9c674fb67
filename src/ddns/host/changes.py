"""Changes of this machine's addresses and routes, as they happen: `Changes`, a context manager that waits for one."""

import sys

if sys.platform == "win32":
    from ddns.host.windows.changes import Changes as Changes
else:
    from ddns.host.linux.changes import Changes as Changes
