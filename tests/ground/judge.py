"""What Windows says of a signature, told by osslsigncode: a service on loopback for a PowerShell that can't read one.

`powershell/doubles/Signatures.psm1` has the command that asks it. It is given the bytes and the ending of the file.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from ground.http import Reply, Request, Server
from packages import tools

_SUBJECT = re.compile(r"Signer #0:\s+Subject: (.*)")


def verdict(path: Path, authorities: Path) -> dict[str, str]:
    """`status` as Get-AuthenticodeSignature has it, and the signer's `subject` as Windows writes it."""
    said = tools.osslsigncode().run("verify", "-CAfile", str(authorities), "-in", str(path))
    found = _SUBJECT.search(said.stdout)
    subject = ", ".join(reversed([part for part in found[1].strip().split("/") if part])) if found else ""
    if "MISMATCH" in said.stdout:
        status = "HashMismatch"
    elif not found:
        status = "NotSigned"
    else:
        status = "UnknownError" if said.returncode else "Valid"
    return {"status": status, "subject": subject}


def server(authorities: Path) -> Server:
    """The service; its clients POST the content to /.ENDING. `authorities` (PEM) are all that it trusts."""

    def answer(request: Request) -> Reply:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"file{request.target.lstrip('/')}")
            path.write_bytes(request.body)
            return Reply(body=json.dumps(verdict(path, authorities)).encode())

    return Server(answer)
