"""The JSON log: one line a message, levels, rotation, no secrets, and never the reason that a run fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.host import append
from ddns.report.line import line, rotate
from ddns.report.log import LEVELS, JsonLog
from unit.fakes import FakeClock


def log(path: Path | str, **more: object) -> JsonLog:
    made = {"append": append, "mask": lambda text: text.replace("hunter2", "***"), **more}
    return JsonLog(str(path), "abc123", clock=FakeClock(), **made)  # type: ignore[arg-type]  # a short hand


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_the_whole_line(tmp_path: Path) -> None:
    log(tmp_path / "l").write("INFO", 'a "message"', name="home", at=1.5, other={1}, none=None)
    assert (tmp_path / "l").read_text() == (
        '{"timestamp":"2027-01-15T08:00:00.000Z","level":"INFO","service":"ddns","trace_id":"abc123",'
        '"message":"a \\"message\\"","details":{"name":"home","at":1.5,"other":"{1}","none":null}}\n'
    )


@given(message=st.text(), detail=st.text())
def test_any_text_is_one_line(message: str, detail: str) -> None:
    written: list[bytes] = []

    def keep(_path: str, data: bytes) -> int:
        written.append(data)
        return 0

    log("x", append=keep).write("ERROR", message, detail=detail)
    assert written[0].count(b"\n") == 1
    told = json.loads(written[0])
    assert told["message"].replace("***", "hunter2") == message
    assert told["details"]["detail"].replace("***", "hunter2") == detail


@pytest.mark.parametrize("level", LEVELS)
def test_levels(tmp_path: Path, level: str) -> None:
    made = log(tmp_path / "l")
    made.configure(level, 1_000_000, 5)
    for one in LEVELS:
        made.write(one, "x")
    assert [told["level"] for told in lines(tmp_path / "l")] == list(LEVELS[LEVELS.index(level) :])
    assert made.tells_info is (level in ("DEBUG", "INFO"))


def test_secrets_are_masked(tmp_path: Path) -> None:
    log(tmp_path / "l").write("INFO", "hunter2", error={"message": "the server says hunter2"})
    assert "hunter2" not in (tmp_path / "l").read_text()


@pytest.mark.parametrize(("keep", "files"), [(0, {"l": 0}), (1, {"l.1": 1}), (3, {"l.1": 1, "l.2": 1, "l.3": 1})])
def test_rotation(tmp_path: Path, keep: int, files: dict[str, int]) -> None:
    made = log(tmp_path / "l")
    made.configure("INFO", 10, keep)
    for number in range(5):
        made.write("INFO", str(number))
    found = {path.name: len(lines(path)) for path in sorted(tmp_path.iterdir())}
    assert found == files
    if keep:
        assert [lines(tmp_path / f"l.{n}")[0]["message"] for n in range(1, keep + 1)] == ["4", "3", "2"][:keep]


def test_rotation_waits_for_the_limit(tmp_path: Path) -> None:
    made = log(tmp_path / "l")
    made.configure("INFO", 4096, 5)
    made.write("INFO", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["l"]


def test_a_log_that_can_t_be_written_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = log(tmp_path / "none" / "l")
    made.write("INFO", "x")
    made.write("INFO", "y")
    told = f"ddns: the log can't be written: {tmp_path}/none/l: No such file or directory\n"
    assert capsys.readouterr().err == told


def test_a_log_that_can_t_be_set_aside_goes_on_and_that_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr("os.replace", held)
    made = log(tmp_path / "l")
    made.configure("INFO", 1, 1)
    for number in range(3):
        made.write("INFO", str(number))
    assert [told["message"] for told in lines(tmp_path / "l")] == ["0", "1", "2"]
    assert capsys.readouterr().err == f"ddns: the log can't be set aside: {tmp_path}/l: in use\n"


def test_rotate_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rotate(str(tmp_path / "l"), 1)


def test_a_line_of_the_cheap_path_is_json() -> None:
    told = json.loads(line(0.0, "INFO", "abc", '"nothing changed"', '{"asked":["x"]}'))
    assert told["details"] == {"asked": ["x"]}
