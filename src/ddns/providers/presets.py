"""The update services that a provider of kind ``dyndns2`` knows by name: what they are asked, what they answer.

Data only. What is not documented, or shown by several independent clients, is not here: no services that take the
address from the connection alone, none without TLS. `page` is where the service describes its
interface, or its home.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ddns.errors import BadCredentials, Banned, NoSuchZone, NotPermitted, RateLimited, Rejected
from ddns.providers.replies import Form, Refusal

#: What dyndns2 asks: GET with these parameters.
PLAIN = "hostname={name}&myip={address}"
DYNDNS2 = Form()


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """An update service.

    `v4` and `v6` are the query of an update, their values with ``{name}`` (the full name), ``{zone}``, ``{left}`` (the
    name's part before the zone, ``@`` for the zone itself), ``{label}`` (before `suffix`), ``{address}``,
    ``{username}`` and ``{password}``. An empty `v6`: IPv6 is not supported, or it is not known how. `url6`: where IPv6
    has an address of its own. `user`: the user name of HTTP Basic, empty: the secret is in the query. `least`: seconds
    that the service wants between two updates of a name, 0: it does not say.
    """

    title: str
    url: str
    page: str
    v4: str = PLAIN
    v6: str = ""
    url6: str = ""
    user: str = "{username}"
    suffix: str = ""
    form: Form = DYNDNS2
    least: int = 0

    def needs(self, what: str) -> bool:
        """Whether a placeholder occurs anywhere."""
        return any("{" + what + "}" in text for text in (self.v4, self.v6, self.user))


_TOKEN = Refusal(BadCredentials, "the token, or the name, is not accepted")
_KEY = Refusal(BadCredentials, "the password is not accepted")
_HOST = Refusal(NoSuchZone, "the account has no such host", "Create the host at the service, or correct the name.")
_SOON = Refusal(RateLimited, "the last update was too short a time ago", rest=600.0)
_PLAN = Refusal(NotPermitted, "dynamic DNS is not switched on for the name", "Switch it on at the service.")
_VALUE = Refusal(Rejected, "name or address is not one that the service takes", "Correct the record.")
_ABUSE = Refusal(Banned, "the service refuses further updates")

_EASYDNS = Form(
    done=r"(<[^>]*>\s*)*(NO_?ERROR|OK)\b.*",
    refusals=(
        (r"(<[^>]*>\s*)*NO_?ACCESS", _KEY),
        (r"(<[^>]*>\s*)*NO_?SERVICE", _PLAN),
        (r"(<[^>]*>\s*)*TOO_?SOON", _SOON),
        (r"(<[^>]*>\s*)*ILLEGAL[_ ]?INPUT", _VALUE),
    ),
)
_ZONEEDIT = Form(
    done=r'<SUCCESS[ _]CODE="20[01]".*',
    refusals=(
        (r'<ERROR[ _]CODE="708"', _KEY),
        (r'<ERROR[ _]CODE="70[27]"', _SOON),
        (r'<ERROR[ _]CODE="7(01|03|09)"', _HOST),
    ),
)
_NAMECHEAP = Form(
    done=r"(<\?xml[^>]*>\s*)?<interface-response>.*<ErrCount>0</ErrCount>.*</interface-response>",
    refusals=(
        (r".*<Err1>Passwords? (do|does) not match[^<]*", _KEY),
        (r".*<Err1>(Domain name not found|No Records updated)[^<]*", _HOST),
        (r".*<Err1>[^<]*", _VALUE),
    ),
)
_INFOMANIAK = Form(
    done=r"(good|nochg|successfully_changed|no_change)( {address})?",
    refusals=(
        ("badauth", _KEY),
        ("(nohost|notfqdn)", _HOST),
        ("abuse", _ABUSE),
    ),
)
_GONE = Refusal(NotPermitted, "the account is not active", "Settle it with the service.")

SERVICES: Mapping[str, Service] = {
    "allinkl": Service(
        title="ALL-INKL.COM",
        url="https://dyndns.kasserver.com/",
        page="https://all-inkl.com/",
        v4="host={name}&myip={address}",
        v6="host={name}&myip6={address}",
    ),
    "changeip": Service(
        title="ChangeIP",
        url="https://nic.changeip.com/nic/update",
        page="https://www.changeip.com/accounts/knowledgebase.php?action=displayarticle&id=34",
        v4="hostname={name}&ip={address}",
        form=Form(done="200 Successful Update.*", refusals=(("402", _PLAN), ("422", _HOST), ("401", _KEY))),
    ),
    "dd24": Service(
        title="domaindiscount24",
        url="https://dynamicdns.key-systems.net/update.php",
        page="https://support.domaindiscount24.com/hc/en-gb/articles/4409759444625-Dynamic-DNS",
        v4="hostname={name}&password={password}&ip={address}",
        user="",
        form=Form(
            done=r".*(code\s*=\s*200|success).*",
            refusals=((".*authori[sz]ation failed", _KEY), (r".*code\s*=\s*53[01]", _KEY)),
        ),
        least=1800,
    ),
    "ddnss": Service(
        title="DDNSS.de",
        url="https://www.ddnss.de/upd.php",
        page="https://ddnss.de/info.php",
        v4="user={username}&pwd={password}&host={name}&ip={address}",
        v6="user={username}&pwd={password}&host={name}&ip6={address}",
        user="",
        form=Form(done=r".*Updated 1 hostname.*", refusals=((".*badauth", _KEY), (".*(notfqdn|nohost)", _HOST))),
    ),
    "desec": Service(
        title="deSEC (dedyn.io)",
        url="https://update.dedyn.io/",
        page="https://desec.readthedocs.io/en/latest/dyndns/update-api.html",
        # Of the family that is not named, the service would take away, or guess, the address.
        v4="hostname={name}&myipv4={address}&myipv6=preserve",
        v6="hostname={name}&myipv6={address}&myipv4=preserve",
        least=60,
    ),
    "dnsomatic": Service(
        title="DNS-O-Matic",
        url="https://updates.dnsomatic.com/nic/update",
        page="https://www.dnsomatic.com/docs/api",
        v4="hostname={name}&myip={address}&wildcard=NOCHG&mx=NOCHG&backmx=NOCHG",
    ),
    "domeneshop": Service(
        title="Domeneshop",
        url="https://api.domeneshop.no/v0/dyndns/update",
        page="https://api.domeneshop.no/docs/#tag/ddns",
        v6=PLAIN,
        form=Form(statuses={204: None, 404: _HOST}),
    ),
    "dondominio": Service(
        title="DonDominio / MrDomain",
        url="https://dondns.dondominio.com/json/",
        page="https://dondominio.dev/en/dondns/docs/api/",
        v4="user={username}&apikey={password}&host={name}&ip={address}",
        user="",
        form=Form(done=r'\{.*"success"\s*:\s*true.*\}', refusals=((r'\{.*"success"\s*:\s*false.*', _TOKEN),)),
    ),
    "duckdns": Service(
        title="Duck DNS",
        url="https://www.duckdns.org/update",
        page="https://www.duckdns.org/spec.jsp",
        v4="domains={label}&token={password}&ip={address}",
        v6="domains={label}&token={password}&ipv6={address}",
        user="",
        suffix=".duckdns.org",
        form=Form(done="OK", refusals=(("KO$", _TOKEN),)),
    ),
    "dyn": Service(
        title="Dyn (Oracle)",
        url="https://members.dyndns.org/v3/update",
        page="https://help.dyn.com/remote-access-api/perform-update/",
        v6=PLAIN,
    ),
    "dynrs": Service(
        title="Dyn.rs",
        url="https://dyn.rs/v3/update",
        page="https://dyn.rs/en/doc/api/v3",
    ),
    "dynu": Service(
        title="Dynu",
        url="https://api.dynu.com/nic/update",
        page="https://www.dynu.com/en-US/DynamicDNS/IP-Update-Protocol",
        v4="hostname={name}&myip={address}&myipv6=no",
        v6="hostname={name}&myip=no&myipv6={address}",
    ),
    "dynv6": Service(
        title="dynv6",
        url="https://dynv6.com/api/update",
        page="https://dynv6.com/docs/apis",
        v4="zone={name}&token={password}&ipv4={address}",
        v6="zone={name}&token={password}&ipv6={address}",
        user="",
        form=Form(done=r"addresses (updated|unchanged)"),
    ),
    "easydns": Service(
        title="easyDNS",
        url="https://api.cp.easydns.com/dyn/generic.php",
        page="https://kb.easydns.com/knowledge/dynamic-dns/",
        form=_EASYDNS,
        least=600,
    ),
    "freedns": Service(
        title="FreeDNS (afraid.org), a key a name",
        url="https://freedns.afraid.org/dynamic/update.php",
        page="https://freedns.afraid.org/dynamic/",
        v4="{password}&address={address}",
        v6="{password}&address={address}",
        user="",
        form=Form(
            done=r"Updated .*|ERROR: Address .* has not changed\.?",
            refusals=((r"ERROR: Unable to locate this record", _TOKEN), (r"ERROR: (Invalid|Missing)[^.]*", _TOKEN)),
        ),
    ),
    "freemyip": Service(
        title="FreeMyIP",
        url="https://freemyip.com/update",
        page="https://freemyip.com/help",
        v4="token={password}&domain={name}&myip={address}",
        user="",
        form=Form(done="OK", refusals=(("ERROR", _TOKEN),)),
    ),
    "goip": Service(
        title="GoIP.de",
        url="https://www.goip.de/setip",
        page="https://www.goip.de/update-url.html",
        v4="username={username}&password={password}&subdomain={name}&ip={address}&shortResponse=true",
        v6="username={username}&password={password}&subdomain={name}&ip6={address}&shortResponse=true",
        user="",
        form=Form(done=r"{name} \({address}\).*", refusals=(("zugriff verweigert", _KEY),)),
    ),
    "henet": Service(
        title="Hurricane Electric Free DNS, a key a name",
        url="https://dyn.dns.he.net/nic/update",
        page="https://dns.he.net/docs.html",
        v6=PLAIN,
        user="{name}",
    ),
    "infomaniak": Service(
        title="Infomaniak",
        url="https://infomaniak.com/nic/update",
        page="https://www.infomaniak.com/en/support/faq/2357/getting-started-guide-dyndns-with-an-infomaniak-domain",
        v6=PLAIN,
        form=_INFOMANIAK,
    ),
    "inwx": Service(
        title="INWX",
        url="https://dyndns.inwx.com/nic/update",
        page="https://www.inwx.com/",
        v6="hostname={name}&myipv6={address}",
    ),
    "ipv64": Service(
        title="IPv64.net",
        url="https://ipv64.net/nic/update",
        page="https://ipv64.net/dyndns_updater_api",
        v4="domain={name}&ip={address}",
        v6="domain={name}&ip6={address}",
        user="none",
        # Which words stand in the answer is not documented, and peers go by the status; a page is no answer.
        form=Form(done=r"(?!<).+"),
        least=1800,
    ),
    "loopia": Service(
        title="Loopia",
        url="https://dyndns.loopia.se/",
        page="https://support.loopia.com/wiki/about-the-dyndns-support/",
    ),
    "namecheap": Service(
        title="Namecheap, a password a domain",
        url="https://dynamicdns.park-your-domain.com/update",
        page="https://www.namecheap.com/support/knowledgebase/article.aspx/29/11/",
        v4="host={left}&domain={zone}&password={password}&ip={address}",
        user="",
        form=_NAMECHEAP,
    ),
    "njalla": Service(
        title="Njalla, a key a name",
        url="https://njal.la/update/",
        page="https://njal.la/docs/ddns/",
        v4="h={name}&k={password}&a={address}",
        v6="h={name}&k={password}&aaaa={address}",
        user="",
        form=Form(done=r'\{.*"message"\s*:\s*"record updated".*\}'),
    ),
    "noip": Service(
        title="No-IP",
        url="https://dynupdate.no-ip.com/nic/update",
        page="https://www.noip.com/integrate/request",
        v6=PLAIN,
    ),
    "nowdns": Service(
        title="Now-DNS",
        url="https://now-dns.com/update",
        page="https://now-dns.com/",
        v6=PLAIN,
    ),
    "nsupdate": Service(
        title="nsupdate.info, a secret a name",
        url="https://ipv4.nsupdate.info/nic/update",
        url6="https://ipv6.nsupdate.info/nic/update",
        page="https://nsupdateinfo.readthedocs.io/en/latest/user.html",
        v6=PLAIN,
        user="{name}",
    ),
    "ovh": Service(
        title="OVHcloud DynHost",
        url="https://www.ovh.com/nic/update",
        page="https://docs.ovh.com/ie/en/domains/hosting_dynhost/",
        v4="system=dyndns&" + PLAIN,
        v6="system=dyndns&" + PLAIN,
    ),
    "regfish": Service(
        title="regfish, a token a domain",
        url="https://dyndns.regfish.de/",
        page="https://www.regfish.de/domains/dyndns/dokumentation",
        v4="fqdn={name}.&ipv4={address}&forcehost=1&authtype=secure&token={password}",
        v6="fqdn={name}.&ipv6={address}&forcehost=1&authtype=secure&token={password}",
        user="",
        form=Form(done=r"success\|10[01]\|.*", refusals=((r"error\|\d+\|[^|]*", _TOKEN),)),
    ),
    "selfhost": Service(
        title="selfHOST",
        url="https://carol.selfhost.de/nic/update",
        page="https://www.selfhost.de/",
        form=Form(
            statuses={204: None, 401: _KEY, 409: _HOST, 410: _GONE, 411: _VALUE, 412: _VALUE},
        ),
    ),
    "spdyn": Service(
        title="SPDyn (Securepoint)",
        url="https://update.spdyn.de/nic/update",
        page="https://wiki.securepoint.de/SPDyn/Variablen",
    ),
    "strato": Service(
        title="STRATO",
        url="https://dyndns.strato.com/nic/update",
        page="https://www.strato.com/faq/en_us/domain/this-is-how-easy-it-is-to-set-up-dyndns-for-your-domains/",
    ),
    "variomedia": Service(
        title="Variomedia",
        url="https://dyndns.variomedia.de/nic/update",
        page="https://dyndns.variomedia.de/",
        v6=PLAIN,
    ),
    "zoneedit": Service(
        title="Zoneedit",
        url="https://api.cp.zoneedit.com/dyn/generic.php",
        page="https://support.zoneedit.com/en/knowledgebase/article/dynamic-dns",
        form=_ZONEEDIT,
        least=600,
    ),
}
