# What a visit brought: the answer of the other end, or the lack of one, as a result in the worker's shape.

function Read-DdnsVisit {
    # What an ended job brought: a greeting, a result, or an error of the way.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan
    )
    $job = $Visit.Job
    $Visit.Job = $null
    $answer = @(Receive-Job -Job $job -ErrorAction SilentlyContinue -ErrorVariable failures)
    $reason = @($job.ChildJobs | ForEach-Object { $_.JobStateInfo.Reason } | Where-Object { $_ }) | Select-Object -First 1
    if (-not $reason -and $failures.Count) {
        $reason = $failures[0].Exception
    }
    Stop-DdnsRemoteJob -Job $job
    $result = $null
    foreach ($item in $answer) {
        if ($item -is [hashtable] -and $item['Greeting']) {
            $Visit.Greeted = $item
        } elseif ($null -ne $item) {
            $result = $item
        }
    }
    if ($result) {
        Resolve-DdnsAnswer -Visit $Visit -Plan $Plan -Answer $result
        return
    }
    $Visit.Reason = $reason
    if ($Visit.Greeted -and $Visit.Greeted['Problem']) {
        $detail = if ($Visit.Greeted['Problem'] -eq 'WrongMachine') { "$($Visit.Greeted['Computer'])" } else { '' }
        $problem = Get-DdnsTransportError -Code $Visit.Greeted['Problem'] -Detail $detail
    } elseif ($Visit.Greeted) {
        $code = if ($job.State -eq 'Completed') { 'NoResult' } else { 'Died' }
        $problem = Get-DdnsTransportError -Code $code
    } elseif ($Visit.Target.Transport -eq 'SSH') {
        $Visit.Asking = Start-DdnsQuestion -Target $Visit.Target
        return
    } else {
        $problem = Get-DdnsTransportError -Reason $reason
    }
    Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem $problem
}

function Resolve-DdnsAnswer {
    # The worker's result; or that it wants the package; or that it could not even begin.
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan,
        [object] $Answer
    )
    if ($Answer -is [hashtable] -and $Answer['Broken']) {
        $problem = Get-DdnsTransportError -Code 'NoResult' -Detail $Answer['Message']
        if ($Answer['DiskFull']) {
            $problem['Code'] = 'DiskFull'
            $problem['Message'] = "There is no space for the package: $($Answer['Message'])"
            $problem['Advice'] = 'Free some space on the drive of %TEMP% and %ProgramFiles%, then run the same command again.'
        }
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem $problem
        return
    }
    $Answer = ConvertFrom-DdnsAnswer -Answer $Answer
    if (-not $Answer) {
        Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem (Get-DdnsTransportError -Code 'NoResult')
        return
    }
    $wants = $Answer.Error -and $Answer.Error.Code -eq 'PackageMissing'
    if ($wants -and $Plan.Package -and -not $Visit.Send -and $Visit.Target.Transport -ne 'Local') {
        if (-not $Visit.Request['WhatIf']) {
            $Visit.Send = $true
            return
        }
        $Answer = ConvertTo-DdnsWhatIfAnswer -Answer $Answer
    }
    Complete-DdnsVisit -Visit $Visit -Plan $Plan -Answer $Answer
}

function ConvertFrom-DdnsAnswer {
    # The worker's object out of its text; nothing when there is none.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer
    )
    if ($Answer -isnot [hashtable] -or $Answer['Result'] -isnot [string]) {
        return
    }
    try {
        $result = [System.Management.Automation.PSSerializer]::Deserialize($Answer['Result'])
    } catch {
        Write-Verbose "An answer can't be read: $($_.Exception.Message)"
        return
    }
    if (Get-DdnsKey -Table $result -Key 'Outcome') {
        Add-DdnsMissing -Answer $result
    }
}

function ConvertTo-DdnsWhatIfAnswer {
    # A plan is not worth the copy: that the package would be sent is all there is to say.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer
    )
    $Answer.Outcome = 'WhatIf'
    $Answer.Error = $null
    $step = [pscustomobject]@{ Name = 'Package'; Outcome = 'WouldDo'; Detail = 'the package would be copied and installed'; Milliseconds = 0 }
    $Answer.Steps = @(@($Answer.Steps | Where-Object { $_ -and $_.Name -ne 'Package' }) + $step)
    $Answer
}

function New-DdnsFailure {
    # A result in the worker's shape for a machine whose worker could not give one.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Target,
        [hashtable] $Request,
        [hashtable] $Problem,
        [DateTime] $Started
    )
    $began = if ($Started -eq [DateTime]::MinValue) { [DateTime]::UtcNow } else { $Started }
    [pscustomobject]@{
        Schema = 1; Computer = $Target.Name; Operation = "$($Request['Operation'])"; Outcome = $Problem['Outcome']
        Changed = $false; Version = ''; PreviousVersion = ''; Mode = ''; Steps = @(); Task = $null; Status = $null
        StatusError = ''; Drift = @(); Tombstone = $null
        Error = [pscustomobject]@{ Code = $Problem['Code']; Message = $Problem['Message']; Advice = $Problem['Advice'] }
        StartedAt = $began.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
        Milliseconds = [int]([DateTime]::UtcNow - $began).TotalMilliseconds
    }
}

function Add-DdnsFleetProperty {
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Answer,
        [hashtable] $Visit
    )
    $more = [ordered]@{
        ComputerName = $Visit.Target.Name
        Group        = $Visit.Target.Group
        Ring         = $Visit.Target.Ring
        Attempts     = $Visit.Attempt
        FromJournal  = $false
    }
    Add-Member -InputObject $Answer -NotePropertyMembers $more -Force
    Add-DdnsFleetType -Answer $Answer
}

function Add-DdnsFleetType {
    # The types that the way here took off: how results are shown depends on them.
    [CmdletBinding()]
    [OutputType('Ddns.MachineResult')]
    param([object] $Answer)
    foreach ($type in 'Ddns.Result', 'Ddns.MachineResult') {
        $Answer.PSObject.TypeNames.Insert(0, $type)
    }
    foreach ($row in @($Answer.Drift | Where-Object { $_ })) {
        $row.PSObject.TypeNames.Insert(0, 'Ddns.Drift')
    }
    $Answer
}
