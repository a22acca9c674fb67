function New-DdnsProgress {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [string] $Activity,
        [int] $Total
    )
    @{ Activity = $Activity; Total = $Total; Done = 0; Bad = 0; Clock = [Diagnostics.Stopwatch]::StartNew(); Shown = -1000 }
}

function Write-DdnsProgress {
    # One bar, at most twice a second: Windows PowerShell draws it slowly.
    [CmdletBinding()]
    param(
        [hashtable] $Progress,
        [object] $Result,
        [int] $Running
    )
    $Progress.Done++
    if ($Result.Outcome -in 'Failed', 'Unreachable', 'RolledBack') {
        $Progress.Bad++
    }
    $now = $Progress.Clock.ElapsedMilliseconds
    if ($now - $Progress.Shown -lt 500 -and $Progress.Done -lt $Progress.Total) {
        return
    }
    $Progress.Shown = $now
    $words = Get-DdnsProgressText -Done $Progress.Done -Total $Progress.Total -Bad $Progress.Bad -Milliseconds $now
    $bar = @{
        Activity         = $Progress.Activity
        Status           = "$($words.Status), $Running at work"
        CurrentOperation = $Result.ComputerName
        PercentComplete  = [Math]::Min(100, [int](100 * $Progress.Done / [Math]::Max(1, $Progress.Total)))
        SecondsRemaining = $words.SecondsLeft
    }
    Write-Progress @bar
}

function Get-DdnsProgressText {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [int] $Done,
        [int] $Total,
        [int] $Bad,
        [long] $Milliseconds
    )
    $rate = if ($Milliseconds -gt 0) { $Done * 60000.0 / $Milliseconds } else { 0.0 }
    $left = if ($rate -gt 0) { [int][Math]::Ceiling(($Total - $Done) * 60.0 / $rate) } else { -1 }
    $speed = $rate.ToString('0', [Globalization.CultureInfo]::InvariantCulture)
    @{ Status = "$Done of $Total, $Bad failed, $speed a minute"; SecondsLeft = $left }
}
