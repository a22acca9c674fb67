"""The proxies that the system is set to use: `read()` is (servers, exceptions, a script's URL), each "" for none."""

import sys

if sys.platform == "win32":
    from ddns.host.windows.proxies import read as read
else:

    def read() -> tuple[str, str, str]:
        """Other systems say it in the environment only."""
        return "", "", ""
