"""Whether anybody but administrators, or this account itself, can change a file: `refusal(path)` says why, or ""."""

import sys

if sys.platform == "win32":
    from ddns.host.windows.ownership import refusal as refusal
else:
    from ddns.host.linux.ownership import refusal as refusal
