"""`ddns completion`: what makes a shell complete the names of commands, options and records."""

from __future__ import annotations

import os
from typing import ClassVar

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, get_completion_class

from ddns.cli import options

#: By it the script of a shell asks this program; made by click of the program's name.
VARIABLE = "_DDNS_COMPLETE"
_SHELLS = ("bash", "zsh", "fish", "powershell")

_POWERSHELL = r"""Register-ArgumentCompleter -Native -CommandName ddns, ddns.exe -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $program = $commandAst.GetCommandName()
    if (-not $program) { return }
    $before = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition })
    $words = @($before | ForEach-Object { if ($null -ne $_.Value) { $_.Value } else { $_.Extent.Text } })
    if ($wordToComplete) { $words = @($words | Select-Object -SkipLast 1) }
    $word = "$wordToComplete" -replace '^[''"]|[''"]$'
    try {
        $env:COMP_WORDS = (@($words) + $word) -join "`n"
        $env:%(complete_var)s = 'powershell_complete'
        $answer = & $program 2>$null
    }
    finally {
        Remove-Item -ErrorAction SilentlyContinue Env:COMP_WORDS, Env:%(complete_var)s
    }
    foreach ($line in $answer) {
        $type, $value, $help = $line -split "`t", 3
        if ($type -ne 'plain') { continue }  # PowerShell completes files and folders where nothing else is offered
        $text = if ($value -match '[^\w.:/\\-]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
        $kind = [System.Management.Automation.CompletionResultType]::ParameterValue
        $tip = if ($help) { $help } else { $value }
        New-Object System.Management.Automation.CompletionResult $text, $value, $kind, $tip
    }
}
"""


class PowerShell(ShellComplete):
    """Windows PowerShell 5.1 and PowerShell 7.

    Not click's own: that one joins the words and splits them as a Unix shell does, which takes the backslashes out of
    a Windows path.
    """

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, without the program; that one."""
        *words, word = os.environ["COMP_WORDS"].split("\n")
        return words[1:], word

    def format_completion(self, item: CompletionItem[str]) -> str:
        """A line an item: type, value, help."""
        help_ = " ".join((item.help or "").split())
        return f"{item.type}\t{item.value}\t{help_}"


def register() -> None:
    """Let click know it; called when a shell asks."""
    add_completion_class(PowerShell)


@click.command(
    **options.examples(
        "source <(ddns completion bash)",
        "ddns completion fish > ~/.config/fish/completions/ddns.fish",
        "ddns completion powershell | Out-String | Invoke-Expression",
    )
)
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(*, shell: str) -> None:
    """Print the script that makes a shell complete commands, options and names.

    Put the line of the example for your shell into what it reads at its start (~/.bashrc, ~/.zshrc, $PROFILE).
    """
    from ddns.cli.main import ddns

    register()
    found = get_completion_class(shell)
    assert found is not None  # click has the other three
    # Of the base class: bash's own would start bash to see its version, which the machine of the script knows best.
    text = ShellComplete.source(found(ddns, {}, "ddns", VARIABLE))
    if shell == "bash":
        text += "complete -o nosort -F _ddns_completion ddns.exe\n"
    click.echo(text, nl=False)
