"""What starts runs beside a service: Windows' Task Scheduler, or the session of a user. Elsewhere: nothing of ours."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from ddns.host.windows.tasks import at_logon as at_logon
    from ddns.host.windows.tasks import query as query
    from ddns.host.windows.tasks import sees_all as sees_all
else:
    from ddns.host.linux.tasks import at_logon as at_logon
    from ddns.host.linux.tasks import query as query
    from ddns.host.linux.tasks import sees_all as sees_all
