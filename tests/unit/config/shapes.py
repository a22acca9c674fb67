"""Providers as the tests of settings know them: one with everything a provider's keys may be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ddns.config.load import Loaded, load
from ddns.config.schema import Duration, Table
from ddns.secret import SecretRef


class Cloud(Table, frozen=True, kw_only=True):
    """The keys of a provider of kind ``cloud``."""

    token: Annotated[SecretRef, Meta(description="Where the token lies.")]
    zone: Annotated[str, Meta(description="The zone.")] = ""
    url: Annotated[str, Meta(pattern="^https?://", description="The base URL.")] = "https://cloud.example.net"
    pause: Annotated[Duration, Meta(description="Between calls.")] = Duration("1s")
    algorithm: Annotated[Literal["one", "two"], Meta(description="Of signing.")] = "one"
    strict: Annotated[bool, Meta(description="Whether.")] = True
    retries: Annotated[int, Meta(ge=0, le=9, description="How often.")] | None = None
    key: Annotated[SecretRef, Meta(description="Another secret.")] | None = None


class Gate(Table, frozen=True, kw_only=True):
    """The keys of a provider of kind ``gateway``."""

    host: Annotated[str, Meta(min_length=1, description="The host's id.")]
    key: Annotated[SecretRef, Meta(description="Where the host's key lies.")]


TYPES: dict[str, type[msgspec.Struct]] = {"cloud": Cloud, "gateway": Gate}
SOURCES = ("gateway", "ipify", "aws", "ifconfig", "icanhazip", "opendns", "google")


def loaded(text: str | bytes, **layers: Any) -> Loaded:
    """Load a file, with the layers `environ`, `policy`, `flags` where they are given."""
    return load(
        text if isinstance(text, bytes) else text.encode(),
        "ddns.toml",
        provider_type=TYPES.__getitem__,
        kinds=tuple(TYPES),
        sources=SOURCES,
        **{"environ": {}, "policy": {}, **layers},
    )
