r"""One machine's story: installed by MSI, enrolled, run, killed, upgraded, and uninstalled.

The program is the built one in its real places, found by PATH or started as the task starts it; the gateway is a
process behind TLS with a certificate of a company's authority, which is in the store of this Windows; DNS is BIND.

Wine's msiexec does not bring back the older version when the newer one fails its trial; that Windows Installer does is
for a real Windows to show. Here: the broken one is not installed, and nothing of the machine's data is lost.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from e2e import windows_kind
from e2e.machine import PLAIN, Ended, clean, ended
from e2e.site import Site, until
from faults.windows_world import Cut, traced
from ground import NotHere, not_run
from ground.bind import Bind
from ground.echo import Echo
from ground.http import Reply, Request
from ground.programs import compiled
from ground.tls import Authority
from ground.whoami import Whoami
from packages import facts, msi
from packages.facts import Build
from windows import cache, wine
from windows.resources.version import ICON
from windows.wine import Wine

#: Addresses that the machine has, one after the other.
ADDRESSES = [f"203.0.113.{number}" for number in range(10, 40)]
DATA = r"C:\ProgramData\DDNS"
PROGRAM = r"C:\Program Files\DDNS"
KILLED = 128 + 9
OLD, NEW, BROKEN = "0.8.0", "0.9.0", "0.9.1"


class Gate(Echo):
    """An echo service that keeps who asks waiting while `open` is not set."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(ADDRESSES[0], tls)
        self.open = threading.Event()
        self.open.set()

    def serve(self, request: Request) -> Reply:
        reply = super().serve(request)
        self.open.wait()
        return reply


@dataclass
class Pc:
    """The machine, and what tells its address."""

    wine: Wine
    bind: Bind
    name: str
    voices: tuple[Gate, Gate, Whoami]
    environ: dict[str, str] = field(init=False)
    addresses: Iterator[str] = field(default_factory=lambda: iter(ADDRESSES))

    def __post_init__(self) -> None:
        self.environ = clean(self.wine.environ(PLAIN))

    @property
    def data(self) -> Path:
        """Settings, secrets, state, logs, public."""
        return self.wine.path(DATA)

    @property
    def task(self) -> tuple[str, ...]:
        """What the task starts."""
        return ("wine", str(self.wine.path(PROGRAM) / "msi" / "app" / "ddns.exe"), "run")

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environ, stdin=pipe, stdout=pipe, stderr=pipe)

    def typed(self, *arguments: str, stdin: str = "") -> Ended:
        """A person types ``ddns ...`` in a new window."""
        with self.start("wine", "cmd", "/c", "ddns", *arguments) as process:
            return ended(process, stdin)

    def run(self) -> Ended:
        """The task runs."""
        with self.start(*self.task) as process:
            return ended(process)

    def killed(self, cut: Cut, ports: dict[str, int]) -> list[str]:
        """The task runs, and is killed there; the effects that it began."""
        code, labels = traced(self.task, self.environ, self.data, cut, ports)
        assert code == (KILLED if cut.number else 0)
        return labels

    def move(self) -> str:
        """The machine gets another address."""
        address = next(self.addresses)
        for voice in self.voices:
            voice.address = address
        return address

    def published(self) -> tuple[str, ...]:
        answer = self.bind.query(self.name)
        return answer.values if answer else ()

    def msiexec(self, *arguments: str) -> int:
        return self.wine.run("msiexec", *arguments, "/qn", timeout=300).returncode

    def kept(self) -> dict[str, bytes]:
        """What must survive: settings, secrets, state."""
        parts = ("config", "secrets", "state")
        found = (file for part in parts for file in (self.data / part).rglob("*") if file.is_file())
        return {str(file.relative_to(self.data)): file.read_bytes() for file in found}

    def files(self) -> set[str]:
        """All files but those that Windows Installer keeps for itself."""
        found = {str(path.relative_to(self.wine.drive_c)) for path in self.wine.drive_c.rglob("*") if path.is_file()}
        return {path for path in found if not path.lower().startswith(("windows/installer", "windows/temp"))}

    def registry(self) -> list[str]:
        """Every key and value of the machine in which our name is, and its PATH."""
        told = self.wine.run("reg", "query", r"HKLM\Software", "/s").stdout
        told += self.wine.run("reg", "query", r"HKLM\SYSTEM\CurrentControlSet", "/s").stdout
        lines = {" ".join(line.split()) for line in told.decode(errors="replace").splitlines()}
        return sorted(line for line in lines if "ddns" in line.lower())


def package(version: str, *, damaged: str = "") -> str:
    """The MSI of the built program under that version; a file of it is cut in half."""
    tree = windows_kind.built()
    build = Build(version, "amd64", for_testing=True)
    code = "".join(path.read_text("utf-8") for path in sorted(Path(msi.__file__).parent.glob("*.py")))

    def make(folder: Path) -> None:
        staged = folder / "staged"
        shutil.copytree(tree, staged)
        if damaged:
            content = (tree / damaged).read_bytes()
            (staged / damaged).write_bytes(content[: len(content) // 2])
        msi.make(facts.facts(), build, staged, ICON, folder / "ddns.msi")
        shutil.rmtree(staged)

    built = (tree / "build.json").read_text("utf-8") if (tree / "build.json").exists() else str(tree)
    key = "\0".join((str(tree), built, code, version, damaged))
    return wine.windows_path(cache.once("story-msi", key, make) / "ddns.msi")


@pytest.fixture
def pc(fresh_machine: Callable[[], Wine], bind: Bind, ca: Authority, tmp_path: Path) -> Iterator[Pc]:
    """A Windows machine of a company: its authority's certificate is in the store."""
    chain, key = ca.write_server_files(tmp_path, whole=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    machine = fresh_machine()
    with ExitStack() as stack:
        alpha, beta = (stack.enter_context(Gate(tls)) for _ in range(2))
        yield Pc(machine, bind, "pc7.example.test", (alpha, beta, stack.enter_context(Whoami(ADDRESSES[0]))))
        alpha.open.set()
        beta.open.set()


def trust(machine: Wine, ca: Authority, folder: Path) -> None:
    """The authority's certificate comes into the store, as by a policy of the domain."""
    der = folder / "authority.der"
    der.write_bytes(ssl.PEM_cert_to_DER_cert(ca.file.read_text()))
    assert machine.run(compiled("trust", "-municode", "-lcrypt32"), wine.windows_path(der)).returncode == 0


def settings(pc: Pc, lines: str) -> str:
    """What the administrator writes: what `ddns enroll` said, and where the address is asked for."""
    alpha, beta, probe = pc.voices
    return f"""schema = 1
{lines.replace('"AAAA"', "").replace('"A", ', '"A"')}

[detect]
sources = [
    {{ url = "https://localhost:{alpha.port}/", operator = "alpha" }},
    {{ url = "https://localhost:{beta.port}/", operator = "beta" }},
]
probe4 = "dns://{probe.server}/whoami.test"
allow_private = ["203.0.113.0/24"]
timeout = "60s"
"""


def test_the_story(pc: Pc, ca: Authority, tmp_path: Path) -> None:
    try:
        old, new, broken = package(OLD), package(NEW), package(BROKEN, damaged="app/python313.dll")
    except NotHere as missing:
        not_run(missing)
    site = Site(tmp_path, pc.bind, ca)
    files, registry = pc.files(), pc.registry()
    assert pc.msiexec("/i", old) == 0
    with site.process() as (url, _):
        enrols(pc, site, url.replace("127.0.0.1", "localhost"), ca, tmp_path)
        runs(pc)
        is_killed(pc, int(url.rpartition(":")[2]))
        is_upgraded_during_a_run(pc, new)
        keeps_its_data_when_an_upgrade_is_broken(pc, broken, new)
    is_uninstalled(pc, new, files, registry)


def enrols(pc: Pc, site: Site, url: str, ca: Authority, folder: Path) -> None:
    """Not before the gateway's certificate is one that this Windows believes."""
    code = site.code("pc7")
    stranger = pc.typed("enroll", url, stdin=code)
    assert (stranger.exit, "certificate" in stranger.err) == (13, True), stranger
    trust(pc.wine, ca, folder)
    told = pc.typed("enroll", url, stdin=code)
    assert (told.exit, told.err) == (0, ""), told
    assert f"  {pc.name}\n" in told.out
    stored = b"".join(file.read_bytes() for file in (pc.data / "secrets").iterdir())
    assert b"ddns" not in stored.lower(), "sealed"
    (pc.data / "config").mkdir(exist_ok=True)
    (pc.data / "config" / "ddns.toml").write_text(settings(pc, told.out.partition("add to the settings:\n\n")[2]))
    assert pc.typed("config", "validate").exit == 0


def runs(pc: Pc) -> None:
    """Published; then nothing to do; then another address."""
    first = pc.move()
    told = pc.run()
    assert (told.exit, told.err, pc.published()) == (0, "", (first,)), told
    assert pc.run().out[:15] == "nothing changed"
    second = pc.move()
    assert pc.run().exit == 0
    assert pc.published() == (second,)
    shown = pc.typed("status")
    assert (shown.exit, "all is well" in shown.out, second in shown.out) == (0, True, True), shown


def is_killed(pc: Pc, gateway: int) -> None:
    """On the cheap path and on the full one, at moments of both; tests/faults has all of them."""
    ports = {"gateway": gateway}
    address = pc.move()
    labels = pc.killed(Cut(), ports)
    sends = labels.count("send gateway")
    for cut in (Cut("flush state.db", 1, "before"), Cut("flush state.db", 1, "after"), Cut("write ddns.jsonl", 1)):
        pc.killed(cut, ports)
        assert pc.run().out[:15] == "nothing changed", cut
    changes = [address]
    intended = [at for at, label in enumerate(labels) if label == "flush state.db" and "send gateway" in labels[at:]]
    for cut in (
        Cut("flush state.db", len(intended), "after"),
        Cut("send gateway", sends, "before"),
        Cut("send gateway", sends, "after"),
        Cut("write status.json.new", 1, "after"),
    ):
        changes.append(pc.move())
        pc.killed(cut, ports)
        assert pc.run().exit == 0, cut
        until(lambda: pc.published() == (changes[-1],))
        assert pc.run().out[:15] == "nothing changed", cut
    entries = json.loads(pc.typed("history", "--json").out)["data"]["entries"]
    landed = [(entry["from"], entry["to"]) for entry in reversed(entries) if entry["state"] in {"applied", "adopted"}]
    assert landed[-4:] == [([before], [after]) for before, after in pairwise(changes)]
    assert all(before == after for (_, before), (after, _) in pairwise(landed)), "no gap"


def is_upgraded_during_a_run(pc: Pc, new: str) -> None:
    """The run ends well; the one after it is of the new version, and goes on where the old one was."""
    alpha, beta, _ = pc.voices
    address = pc.move()
    asked = alpha.hits
    alpha.open.clear()
    beta.open.clear()
    with pc.start(*pc.task) as run:
        until(lambda: alpha.hits > asked)
        assert pc.msiexec("/i", new) in {0, 3010 & 0xFF}
        assert run.poll() is None, "it still runs"
        alpha.open.set()
        beta.open.set()
        told = ended(run)
    assert (told.exit, pc.published()) == (0, (address,)), told
    assert any(f"Version REG_SZ {NEW}" in line for line in mark(pc))
    assert pc.run().out[:15] == "nothing changed"
    moved = pc.move()
    assert pc.run().exit == 0
    assert pc.published() == (moved,)


def keeps_its_data_when_an_upgrade_is_broken(pc: Pc, broken: str, new: str) -> None:
    """A library in it is cut short, so that its trial fails."""
    before = pc.kept()
    assert pc.msiexec("/i", broken) != 0
    assert not any(f"Version REG_SZ {BROKEN}" in line for line in mark(pc))
    assert pc.kept() == before
    assert pc.msiexec("/i", new) == 0
    address = pc.move()
    assert pc.run().exit == 0
    assert pc.published() == (address,)


def is_uninstalled(pc: Pc, new: str, files: set[str], registry: list[str]) -> None:
    """What the program made stays; of the program, nothing does."""
    before = pc.kept()
    assert {"config/ddns.toml", "state/state.db"} <= set(before)
    assert pc.msiexec("/x", new) == 0
    assert pc.kept() == before
    left = {path for path in pc.files() - files if not path.startswith("ProgramData/DDNS/")}
    assert left == set()
    assert not pc.wine.path(PROGRAM).exists()
    assert pc.registry() == registry
    assert pc.typed("--version").out == "", "it is not found any more"


def mark(pc: Pc) -> list[str]:
    """What an installation says of itself."""
    told = pc.wine.run("reg", "query", r"HKLM\Software\DDNS", "/s").stdout.decode(errors="replace")
    return [" ".join(line.split()) for line in told.splitlines()]
