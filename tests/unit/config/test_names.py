"""Which names can be records."""

from __future__ import annotations

import pytest

from ddns.config.names import complaint, normal


@pytest.mark.parametrize(
    "name",
    ["home.example.com", "*.dyn.example.com", "_x.a.example", "a-b.c", "xn--bcher-kva.example", "1.2.3.4.example",
     ".".join(["a" * 61] * 4), "a" * 63 + ".b"],
)  # fmt: skip
def test_names(name: str) -> None:
    assert complaint(name) is None


@pytest.mark.parametrize(
    "name",
    ["", ".", "home", "-a.b", "a-.b", "a b.c", "a" * 64 + ".b", "a.*.b", "a..b", "10.0.0.1", "a\n.b", "\x00.b",
     "☃.b", "a/b.c", "host:53.b", ".".join(["a" * 62] * 5), "ſ.b", "a.b\u202e"],
)  # fmt: skip
def test_not_names(name: str) -> None:
    wrong = complaint(normal(name))
    assert wrong is not None
    assert wrong.isprintable()


def test_one_form() -> None:
    assert normal("Home.EXAMPLE.com.") == "home.example.com"
    assert normal("\u212a.example.com") == "\u212a.example.com"  # the Kelvin sign is not a k


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("*.MÜNCHEN.Example.", "*.xn--mnchen-3ya.example"),
        ("_x.é.b", "_x.xn--9ca.b"),
    ],
)
def test_a_name_in_any_script_has_its_encoded_form(name: str, form: str) -> None:
    assert normal(name) == form
    assert complaint(form) is None


@pytest.mark.parametrize("name", ["☃.example.com", "\u212a.example.com", "ſ.example.com", "xn.ab‍.com", "א1a.example"])
def test_what_no_name_can_hold_is_not_mapped_to_something_else(name: str) -> None:
    assert "characters that no name can hold" in str(complaint(normal(name)))
