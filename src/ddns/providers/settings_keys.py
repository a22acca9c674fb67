"""Keys that the settings of several providers share, with what the reference says of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

#: Of services where an account has several zones.
ZoneName = Annotated[str, Meta(description="The zone's name; found through the API when not set.")]
#: To be refused by `answers.refuse_url` where secrets must not be sent to it.
ApiUrl = Annotated[str, Meta(pattern="^https?://", description="The API's base URL; http only to this machine.")]
#: Seconds; of services whose plans have different limits.
PlanMinTtl = Annotated[int, Meta(ge=1, le=86400, description="The least TTL of the domain's plan: 600 if free.")]
