"""The built-in DNS whoami services behind TLS, as data. Apart, because dnspython is imported only where one is set.

Google has none: its name servers speak plain DNS only, and its resolvers, asked over TLS or HTTPS, tell the address of
a resolver.
"""

from __future__ import annotations

from ddns.address import Family
from ddns.sources.services import CLOUDFLARE
from ddns.sources.whoami import Question, WhoamiSource

_V4, _V6 = Family.V4, Family.V6
_OPENDNS = Question("myip.opendns.com")
_CLOUDFLARE = Question("whoami.cloudflare", text=True, chaos=True)

#: name -> source.
SECURE_DNS = {
    source.name: source
    for source in (
        WhoamiSource(
            "opendns-tls",
            "OpenDNS",
            _OPENDNS,
            {_V4: "208.67.222.222:853", _V6: "[2620:119:35::35]:853"},
            "dns.opendns.com",
        ),
        WhoamiSource(
            "opendns-https", "OpenDNS", _OPENDNS, dict.fromkeys((_V4, _V6), "https://doh.opendns.com/dns-query")
        ),
        WhoamiSource(
            "cloudflare-tls",
            "Cloudflare",
            _CLOUDFLARE,
            {_V4: "1.1.1.1:853", _V6: "[2606:4700:4700::1111]:853"},
            "cloudflare-dns.com",
            CLOUDFLARE,
        ),
        WhoamiSource(
            "cloudflare-https",
            "Cloudflare",
            _CLOUDFLARE,
            dict.fromkeys((_V4, _V6), "https://cloudflare-dns.com/dns-query"),
            exits=CLOUDFLARE,
        ),
    )
}
