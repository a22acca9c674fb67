"""How the demonstration looks: in colour, without, and where the stream has ASCII only."""

from __future__ import annotations

import io

from ddns.demo.narrator import Narrator
from ddns.render import Screen

STORY = """\
╭─ ddns ─────────────────────────────────────────╮
│ One line.                                      │
│ Every ddns below.                              │
╰────────────────────────────────────────────────╯

1  It runs [bold]twice[/], and says so in a
   heading that is never cut ─────────────────────
   Two operators say so, in a sentence that is
     folded.
   $ ddns run
     ● fine, and longer than the screen is,
       which is folded

         as is what is further in, and
           quoted from elsewhere
   exit 0 after 12 ms
   gateway: published pc7 none -> 192.0.2.1
   ✔ DNS says: pc7 A 192.0.2.1
   ✘ DNS says: pc7 A none

What happened
┏━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━┳━━━━━━━━┓
┃ run       ┃ DNS afterwards ┃ exit ┃   time ┃
┡━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━╇━━━━━━━━┩
│ first run │ 192.0.2.1      │ 0    │ 200 ms │
└───────────┴────────────────┴──────┴────────┘
✔ Done."""


def told(screen: Screen) -> None:
    narrator = Narrator(screen)
    narrator.title("ddns", ["One line."], ["Every ", ("ddns", "strong"), " below."])
    narrator.step("It runs [bold]twice[/], and says so in a heading that is never cut")
    narrator.say("Two operators say so, in a sentence that is folded.")
    narrator.ran(
        "ddns run",
        "\x1b[32m●\x1b[0m fine, and longer than the screen is, which is folded  \n   \n"
        "    as is what is further in, and quoted from elsewhere\n",
        0,
        0.0123,
    )
    narrator.decided("published", "pc7 none -> 192.0.2.1")
    narrator.proof("pc7", "192.0.2.1", good=True)
    narrator.proof("pc7", "", good=False)
    narrator.summary([("first run", "192.0.2.1", "0", 0.2)])
    narrator.end("Done.")


def test_the_whole_story_without_colour() -> None:
    out = io.StringIO()
    told(Screen(out, width=50))
    assert out.getvalue() == STORY + "\n"


def test_colours_of_ours_and_of_what_is_quoted() -> None:
    out = io.StringIO()
    told(Screen(out, width=50, record=True))
    for coloured in ("\x1b[1;32m$\x1b[0m \x1b[1mddns run", "     \x1b[32m●\x1b[0m fine", "\x1b[35mgateway: published"):
        assert coloured in out.getvalue()


def test_a_stream_without_our_signs() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    told(Screen(out, width=50))
    out.seek(0)
    text = out.read()
    assert "     o fine, and" in text
    assert "   + DNS says: pc7 A 192.0.2.1\n   x DNS says: pc7 A none" in text
