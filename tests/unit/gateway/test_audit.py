"""The audit log: an unbroken chain of whole lines, whatever is written and whoever writes."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from ddns.errors import StateUnwritable
from ddns.gateway.audit import FIRST, Audit, AuditError, digest, recent, verify
from unit.gateway.stand import Clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def lines(path: Path) -> list[dict[str, object]]:
    """What the file holds."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def filled(path: Path, number: int = 5) -> None:
    """A log with some lines."""
    audit = Audit(path, Clock())
    for n in range(number):
        audit.write("accepted", host="h", name=f"pc{n}.example.test")
    audit.close()


def test_who_came_in_and_who_did_not_is_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ddns.gateway")
    audit = Audit(path, Clock())
    for decision in ("accepted", "refused", "enrolled"):
        audit.write(decision, host="h\x1b[2J", peer="")
    audit.close()
    assert [record.getMessage() for record in caplog.records] == ["refused: host h [2J", "enrolled: host h [2J"]


def test_each_line_carries_the_hash_of_the_one_before_over_a_restart(path: Path) -> None:
    filled(path, 2)
    filled(path, 2)
    raw = path.read_bytes().splitlines()
    assert [json.loads(line)["prev"] for line in raw] == [FIRST, *(digest(line) for line in raw[:-1])]
    assert verify(path) == 4


def test_empty_fields_are_left_out_and_foreign_text_is_made_safe(path: Path) -> None:
    audit = Audit(path, Clock())
    audit.write("refused", host="", name="\x1b[2Jevil\nname\u202e", old=("a\x07",), new=(), peer=None, seq=3)
    audit.close()
    (line,) = lines(path)
    assert line == {
        "at": 1_700_000_000.0,
        "decision": "refused",
        "name": "[2Jevil name",
        "old": ["a"],
        "new": [],
        "seq": 3,
        "prev": FIRST,
    }
    assert path.read_bytes().isascii()


@pytest.mark.parametrize("number", range(5))
def test_a_changed_line_shows(path: Path, number: int) -> None:
    filled(path)
    raw = path.read_bytes().splitlines(keepends=True)
    raw[number] = raw[number].replace(b"example", b"exemple")
    path.write_bytes(b"".join(raw))
    if number == 4:  # nothing follows that could tell
        assert verify(path) == 5
    else:
        with pytest.raises(AuditError, match=f"line {number + 2} does not follow"):
            verify(path)


@pytest.mark.parametrize("number", range(4))
def test_a_line_taken_out_or_put_in_shows(path: Path, number: int) -> None:
    filled(path)
    raw = path.read_bytes().splitlines(keepends=True)
    for altered in ([*raw[:number], *raw[number + 1 :]], [*raw[: number + 1], raw[number], *raw[number + 1 :]]):
        path.write_bytes(b"".join(altered))
        with pytest.raises(AuditError, match="does not follow"):
            verify(path)


def test_what_is_no_line_is_named(path: Path) -> None:
    filled(path, 1)
    with path.open("ab") as file:
        file.write(b"\xff{}\n")
    with pytest.raises(AuditError, match="line 2 is not a line"):
        verify(path)


def test_a_line_cut_short_by_a_power_cut_is_set_right_and_told(path: Path) -> None:
    filled(path, 2)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at": 17')
    filled(path, 1)
    assert [line["decision"] for line in lines(path)] == ["accepted", "accepted", "repaired", "accepted"]
    assert lines(path)[2]["torn"] == digest(b'{"at": 17')
    assert verify(path) == 4


def test_threads_and_processes_keep_one_chain(path: Path) -> None:
    one, other = Audit(path, Clock()), Audit(path, Clock())

    def work(audit: Audit) -> None:
        for _ in range(10):
            audit.write("accepted")

    threads = [threading.Thread(target=work, args=(audit,)) for audit in (one, other, one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(path) == 40
    one.close()
    other.close()


def test_a_full_disk_leaves_no_half_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = Audit(path, Clock())
    audit.write("accepted")
    real = os.write

    def write(fd: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return real(fd, data[: len(data) - 10])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(StateUnwritable, match="No space left"):
        audit.write("accepted")
    monkeypatch.undo()
    audit.write("accepted")
    assert verify(path) == 2
    audit.close()


def test_a_log_that_can_not_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateUnwritable, match="can't be written"):
        Audit(tmp_path / "nowhere" / "audit.jsonl", Clock())


def test_the_last_lines_are_read_even_where_they_are_spoilt(path: Path) -> None:
    filled(path, 3)
    with path.open("ab") as file:
        file.write(b"[1]\n\xff\x1b\n" + b"[" * 100_000)
    assert [entry["decision"] for entry in recent(path, 4)] == ["accepted", "unreadable", "unreadable", "unreadable"]
    assert recent(path, 2)[0]["detail"] == "\xff"
    with pytest.raises(AuditError, match="line 4 is not"):
        verify(path)


def test_a_line_too_deep_for_the_parser_breaks_the_chain(path: Path) -> None:
    path.write_bytes(b"[" * 100_000 + b"\n")
    with pytest.raises(AuditError, match="line 1 is not"):
        verify(path)
