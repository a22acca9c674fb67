"""What differs between operating systems, chosen once at import. Standard library only: every run pays for it."""

import sys

if sys.platform == "win32":
    raise ImportError("this version runs on Linux; the Windows parts come with ddns.exe")

from ddns.host.posix import InstanceLock as InstanceLock
from ddns.host.posix import Places as Places
from ddns.host.posix import append as append
from ddns.host.posix import places as places
from ddns.host.posix import policy_file as policy_file
from ddns.host.posix import private_folder as private_folder
from ddns.host.posix import readable_places as readable_places
from ddns.host.posix import replace as replace
from ddns.host.posix import sleep_bias as sleep_bias
from ddns.host.posix import source_address as source_address
