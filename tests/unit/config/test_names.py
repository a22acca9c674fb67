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
     "é.b", "a/b.c", "host:53.b", ".".join(["a" * 62] * 5), "ſ.b", "a.b\u202e"],
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
    ],
)
def test_the_encoded_form_is_suggested(name: str, form: str) -> None:
    assert f'write the encoded form "{form}"' in str(complaint(normal(name)))


def test_nothing_is_suggested_for_what_no_name_can_hold() -> None:
    assert "characters that no name can hold" in str(complaint("☃.example.com"))
