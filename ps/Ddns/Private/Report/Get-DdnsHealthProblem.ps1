# What is wrong with a machine. Thresholds: more than 3 changes an hour, visible in DNS after more than 120 s, a trigger
# more than 10 s late. Offline, busy and no address are no failure before they have lasted an hour.

function Get-DdnsHealthProblem {
    <#
    .SYNOPSIS
        All that is wrong with the machine of an answer (Get-DdnsAnswerShape), the worst first: Severity (Failed, Warning), Text, Advice.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [object] $Answer,

        [Parameter(Mandatory)]
        [System.Collections.IDictionary] $Row,

        [DateTime] $Now
    )
    if ($Answer.Error.Exists) {
        $said = @($Answer.Error.Message, $Answer.Error.Code, 'an error without a word' | Where-Object { $_ })[0]
        New-DdnsProblem -Severity 'Failed' -Text $said -Advice $Answer.Error.Advice
        return
    }
    if ($Answer.Outcome -eq 'NotInstalled') {
        New-DdnsProblem -Severity 'Failed' -Text 'not installed' -Advice 'Deploy it with Install-Ddns.'
        return
    }
    if ($Answer.Outcome -eq 'NeedsElevation') {
        New-DdnsProblem -Text 'the task can not be seen without elevation' -Advice 'Ask again from a PowerShell that was started as an administrator.'
    }
    @(
        Get-DdnsRunProblem -Answer $Answer -Now $Now
        Get-DdnsTaskProblem -Answer $Answer -Row $Row -Now $Now
        Get-DdnsRecordProblem -Answer $Answer
        Get-DdnsRateProblem -Row $Row -Measured ($null -ne $Answer.Status.health.interval)
    ) | Sort-Object -Property { if ($_.Severity -eq 'Failed') { 0 } else { 1 } }
}

function New-DdnsProblem {
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [string] $Severity = 'Warning',
        [string] $Text,
        [string] $Advice
    )
    [pscustomobject]@{ Severity = $Severity; Text = $Text.TrimEnd('.'); Advice = $Advice }
}

function Get-DdnsRunProblem {
    # What the last runs of the client came to.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer,
        [DateTime] $Now
    )
    $status = $Answer.Status
    if (-not $status.Exists) {
        $said = if ($Answer.StatusError) { "$($Answer.StatusError)" } else { 'there is no status yet' }
        New-DdnsProblem -Text $said -Advice 'Just deployed: wait for the first run. Else: Start-DdnsTask -Wait.'
        return
    }
    if ($status.retired_at) {
        $text = 'retired since {0}: its runs do nothing' -f (Get-DdnsUtcText -Time $status.retired_at)
        New-DdnsProblem -Text $text -Advice 'To start again: deploy it again, or ddns resume there.'
        return
    }
    $exit = $status.run.exit
    # What a provider refuses is told of each record, with its own advice.
    $told = $exit -eq 12 -and @($status.records | Where-Object { $_.error.Exists }).Count
    if ($exit -in 0, 14, $null -or $told) {
        return
    }
    $known = Get-DdnsCode -Code $exit
    if ($exit -notin 11, 13) {
        New-DdnsProblem -Severity 'Failed' -Text $known.Meaning -Advice $known.Advice
        return
    }
    $since = $null
    foreach ($run in @($status.last_runs)) {
        if ($run.exit -eq 0) {
            $since = $null
        } elseif (-not $since) {
            $since = ConvertTo-DdnsUtc -Time $run.started
        }
    }
    $lasting = $since -and ($Now - $since).TotalMinutes -ge 60
    $severity = if ($lasting) { 'Failed' } else { 'Warning' }
    New-DdnsProblem -Severity $severity -Text $known.Meaning -Advice $known.Advice
}

function Get-DdnsTaskProblem {
    # What the task scheduler says.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer,
        [System.Collections.IDictionary] $Row,
        [DateTime] $Now
    )
    $task = $Answer.Task
    if (-not $task.Exists) {
        if ($Answer.Mode -in 'Task', 'LogonTask' -and $Answer.Outcome -ne 'NeedsElevation') {
            New-DdnsProblem -Severity 'Failed' -Text 'the task is missing' -Advice 'Deploy it again with Install-Ddns.'
        }
        return
    }
    if ($task.Enabled -eq $false) {
        New-DdnsProblem -Text 'the task is disabled' -Advice 'Find out who disabled it; Install-Ddns -Force enables it.'
    } elseif ($task.Severity -eq 'Error' -and $task.LastResult -ne $Answer.Status.run.exit) {
        New-DdnsProblem -Severity 'Failed' -Text $task.Meaning -Advice $task.Advice
    }
    if ($task.DefinitionMatch -eq $false) {
        New-DdnsProblem -Text 'the task was changed by hand' -Advice 'Test-DdnsTask shows what; Install-Ddns -Force sets it right.'
    }
    $last = ConvertTo-DdnsUtc -Time $Row.LastRunTime
    if ($last -and $task.IntervalMinutes -and $task.Enabled -ne $false) {
        $idle = ($Now - $last).TotalMinutes
        if ($idle -gt 3 * $task.IntervalMinutes) {
            # A skipped run leaves no code: this is all that shows it.
            $text = 'it has not run for {0:0} min, its interval is {1} min' -f $idle, $task.IntervalMinutes
            New-DdnsProblem -Text $text -Advice 'Battery saver holds tasks back; else look at the machine''s power and at the triggers: Test-DdnsTask.'
        }
    }
}

function Get-DdnsRecordProblem {
    # Records that are not right, and providers that refuse.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param([object] $Answer)
    foreach ($record in @($Answer.Status.records | Where-Object { $_.error.Exists })) {
        $severity = if ($record.outcome -in 'failed', 'contended') { 'Failed' } else { 'Warning' }
        $code = "$($record.error.code)".Split('.')[-1].Replace('_', ' ')
        New-DdnsProblem -Severity $severity -Text "$($record.name) $($record.type): $code" -Advice $record.error.advice
    }
}

function Get-DdnsRateProblem {
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [System.Collections.IDictionary] $Row,

        # Whether the client told the usual time between runs. What is only told by the gap of two may as well be sleep.
        [bool] $Measured
    )
    if ($Row.ChangesLastHour -gt 3) {
        New-DdnsProblem -Text "$($Row.ChangesLastHour) changes in the last hour" -Advice 'See who else writes the record, or why the line changes: ddns history.'
    }
    if ($Row.VisibilityDelay -gt 120) {
        New-DdnsProblem -Text "visible in DNS only after $($Row.VisibilityDelay) s" -Advice 'Look at the provider, and at the zone''s transfer to its secondaries.'
    }
    if ($Measured -and $Row.TriggerDelay -gt 10) {
        New-DdnsProblem -Text "runs come $($Row.TriggerDelay) s late" -Advice 'The machine is overloaded, or the task scheduler is.'
    }
}
