"""Starting the task and reading how its run ended: of the run that was started, and no other."""

from __future__ import annotations

import pytest

from ground import pwsh
from powershell.fleet import LOAD

#: A service that takes its time: `$states` are what it answers, one look after the other; the last stays.
SERVICE = """
Set-StrictMode -Version 3
$script:look = 0
$script:log = @()
function Now { $script:states[[Math]::Min($script:look, $script:states.Count - 1)] }
function Read-DdnsTask { param($Name) $now = Now; $script:look++; [pscustomobject]@{ State = $now[0] } }
function Get-ScheduledTaskInfo { [CmdletBinding()] param($TaskPath, $TaskName)
    $now = Now; [pscustomobject]@{ LastRunTime = $now[1]; LastTaskResult = $now[2] } }
function Start-ScheduledTask { [CmdletBinding()] param($TaskPath, $TaskName)
    $script:log += (Now)[0] }
function Start-Sleep { param([int]$Milliseconds, [int]$Seconds) }
"""


def start(shell: pwsh.Shell, states: str, more: str = "") -> list[str]:
    """The code that was read, and what the service did when it was asked to start."""
    script = (
        f". '{LOAD}'\n{SERVICE}\n$script:states = @({states})\n"
        f'$code = Start-DdnsTaskNow -Seconds 30 {more}\n"$code"; $script:log'
    )
    ended = shell.text(script)
    assert (ended.exit, ended.err) == (0, ""), ended
    return ended.out.splitlines()


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ("(, @('Ready', 1, 0)) + (, @('Ready', 1, 0)) + (, @('Running', 2, 267009)) + (, @('Ready', 2, 12))", "12"),
        ("(, @('Ready', 1, 0)) + (, @('Ready', 2, 267009)) + (, @('Ready', 2, 7))", "7"),
        ("(, @('Ready', 1, 0)) + (, @('Queued', 1, 267045)) + (, @('Ready', 2, 0))", "0"),
    ],
    ids=["not begun at the first look", "ended, but not yet noted", "queued"],
)
def test_the_code_is_of_the_run_that_was_started(shell: pwsh.Shell, states: str, code: str) -> None:
    assert start(shell, states) == [code, "Ready"]


def test_a_new_definition_is_started_when_the_run_of_the_old_one_has_ended(shell: pwsh.Shell) -> None:
    """Beside it, a start would be ignored, and the old program's code be taken for the new one's."""
    old = "(, @('Running', 1, 267009)) * 3 + (, @('Ready', 1, 0)) * 2"
    states = f"{old} + (, @('Running', 2, 267009)) + (, @('Ready', 2, 1))"
    assert start(shell, states, "-Anew") == ["1", "Ready"]


def test_a_task_that_is_gone_before_its_first_run_is_told_as_that(shell: pwsh.Shell) -> None:
    ended = shell.text(
        f". '{LOAD}'\nfunction Read-DdnsTask {{ }}\n"
        "try { Start-DdnsMode -Run @{ Request = @{}; Mode = 'Task' } }\n"
        "catch { $fault = ConvertTo-DdnsFault -Record $_; $fault.Code; $fault.Message }"
    )
    assert ended.out.splitlines() == ["FirstRun", "the task that was just registered is gone"], ended
