"""Runs the commands of a page as they are written, on a Windows machine under Wine with an internet of its own.

Started by `test_as_written` in namespaces of its own (`ground.internet`): `python -m powershell.one.as_written FILE`.
FILE is a JSON document: `folder` (for this run), `share` (where the commands are typed), `authority` (PEM: whose code
signatures count), `answers` (to Read-Host), `steps`: each with `text` (the commands), or `address` (the public address
from now on), after which a network comes. The answer is a list on standard output: what each step printed, how it
ended, the records at Cloudflare, and what was asked for.
"""

from __future__ import annotations

import json
import ssl
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ground import internet, judge, pwsh
from ground.http import Reply, Request, Server
from ground.tls import Authority
from ground.whoami import Whoami
from providers.doubles.cloudflare import Api

API = "api.cloudflare.com"
#: The services that a new installation asks for its address, over HTTPS and by DNS.
ECHOES = ("api4.ipify.org", "checkip.amazonaws.com", "ifconfig.me", "ipv4.icanhazip.com")
RESOLVERS = ("208.67.222.222", "216.239.32.10")
DOUBLES = pwsh.ROOT / "tests" / "powershell" / "doubles"
#: What is there before the commands: an administrator who answers, and Windows' own commands that Wine lacks.
PRELUDE = """
Import-Module '{signatures}'
$ConfirmPreference = 'None'
function global:Read-Host {{
    param([switch]$AsSecureString, [string]$Prompt)
    [IO.File]::AppendAllText('{asked}', "$Prompt`n")
    $answers = @([IO.File]::ReadAllLines('{answers}'))
    [IO.File]::WriteAllLines('{answers}', [string[]]@($answers | Select-Object -Skip 1))
    if (-not $AsSecureString) {{ return $answers[0] }}
    $secure = New-Object -TypeName System.Security.SecureString
    foreach ($character in $answers[0].ToCharArray()) {{ $secure.AppendChar($character) }}
    $secure
}}
Set-Location -LiteralPath '{share}'
"""
NETWORK = """
& '{fire}' -Kind Event -Channel 'Microsoft-Windows-NetworkProfile/Operational' -EventId 10000 `
    -Provider Microsoft-Windows-NetworkProfile -Wait | Out-Null
"""


class Internet:
    """Cloudflare's API, the services that tell an address, and the judge of signatures."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.address = ""
        self.cloudflare = Api()
        internet.inside((API, *ECHOES), RESOLVERS, folder)
        authority = Authority(folder)
        internet.trust(authority.file)
        chain, key = authority.write_server_files(folder, API, *ECHOES, whole=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        stack.enter_context(Server(self._answer, context, port=443))
        self._resolvers = [stack.enter_context(Whoami(at=(host, 53))) for host in RESOLVERS]

    def move(self, address: str) -> None:
        """The public address changes."""
        self.address = address
        for resolver in self._resolvers:
            resolver.address = address

    def records(self) -> dict[str, str]:
        """What Cloudflare holds: name -> address."""
        return {record["name"]: record["content"] for record in self.cloudflare.records.values()}

    def _answer(self, request: Request) -> Reply:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname
        if host == API:
            return self.cloudflare.web.serve(request)
        return Reply(body=self.address.encode(), headers={"Content-Type": "text/plain"})


def run(spec: dict[str, Any], stack: ExitStack) -> list[dict[str, Any]]:
    """All steps, in order."""
    folder, share = Path(spec["folder"]), Path(spec["share"])
    world = Internet(folder, stack)
    service = stack.enter_context(judge.server(Path(spec["authority"])))
    shell = pwsh.windows(folder / "prefix")
    assert shell.machine is not None
    stack.callback(shell.machine.stop)
    root = shell.machine.drive_c
    answers, asked = root / "answers", root / "asked"
    answers.write_text("\n".join(spec["answers"]))
    asked.write_text("")
    prelude = PRELUDE.format(
        signatures=shell.path(DOUBLES / "Signatures.psm1"),
        asked=shell.path(asked),
        answers=shell.path(answers),
        share=shell.path(share),
    )
    environ = {
        "DDNS_FAKE_TASKS": shell.path(folder / "tasks"),
        "PSModulePath": shell.path(pwsh.tasks_double().parent),
        "JUDGE": service.url,
        "DOTNET_GCgen0size": "80000000",
    }

    def typed(text: str) -> pwsh.Ended:
        file = root / "typed.ps1"
        file.write_text(text)
        return shell.file(file, environ=environ, timeout=300)

    told = []
    for step in spec["steps"]:
        if "address" in step:
            world.move(step["address"])
        fire = shell.path(pwsh.tasks_double() / "Invoke-FakeTaskEvent.ps1")
        ended = typed(f"{prelude}{step['text']}\nexit $LASTEXITCODE\n" if "text" in step else NETWORK.format(fire=fire))
        more = {"records": world.records(), "asked": asked.read_text().splitlines()}
        told.append({"exit": ended.exit, "out": ended.out, "err": ended.err, **more})
    return told


if __name__ == "__main__":
    with ExitStack() as everything:
        print(json.dumps(run(json.loads(Path(sys.argv[1]).read_text()), everything)))
