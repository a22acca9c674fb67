"""The router that IPv4 packets to the Internet go to first: `default()` its address, `mac(address)` its MAC address.

Each is "" where the system does not know it. Both raise OSError.
"""

import sys

if sys.platform == "win32":
    from ddns.host.windows.gateways import default as default
    from ddns.host.windows.gateways import mac as mac
else:
    from ddns.host.linux.gateways import default as default
    from ddns.host.linux.gateways import mac as mac
