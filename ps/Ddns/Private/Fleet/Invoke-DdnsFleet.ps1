function Invoke-DdnsFleet {
    <#
    .SYNOPSIS
        Runs the worker on many machines, a limited number at once, and emits exactly one result for each as it comes.
    .DESCRIPTION
        A machine that can't be reached, refuses, dies, or takes too long has its result like every other. Nothing is
        written to the error stream: that is the calling command's choice. With a journal, machines that it holds as done
        are answered from it. What is still running when the caller stops reading is stopped.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [object[]] $Target,

        # The worker's request; each machine gets a copy.
        [hashtable] $Request = @{},

        # Name -> a machine's own request instead.
        [hashtable] $RequestFor = @{},

        # The worker's text.
        [string] $Worker = (Get-DdnsWorker),

        # The release zip on this side; sent only to machines that ask for it.
        [string] $PackagePath = '',

        [ValidateRange(1, 512)]
        [int] $ThrottleLimit = 32,

        # For one attempt on one machine.
        [ValidateRange(1, 86400)]
        [int] $TimeoutSeconds = 900,

        [ValidateRange(0, 10)]
        [int] $Retry = 2,

        # Seconds before each further attempt; the last counts for all after it.
        [int[]] $RetryDelaySeconds = @(5, 15, 45),

        # From Open-DdnsJournal.
        [object] $Journal,

        [string] $Activity = 'DDNS'
    )
    # Whether it may be done was asked before. What is begun and cleared up here is not what the caller's -WhatIf means.
    $WhatIfPreference = $false
    $ConfirmPreference = 'None'
    $plan = @{
        Worker = $Worker; Request = $Request; RequestFor = $RequestFor; Package = $PackagePath; Chunk = $null
        Timeout = $TimeoutSeconds; Retry = $Retry; Delay = $RetryDelaySeconds; Journal = $Journal
    }
    # Now: an uninstallation of this machine may take this module's files away.
    $null = Get-DdnsTransportData
    $progress = New-DdnsProgress -Activity $Activity -Total $Target.Count
    $waiting = New-Object -TypeName 'System.Collections.Generic.List[object]'
    $running = New-Object -TypeName 'System.Collections.Generic.List[object]'
    foreach ($item in $Target) {
        $waiting.Add((New-DdnsVisit -Target $item -Plan $plan))
    }
    try {
        while ($waiting.Count -or $running.Count) {
            Start-DdnsVisit -Waiting $waiting -Running $running -Plan $plan -ThrottleLimit $ThrottleLimit
            Wait-DdnsVisit -Running $running -Waiting $waiting
            foreach ($visit in $running.ToArray()) {
                Step-DdnsVisit -Visit $visit -Plan $plan
                if (-not $visit.Job -and -not $visit.Asking) {
                    [void]$running.Remove($visit)
                    if (-not $visit.Result) {
                        $waiting.Add($visit)
                        continue
                    }
                    Write-DdnsProgress -Progress $progress -Result $visit.Result -Running $running.Count
                    $visit.Result
                }
            }
        }
    } finally {
        foreach ($visit in $running) {
            Stop-DdnsRemoteJob -Job $visit.Job
        }
        Write-Progress -Activity $Activity -Completed
    }
}

function Start-DdnsVisit {
    # Starts what waits and may start, as far as there is room. A visit that needs no connection has its result at once.
    [CmdletBinding()]
    param(
        [System.Collections.Generic.List[object]] $Waiting,
        [System.Collections.Generic.List[object]] $Running,
        [hashtable] $Plan,
        [int] $ThrottleLimit
    )
    $now = [DateTime]::UtcNow
    foreach ($visit in $Waiting.ToArray()) {
        if ($Running.Count -ge $ThrottleLimit) {
            return
        }
        if ($visit.NotBefore -gt $now) {
            continue
        }
        [void]$Waiting.Remove($visit)
        $Running.Add($visit)
        Enter-DdnsVisit -Visit $visit -Plan $Plan
        if ($visit.Result) {
            # Its result goes out before the next is started, so that a reader who stops early stops the rest.
            return
        }
    }
}

function Wait-DdnsVisit {
    # Until any job has ended, or a second has passed: then clocks are looked at.
    [CmdletBinding()]
    param(
        [System.Collections.Generic.List[object]] $Running,
        [System.Collections.Generic.List[object]] $Waiting
    )
    foreach ($visit in $Running) {
        if ($visit.Result -or $visit.Asking) {
            if ($visit.Asking) {
                Start-Sleep -Milliseconds 50
            }
            return
        }
    }
    $jobs = @($Running | ForEach-Object -MemberName Job | Where-Object { $_ })
    if ($jobs.Count) {
        $null = Wait-Job -Job $jobs -Any -Timeout 1
    } elseif ($Waiting.Count) {
        Start-Sleep -Milliseconds 200
    }
}
