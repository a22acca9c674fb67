"""What differs between operating systems, chosen once at import. Standard library only: every run pays for it."""

import sys

from ddns.host.bounded import read_at_most as read_at_most
from ddns.host.places import Places as Places

if sys.platform == "win32":
    from ddns.host.windows.files import append as append
    from ddns.host.windows.files import replace as replace
    from ddns.host.windows.folders import private_folder as private_folder
    from ddns.host.windows.lock import InstanceLock as InstanceLock
    from ddns.host.windows.places import places as places
    from ddns.host.windows.places import policy_file as policy_file
    from ddns.host.windows.places import readable_places as readable_places
    from ddns.host.windows.uptime import sleep_bias as sleep_bias
else:
    from ddns.host.posix import InstanceLock as InstanceLock
    from ddns.host.posix import append as append
    from ddns.host.posix import places as places
    from ddns.host.posix import policy_file as policy_file
    from ddns.host.posix import private_folder as private_folder
    from ddns.host.posix import readable_places as readable_places
    from ddns.host.posix import replace as replace
    from ddns.host.posix import sleep_bias as sleep_bias
