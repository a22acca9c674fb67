"""The network: the cheap wire, the HTTP client, trust, resolver."""

import sys

# httpx imports its command line (click, rich, pygments: 50 ms) if it can, and takes an ImportError as "not installed".
# It is said here, before any module of this package can import httpx.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None makes an import fail, by the language
