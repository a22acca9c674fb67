function ConvertTo-DdnsTaskStatus {
    <#
    .SYNOPSIS
        A worker's answer to Query as one flat row: task and client merged, and what is wrong in words.
    .DESCRIPTION
        Every property is a text, a number, a switch or null, so that Export-Csv, ConvertTo-Json and ConvertTo-Html work
        unaided. Times are UTC text (ISO 8601). Health: OK, Warning, Failed, NotInstalled, Unreachable.
    #>
    [CmdletBinding()]
    [OutputType('Ddns.TaskStatus')]
    param(
        [Parameter(Mandatory, ValueFromPipeline)]
        [object] $Result,

        # The time it is judged by.
        [DateTime] $Now = [DateTime]::UtcNow,

        # This machine alone is asked: shown as a list, not as a row of a table.
        [switch] $Alone
    )
    process {
        $answer = ConvertTo-DdnsShape -Value $Result -Shape (Get-DdnsAnswerShape)
        $task = $answer.Task
        $status = $answer.Status
        $records = $status.records
        $runs = $status.last_runs
        $name = if ($answer.ComputerName) { $answer.ComputerName } else { $answer.Computer }
        $meaning = if ($task.Meaning) { $task.Meaning } elseif ($null -ne $status.run.exit) { (Get-DdnsCode -Code $status.run.exit).Meaning } else { '' }
        $row = [ordered]@{
            PSTypeName      = 'Ddns.TaskStatus'
            ComputerName    = $name
            Health          = ''
            Installed       = $answer.Outcome -notin 'NotInstalled', 'Unreachable' -and ($task.Exists -or "$($answer.Version)" -ne '')
            State           = "$($task.State)"
            Mode            = "$($answer.Mode)"
            Version         = "$($answer.Version)"
            Address         = (@($records | ForEach-Object { $_.address } | Where-Object { $_ } | Select-Object -Unique) -join '; ')
            Names           = (@($records | ForEach-Object { "$($_.name) $($_.type)" }) -join '; ')
            LastRunTime     = Get-DdnsUtcText -Time $(if ($task.LastRunTime) { $task.LastRunTime } else { $status.run.started })
            LastResult      = $task.LastResult
            LastResultHex   = "$($task.LastResultHex)"
            Meaning         = $meaning
            NextRunTime     = Get-DdnsUtcText -Time $task.NextRunTime
            MissedRuns      = $task.MissedRuns
            LastSuccess     = Get-DdnsUtcText -Time (Get-DdnsLastFine -Runs $runs)
            LastChange      = Get-DdnsUtcText -Time (Get-DdnsLatest -Time @($records | ForEach-Object { $_.since }))
            LastProof       = Get-DdnsUtcText -Time (Get-DdnsLatest -Time @($records | ForEach-Object { $_.proven_at }))
            RunsFine        = @($runs | Where-Object { $_.exit -eq 0 }).Count
            Runs            = $runs.Count
            LastRuns        = (@($runs | ForEach-Object { $_.exit }) -join ' ')
            ChangesLastHour = $status.changes_last_hour
            VisibilityDelay = $status.health.visibility_delay
            TriggerDelay    = Get-DdnsTriggerDelay -Status $status -Runs $runs -IntervalMinutes $task.IntervalMinutes
            Account         = "$($task.Account)"
            IntervalMinutes = $task.IntervalMinutes
            DefinitionMatch = $task.DefinitionMatch
            PausedUntil     = Get-DdnsUtcText -Time $status.paused_until
            Problem         = ''
            Advice          = ''
            ErrorCode       = "$($answer.Error.Code)"
            CheckedAt       = Get-DdnsUtcText -Time $Now
        }
        $problems = @(Get-DdnsHealthProblem -Answer $answer -Row $row -Now $Now)
        $row.Health = Get-DdnsHealthWord -Outcome $answer.Outcome -Problems $problems
        $row.Problem = (@($problems | ForEach-Object { $_.Text }) -join '; ')
        $row.Advice = (@($problems | ForEach-Object { $_.Advice } | Where-Object { $_ } | Select-Object -Unique) -join '; ')
        $status = [pscustomobject]$row
        if ($Alone) {
            $status.PSObject.TypeNames.Insert(0, 'Ddns.MachineStatus')
        }
        $status
    }
}

function Get-DdnsHealthWord {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [string] $Outcome,
        [object[]] $Problems
    )
    if ($Outcome -in 'Unreachable', 'NotInstalled') {
        return $Outcome
    }
    if (@($Problems | Where-Object { $_.Severity -eq 'Failed' }).Count) {
        return 'Failed'
    }
    if ($Problems.Count) {
        return 'Warning'
    }
    'OK'
}

function Get-DdnsTriggerDelay {
    # Seconds by which runs come later than their interval: the usual time between two of them, as the client tells it (else that of the
    # last two), less what was configured. A gap of two intervals or more is no delay: the machine was off or asleep, or runs were
    # skipped, and that is told as such.
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [object] $Status,
        [object[]] $Runs,
        [object] $IntervalMinutes
    )
    if (-not $IntervalMinutes) {
        return
    }
    $gap = $Status.health.interval
    if ($null -eq $gap -and $Runs.Count -ge 2) {
        $last = ConvertTo-DdnsUtc -Time $Runs[-1].started
        $before = ConvertTo-DdnsUtc -Time $Runs[-2].started
        if ($last -and $before) {
            $gap = ($last - $before).TotalSeconds
        }
    }
    if ($null -eq $gap) {
        return
    }
    $late = $gap - 60 * $IntervalMinutes
    if ($late -ge 0 -and $late -lt 60 * $IntervalMinutes) {
        [int]$late
    } elseif ($late -lt 0) {
        0
    }
}

function Get-DdnsLastFine {
    [CmdletBinding()]
    [OutputType([object])]
    param([object[]] $Runs)
    @($Runs | Where-Object { $_.exit -eq 0 } | ForEach-Object { $_.ended }) | Select-Object -Last 1
}

function Get-DdnsLatest {
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [AllowNull()]
        [AllowEmptyCollection()]
        [object[]] $Time
    )
    @($Time | ForEach-Object { ConvertTo-DdnsUtc -Time $_ } | Where-Object { $_ } | Sort-Object) | Select-Object -Last 1
}

function ConvertTo-DdnsUtc {
    # A time of a status or a task, as UTC; nothing for what is none. PowerShell 7 reads times out of JSON, 5.1 leaves text.
    [CmdletBinding()]
    [OutputType([DateTime])]
    param(
        [AllowNull()]
        [object] $Time
    )
    if ($Time -is [DateTime]) {
        return $Time.ToUniversalTime()
    }
    $found = [DateTime]::MinValue
    $style = [Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
    if ($Time -and [DateTime]::TryParse("$Time", [Globalization.CultureInfo]::InvariantCulture, $style, [ref]$found)) {
        $found
    }
}

function Get-DdnsUtcText {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [AllowNull()]
        [object] $Time
    )
    $found = ConvertTo-DdnsUtc -Time $Time
    if ($found) {
        return $found.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
    }
    ''
}
