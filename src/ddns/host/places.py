"""The folders of one installation. Where they lie is each system's own matter."""

from __future__ import annotations

import os


class Places:
    """The folders of one installation; see the table in docs/reference. Plain strings: `pathlib` costs 10 ms."""

    __slots__ = ("config", "logs", "public", "secrets", "state", "whose")

    def __init__(self, config: str, secrets: str, state: str, logs: str, public: str, whose: str) -> None:
        self.config = config
        self.secrets = secrets
        self.state = state
        self.logs = logs
        self.public = public
        self.whose = whose

    @classmethod
    def below(cls, base: str, whose: str, *, config: str = "") -> Places:
        """All of them in one folder; the settings in `config` within it."""
        start = base.rstrip(os.sep) + os.sep
        return cls(
            start + config if config else base,
            start + "secrets",
            start + "state",
            start + "logs",
            start + "public",
            whose,
        )

    @property
    def option(self) -> str:
        """What a command line needs to mean these places, with a space before it; "" for the usual ones."""
        if self.whose != "data folder":
            return ""
        from ddns.quoting import quoted  # noqa: PLC0415 - advice that few runs give

        return f" --data {quoted(self.config)}"

    @property
    def config_file(self) -> str:
        """The settings."""
        return self.config.rstrip(os.sep) + os.sep + "ddns.toml"  # of a drive, or of "/", it has one

    @property
    def state_file(self) -> str:
        """The SQLite state."""
        return self.state + os.sep + "state.db"

    @property
    def log_file(self) -> str:
        """The JSON log."""
        return self.logs + os.sep + "ddns.jsonl"

    @property
    def status_file(self) -> str:
        """What every user may read."""
        return self.public + os.sep + "status.json"
