"""Whether a value is one of its record type, for doubles that check what is written to them."""

from __future__ import annotations

import ipaddress

import dns.exception
import dns.name


def fits(rdtype: str, text: str) -> bool:
    """Whether a service would take the text as a value of this type; texts stand without quotes."""
    try:
        if rdtype in ("A", "AAAA"):
            return ipaddress.ip_address(text).version == {"A": 4, "AAAA": 6}[rdtype]
        if rdtype == "CNAME":
            return len(dns.name.from_text(text).labels) > 2
    except (ValueError, dns.exception.DNSException):
        return False
    return rdtype == "TXT" and 0 < len(text) <= 1024
