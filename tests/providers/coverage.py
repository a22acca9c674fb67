"""What the contract test of each provider covers: ``python -m providers.coverage`` writes docs/reference/coverage.md.

All but the last column is read from the registry, the doubles, the dialogues and the tests; how sure we are that the
real service takes us is a judgement, and stands here in `JUDGEMENT`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

from ddns.providers import table
from providers import matrix
from providers.cast import Scene
from providers.player import Dialogue
from providers.stage import media

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "coverage.md"
BEGIN, END = "<!-- providers -->", "<!-- end of providers -->"
_URL = re.compile(r"https://[^\s,)`>]+[^\s,.)`>;:]")

#: Kind to (how sure we are, of five, that the real service takes what we send; why).
JUDGEMENT: dict[str, tuple[int, str]] = {
    "gateway": (5, "both sides are ours; the tests run the real application, its TLS and its ledger"),
    "rfc2136": (5, "played against BIND itself, and against a server in memory that checks TSIG"),
    "powerdns": (5, "played against pdns_server itself, behind a relay that has the faults"),
    "alidns": (3, "published calls and codes; signature by Alibaba's own SDK; never seen by the real service"),
    "route53": (
        4,
        "published calls and codes; signature and change batches by Amazon's own SDK, which also drives the double",
    ),
    "huaweicloud": (3, "published calls and codes; signature by Huawei's own SDK; never seen by the real service"),
    "dnspod": (3, "published calls, rules and codes; a token in a form, nothing to sign; codes differ by call"),
    "tencentcloud": (3, "published calls and codes; signature by Tencent's own SDK; never seen by the real service"),
    "cloudflare": (4, "published schema, field limits and error bodies; bearer token, nothing to sign"),
    "desec": (4, "published schema and error bodies; token, nothing to sign"),
    "digitalocean": (4, "published schema, paging and error bodies; token, nothing to sign"),
    "webhook": (5, "the request is the user's own; what is filled in is encoded as the standards say"),
    "godaddy": (4, "published schema and error bodies, and what clients report; key in a header, nothing to sign"),
    "porkbun": (4, "published calls and codes, old and new; keys in the body, nothing to sign"),
    "lexicon": (3, "Lexicon's own code against PowerDNS itself; its other providers are theirs to vouch for"),
    "dyndns2": (4, "one GET by a published protocol; ddclient and inadyn speak the same words to our gateway"),
}


def pages(kind: str) -> list[str]:
    """The documentation that the kind's module and double name."""
    texts = [inspect.getdoc(table.load(kind)) or ""]
    if "double" in media(kind):
        texts.append(inspect.getdoc(importlib.import_module(f"providers.doubles.{kind}")) or "")
    found = (url for text in texts for url in _URL.findall(text))
    rfcs = (f"RFC {number}" for text in texts for number in re.findall(r"RFC (\d+)", text))
    return list(dict.fromkeys((*found, *rfcs)))


def judge(kind: str) -> str:
    """Who checks a signature of this kind in its double: the double's `JUDGE`, or nobody, as none is made."""
    return str(getattr(importlib.import_module(f"providers.doubles.{kind}"), "JUDGE", "none is made"))


def played(kind: str) -> str:
    """With what the suite plays the kind, and the scenes that its protocol has no words for."""
    lacks = set(Dialogue(kind).lacks if "dialogue" in media(kind) else ())
    limited = matrix.TROUBLES.index(matrix.More.LIMITED) + 2  # in the line of the page, which a test holds
    page = matrix.PAGE.read_text("utf-8").splitlines()
    if any(line.startswith(f"| `{kind}` |") and "no such answer" in line.split("|")[limited] for line in page):
        lacks.add(Scene.RATE_LIMITED)
    said = " and ".join({"dialogue": "recorded dialogue", "double": "double"}[medium] for medium in media(kind))
    scenes = len(Scene) - len(lacks)
    return f"{said}: {scenes} scenes" + (f" (no words for {', '.join(sorted(lacks))})" if lacks else "")


def own_tests(kind: str) -> int:
    """How many test functions of its own the kind has, beside the suite and the fault matrix."""
    path = HERE / f"test_{kind}.py"
    tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
    return sum(isinstance(item, ast.FunctionDef) and item.name.startswith("test_") for item in tree.body)


def line(kind: str) -> str:
    """One kind's line of the page."""
    sure, why = JUDGEMENT[kind]
    links = ", ".join(f"[{number}]({page})" if "://" in page else page for number, page in enumerate(pages(kind), 1))
    faults = f"{len(matrix.TROUBLES)} faults"
    cells = (f"`{kind}`", played(kind), faults, str(own_tests(kind)), judge(kind), links or "ours", f"{sure}/5: {why}")
    return "| " + " | ".join(cells) + " |"


HEAD = "| kind | played with | matrix | own tests | signature checked by | written from | how sure, and why |"


def provider_table() -> str:
    """All kinds, the surest first."""
    order = sorted(table.MODULES, key=lambda kind: (-JUDGEMENT[kind][0], kind))
    return "\n".join((HEAD, "| --- " * 7 + "|", *map(line, order)))


def rewrite() -> None:
    """Put the table anew between the page's marks."""
    text = PAGE.read_text("utf-8")
    first, _, rest = text.partition(f"{BEGIN}\n")
    _, _, last = rest.partition(END)
    PAGE.write_text(f"{first}{BEGIN}\n{provider_table()}\n{END}{last}", "utf-8")


if __name__ == "__main__":
    rewrite()
