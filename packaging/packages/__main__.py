"""`make packages`, and `python -m packages verify FILE`: the command line of packing."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from packages import archive, chocolatey, facts, gallery, msi, stage, verify, versions, winget
from packages.errors import PackageError
from packages.facts import Architecture, Build, Facts
from packages.sign import Signer, sign
from windows import sources
from windows.errors import BuildError
from windows.interpreter import interpreter
from windows.resources.version import ICON
from windows.toolchain import toolchain

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "packages"
_SCRIPTS = gallery.SCRIPTS


def build(parts: stage.Sources, known: Facts, signer: Signer | None, out: Path) -> list[Path]:
    """Zip, MSI and bill of materials of one tree, into `out`. Raises PackageError."""
    told = facts.build_of(parts.tree)
    facts.publishable(known, told)
    if signer is None and not told.for_testing:
        raise PackageError("a release must be signed: set DDNS_SIGN_... (docs/guides/verify.md)")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PackageError(f"{out}: {error.strerror}") from error
    with tempfile.TemporaryDirectory() as scratch:
        staged = stage.stage(known, told, parts, Path(scratch, "staged"), signer)
        made = [archive.pack(staged, out / f"{told.stem}.zip")]
        made.append(msi.make(known, told, staged, ICON, out / f"{told.stem}.msi"))
        if signer:
            sign([made[-1]], known, signer)
        made.append(out / f"{told.stem}.cdx.json")
        shutil.copyfile(staged / stage.SBOM, made[-1])
        for name in _SCRIPTS:
            if (staged / "ps" / name).exists():
                shutil.copyfile(staged / "ps" / name, out / name)
                made.append(out / name)
    return made


def _build(chosen: argparse.Namespace, known: Facts) -> None:
    python = chosen.python or toolchain(interpreter(chosen.windows_python)).python
    parts = stage.Sources(chosen.tree, ROOT / "ps", ROOT / "LICENSE", python)
    signer = Signer.of(os.environ)
    made = build(parts, known, signer, chosen.out)
    stage.seal(chosen.out, known, facts.build_of(chosen.tree), signer, whole_release=True)
    for path in made:
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    print("signed and verified" if signer else "not signed: DDNS_SIGN_... is not set")


def _seal(chosen: argparse.Namespace, known: Facts) -> None:
    told = Build(chosen.version, "amd64", for_testing=False)
    stage.seal(chosen.out, known, told, Signer.of(os.environ), whole_release=True)


def _verify(chosen: argparse.Namespace, known: Facts) -> None:
    signer = None if chosen.unsigned else chosen.signer or known.signer
    for path in chosen.files:
        print(verify.package(path, signer, chosen.ca))


def _manifests(chosen: argparse.Namespace, known: Facts) -> None:
    installers: dict[Architecture, Path] = {}
    for architecture in known.upgrade_code:
        path = chosen.out / f"{Build(chosen.version, architecture, for_testing=False).stem}.msi"
        if path.exists():
            installers[architecture] = path
    told = Build(chosen.version, "amd64", for_testing=False)
    for folder, files in {
        "winget": winget.render(known, installers, told, chosen.released),
        "chocolatey": chocolatey.render(known, installers, told),
    }.items():
        for name, content in files.items():
            path = chosen.catalogues / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
            print(path)


def _gallery(chosen: argparse.Namespace, known: Facts) -> None:
    signer = Signer.of(os.environ)
    made = gallery.make(ROOT / "ps", chosen.gallery, chosen.version, known, signer)
    print(f"{chosen.gallery}: {len(made)} files, {'signed and verified' if signer else 'not signed'}")


def _versions(chosen: argparse.Namespace, _: Facts) -> None:
    print(versions.table(chosen.tree), end="")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="packages", description="Pack, sign and verify ddns for Windows.")
    commands = parser.add_subparsers(required=True)
    tree = ROOT / "build" / "windows-amd64"
    one = commands.add_parser("build", help="zip, MSI, bill of materials of a built tree")
    one.add_argument("--tree", type=Path, default=tree)
    one.add_argument("--out", type=Path, default=OUT)
    one.add_argument("--windows-python", type=Path, help="as for make exe")
    one.add_argument(
        "--python", type=Path, metavar="FOLDER", help="instead: LICENSE.txt, and metadata in Lib/site-packages"
    )
    one.set_defaults(call=_build)
    one = commands.add_parser("seal", help="hash list and seal of a folder of release files")
    one.add_argument("--out", type=Path, default=OUT)
    one.add_argument("--version", default=sources.version())
    one.set_defaults(call=_seal)
    one = commands.add_parser("verify", help="is it what its publisher made?")
    one.add_argument("files", nargs="+", type=Path, metavar="ZIP|MSI|FOLDER")
    one.add_argument("--signer", help="who must have signed it; else the publisher's name")
    one.add_argument("--ca", type=Path, help="certificates (PEM) to trust, instead of the system's")
    one.add_argument("--unsigned", action="store_true", help="hashes only: a build of one's own")
    one.set_defaults(call=_verify)
    one = commands.add_parser("manifests", help="winget manifest and Chocolatey package of released MSIs")
    one.add_argument("--out", type=Path, default=OUT)
    one.add_argument("--version", default=sources.version())
    one.add_argument("--catalogues", type=Path, default=ROOT / "build" / "catalogues")
    one.add_argument("--released", required=True, metavar="YYYY-MM-DD")
    one.set_defaults(call=_manifests)
    one = commands.add_parser("gallery", help="the PowerShell module and scripts, as the PowerShell Gallery takes them")
    one.add_argument("--gallery", type=Path, default=ROOT / "build" / "gallery")
    one.add_argument("--version", default=sources.version())
    one.set_defaults(call=_gallery)
    one = commands.add_parser("versions", help="what a build is made of, and how old that is")
    one.add_argument("--tree", type=Path, default=tree)
    one.set_defaults(call=_versions)
    return parser


def main(arguments: list[str]) -> int:
    """The command line; alone it builds. 0, or 1 with one line on standard error."""
    chosen = _parser().parse_args(arguments or ["build"])
    try:
        chosen.call(chosen, facts.facts())
    except (PackageError, BuildError, OSError) as error:
        print(f"packages: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
