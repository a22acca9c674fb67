"""An Internet gateway device on loopback, as UPnP IGD 1 describes it: a root description, and one SOAP action.

Discovery by multicast can't be played on loopback: clients are given the URL of the description.
"""

from __future__ import annotations

from ground.http import Reply, Request, Server

_DESCRIPTION = """<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/common</controlURL>
<eventSubURL>/event</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service></serviceList><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/control</controlURL>
<eventSubURL>/event</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service></serviceList></device></deviceList></device>
</deviceList></device></root>"""
_ANSWER = """<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<u:GetExternalIPAddressResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">
<NewExternalIPAddress>{}</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>"""


class Igd(Server):
    """`address` is what it tells; `fault`, when set, is its answer to the action instead."""

    def __init__(self, address: str) -> None:
        super().__init__(self._reply)
        self.address = address
        self.fault: Reply | None = None

    @property
    def description(self) -> str:
        """The URL of the root description."""
        return f"{self.url}root.xml"

    def told(self) -> bytes:
        """The body of a right answer."""
        return _ANSWER.format(self.address).encode()

    def _reply(self, request: Request) -> Reply:
        xml = {"Content-Type": "text/xml"}
        if request.method == "GET":
            return Reply(body=_DESCRIPTION.encode(), headers=xml)
        return self.fault or Reply(body=self.told(), headers=xml)
