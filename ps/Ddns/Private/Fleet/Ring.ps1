function Test-DdnsRing {
    <#
    .SYNOPSIS
        Whether a ring is well enough for the next: asks its machines until enough are well, or the time is up.
    .OUTPUTS
        Passed; Ill: name -> why, of machines that failed or did not become well.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Ring,

        # The results of its deployment.
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [object[]] $Result,

        # ThrottleLimit, TimeoutSeconds and the like for the questions.
        [hashtable] $Fan = @{},

        # When its deployment began: older runs say nothing of the new version.
        [DateTime] $Since
    )
    $ill = @{}
    $asked = @{}
    foreach ($one in $Result) {
        if ($one.Outcome -in 'Failed', 'Unreachable', 'RolledBack') {
            $ill[$one.ComputerName] = "$(Get-DdnsKey -Table $one.Error -Key 'Message')"
        } else {
            $asked[$one.ComputerName] = $true
        }
    }
    $limit = Get-DdnsGateLimit -MaxFailed $Ring.Gate.MaxFailed -Count $Ring.Machines.Count
    $until = [DateTime]::UtcNow.AddSeconds($Ring.Gate.WaitSeconds)
    $unwell = @{}
    while ($asked.Count) {
        $targets = @($Ring.Machines | ForEach-Object { $_.Target } | Where-Object { $asked.ContainsKey($_.Name) })
        foreach ($answer in Invoke-DdnsFleet -Target $targets -Request @{ Schema = 1; Operation = 'Query' } -Activity "Ring $($Ring.Name): health" @Fan) {
            $why = Get-DdnsUnwell -Answer $answer -Since $Since
            if ($why) {
                $unwell[$answer.ComputerName] = $why
            } else {
                $asked.Remove($answer.ComputerName)
                $unwell.Remove($answer.ComputerName)
            }
        }
        # Those that failed for good are not waited for, nor is anybody once they alone are too many.
        if (-not $asked.Count -or $ill.Count -gt $limit -or [DateTime]::UtcNow -ge $until) {
            break
        }
        Start-Sleep -Seconds ([Math]::Min(5, [Math]::Max(1, [int]($until - [DateTime]::UtcNow).TotalSeconds)))
    }
    foreach ($name in $asked.Keys) {
        $ill[$name] = $unwell[$name]
    }
    @{ Passed = $ill.Count -le $limit; Ill = $ill; Limit = $limit }
}

function Get-DdnsUnwell {
    # Why a machine is not well since the deployment; nothing when it is.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [object] $Answer,
        [DateTime] $Since
    )
    $row = ConvertTo-DdnsTaskStatus -Result $Answer
    if ($row.Health -in 'Failed', 'NotInstalled', 'Unreachable') {
        return $row.Problem
    }
    $ran = ConvertTo-DdnsUtc -Time (ConvertTo-DdnsShape -Value $Answer.Status -Shape (Get-DdnsAnswerShape).Status).run.ended
    # Clocks of two machines: a minute is no evidence.
    if (-not $ran -or $ran -lt $Since.AddMinutes(-1)) {
        return 'it has not run since the deployment'
    }
}

function Get-DdnsGateLimit {
    # How many may be ill: a number, or a part of the ring, rounded down.
    [CmdletBinding()]
    [OutputType([int])]
    param(
        [object] $MaxFailed,
        [int] $Count
    )
    $text = "$MaxFailed"
    if ($text.EndsWith('%')) {
        return [int][Math]::Floor($Count * [int]$text.TrimEnd('%') / 100.0)
    }
    [int]$text
}
