"""The documentation is held to the program: codes are all named, links lead somewhere, settings in it are valid."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ddns import errors
from ddns.cli.main import ddns
from ddns.config.load import load
from ddns.errors import DdnsError, Exit, SettingsError
from ddns.providers import table
from ddns.runtime import serving
from ddns.runtime.reading import NoStatus
from ddns.sources import table as sources
from ddns.sources.table import NAMES
from ddns.state.schema import StateDamaged

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
TROUBLE = (ROOT / "docs/guides/troubleshooting.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def tree(kind: type[DdnsError]) -> Iterator[type[DdnsError]]:
    """The class and all of the program's below it."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("ddns."):
            yield from tree(below)


def _name(kind: type[DdnsError]) -> str:
    return kind.__name__


KINDS = sorted(set(tree(DdnsError)), key=_name)


def name(page: Path) -> str:
    """A page's path in the checkout."""
    return page.relative_to(ROOT).as_posix()


def blocks(language: str) -> list[tuple[str, str]]:
    """The fenced blocks of a language: page and number, text."""
    found = []
    for page in PAGES:
        texts = [text for kind, text in _FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]
        found += [(f"{name(page)} {number}", text) for number, text in enumerate(texts, 1)]
    return found


def anchors(page: Path) -> set[str]:
    """What a link into a page may name, as GitHub makes it of the headings."""
    plain = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("kind", KINDS, ids=map(_name, KINDS))
def test_troubleshooting_tells_every_error_code_and_its_exit(kind: type[DdnsError]) -> None:
    if kind is DdnsError:
        assert "`error`" in TROUBLE
    elif "code" in vars(kind):
        assert f"| `{kind.code}` | {int(kind.exit)} |" in TROUBLE


def test_the_tree_holds_what_other_modules_add() -> None:
    assert {StateDamaged, NoStatus} <= set(tree(DdnsError))


def test_troubleshooting_tells_no_code_that_is_not_there() -> None:
    told = re.findall(r"^\| `([a-z._]+)` \| \d+ \|", TROUBLE, re.MULTILINE)
    assert sorted(told) == sorted({kind.code for kind in tree(DdnsError)} - {DdnsError.code})


@pytest.mark.parametrize("code", list(Exit), ids=lambda code: code.name)
def test_troubleshooting_has_a_section_for_every_exit_code(code: Exit) -> None:
    assert f"\n### {int(code)} {code.name.lower()}\n" in TROUBLE


def test_troubleshooting_has_the_order_of_exit_codes() -> None:
    assert ", ".join(str(int(code)) for code in errors.EXIT_ORDER) in TROUBLE


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words after `ddns` in blocks of shell and in code spans, as far as one command goes."""
    text = page.read_text(encoding="utf-8")
    lines = [line for kind, block in _FENCE.findall(text) if kind in ("sh", "console") for line in block.splitlines()]
    lines += re.findall(r"`((?:sudo )?ddns [^`\n]+)`", _FENCE.sub("", text))
    for line in lines:
        for part in re.split(r"[|<>#;&]|\$\(", line.removeprefix("$ ")):
            first, *words = re.sub(r"^\s*sudo (-u \w+ )?", "", part).split() or [""]
            if first == "gw":  # the shorthand that the gateway's guide defines
                yield ["gateway", *words]
            elif first.rpartition("/")[2] == "ddns":
                yield words


def complaint(words: list[str]) -> str | None:
    """What a command line of the documentation asks for that is not there."""
    command: click.Command = ddns
    context = click.Context(command, info_name="ddns", **command.context_settings)  # a command keeps its first -h
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        below = command.get_command(context, words[0])
        if below is None:
            return f"no command {words[0]}"
        command, words = below, words[1:]
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    wrong = [word for word in words if re.match(r"--?[a-z0-9]", word) and word.partition("=")[0] not in known]
    return f"{command.name}: no option {wrong[0]}" if wrong and "--help" not in words else None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    assert [(words, wrong) for words in command_lines(page) if (wrong := complaint(words))] == []


def test_the_guides_commands_are_looked_at() -> None:
    found = [words for page in ROOT.glob("docs/guides/*.md") for words in command_lines(page)]
    assert ["run", "--trial"] in found
    assert ["config", "init", "--name", "home.example.com", "--provider", "cloudflare"] in found
    assert ["gateway", "add", "router1"] in found


@pytest.mark.parametrize(("where", "text"), blocks("toml"), ids=[where for where, _ in blocks("toml")])
def test_toml_parses_and_whole_files_load(where: str, text: str, tmp_path: Path) -> None:
    parsed = tomllib.loads(text)
    if parsed.get("schema") != 1:
        return  # a part of a file
    try:
        if "listen" in parsed:
            file = tmp_path / "gateway.toml"
            file.write_text(text, encoding="utf-8")
            serving.load(str(tmp_path), str(file))
        else:
            load(
                text.encode(),
                where,
                provider_type=lambda kind: table.load(kind).Settings,
                kinds=tuple(table.MODULES),
                sources=NAMES,
                environ={},
                policy={},
            )
    except SettingsError as error:
        pytest.fail("\n".join(error.problems) or error.message)


def test_every_page_is_in_the_index() -> None:
    linked: set[Path] = set()
    for folder in (ROOT / "docs", ROOT / "docs/reference/powershell", ROOT / "docs/runbook"):  # two have their own
        index = (folder / "README.md").read_text(encoding="utf-8")
        linked |= {(folder / link.partition("#")[0]).resolve() for link in _LINK.findall(index)}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {ROOT / "docs/README.md"}
    assert sorted(name(page) for page in pages - linked) == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/design/*.md")), ids=name)
def test_a_design_note_says_what_it_is_for(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [part for part in ("Read when", "Defines", "Does not define") if part not in text] == []


def test_the_guide_lists_every_source() -> None:
    text = (ROOT / "docs/guides/address.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+)` \| (.+) \| (v.+) \| (yes|no) \| (\w+) \|$", text, re.MULTILINE)
    assert rows == [
        (row.name, row.operator, " ".join(f"v{n}" for n in row.families), "yes" if row.authenticated else "no", row.how)
        for row in sources.listed()
    ]
