"""The addresses of this machine's adapters: `read()` gives each as an `addresses.LocalAddress`. Raises OSError."""

import sys

if sys.platform == "win32":
    from ddns.host.windows.adapters import read as read
else:
    from ddns.host.linux.adapters import read as read
