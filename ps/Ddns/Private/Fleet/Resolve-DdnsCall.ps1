# What a command was called for: this machine alone, or targets, with the way to them. All commands that take
# -ComputerName and -Session share it.

function Resolve-DdnsCall {
    <#
    .SYNOPSIS
        The machines of one call of a command and how they are visited.
    .OUTPUTS
        Here: this machine alone, without remoting. Target: the others. Fan: for Invoke-DdnsFleet. JournalPath, Fresh.
        WhatIf is what Confirm-DdnsCall finds out.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        # The command's $PSBoundParameters.
        [Parameter(Mandatory)]
        [System.Collections.IDictionary] $Bound,

        # What its process block collected of -ComputerName.
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [object[]] $Given,

        # Whether something was piped to it, if only nothing.
        [bool] $Piped,

        # For commands that change nothing: less patience than for a deployment.
        [switch] $Question
    )
    $call = @{ Here = $false; Target = @(); Fan = @{}; JournalPath = "$($Bound['JournalPath'])"; Fresh = [bool]$Bound['Fresh']; WhatIf = $false }
    $fan = @{ ThrottleLimit = 32; TimeoutSeconds = $(if ($Question) { 120 } else { 900 }); Retry = $(if ($Question) { 0 } else { 2 }) }
    foreach ($key in @($fan.Keys)) {
        if ($Bound.ContainsKey($key)) {
            $fan[$key] = $Bound[$key]
        }
    }
    $call.Fan = $fan
    # Nothing was named, as against: what was named holds no machine.
    if (-not $Piped -and -not $Given.Count -and -not $Bound.ContainsKey('ComputerName') -and -not $Bound.ContainsKey('Session')) {
        $call.Here = $true
        return $call
    }
    $sessions = @(if ($Bound.ContainsKey('Session')) { $Bound['Session'] | Where-Object { $_ } })
    $call.Target = @(Resolve-DdnsTarget -InputObject ($Given + $sessions) -Connection (Get-DdnsConnection -Bound $Bound))
    $call
}

function Get-DdnsConnection {
    # The parameters of a command that say how machines are reached.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param([System.Collections.IDictionary] $Bound)
    $way = @{}
    foreach ($key in 'Credential', 'Transport', 'UserName', 'KeyFilePath', 'SshOption', 'Port', 'UseSSL', 'SkipNameCheck') {
        if ($Bound.ContainsKey($key)) {
            $way[$key] = $Bound[$key]
        }
    }
    $way
}

function Confirm-DdnsCall {
    <#
    .SYNOPSIS
        Asks leave for each machine of a call. False when nothing is left to do.
    .DESCRIPTION
        With -WhatIf nobody is asked: the rows tell what would be done, machine by machine. This machine alone also has the
        line that people know from other commands.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Call,

        # The command: the leave is asked in its name.
        [Parameter(Mandatory)]
        [System.Management.Automation.PSCmdlet] $Cmdlet,

        [Parameter(Mandatory)]
        [string] $Action
    )
    $Call.WhatIf = [bool]$WhatIfPreference
    if ($Call.Here) {
        return ($Cmdlet.ShouldProcess([Environment]::MachineName, $Action) -or $Call.WhatIf)
    }
    if (-not $Call.WhatIf) {
        $Call.Target = @($Call.Target | Where-Object { $Cmdlet.ShouldProcess($_.Name, $Action) })
    }
    $Call.Target.Count -gt 0
}

function Invoke-DdnsCall {
    <#
    .SYNOPSIS
        Runs the worker on the machines of a call, each with its own request, and emits each result as it comes.
    .DESCRIPTION
        What changes machines is noted in a journal, so that the same call, made again after it was cut off or could not
        reach some, does only what is left.
    #>
    [CmdletBinding()]
    [OutputType('Ddns.Result')]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Call,

        [Parameter(Mandatory)]
        [hashtable] $Request,

        # Name -> a machine's own request instead.
        [hashtable] $RequestFor = @{},

        [string] $PackagePath = '',

        [string] $Activity = 'DDNS',

        # The operation changes something that need not be done twice.
        [switch] $Resumable
    )
    $Request['WhatIf'] = $Call.WhatIf
    foreach ($own in $RequestFor.Values) {
        $own['WhatIf'] = $Call.WhatIf
    }
    # The rows are the plan: journal and connections are not what -WhatIf means.
    $WhatIfPreference = $false
    $fan = $Call.Fan
    $work = @{ Target = $Call.Target; Request = $Request; RequestFor = $RequestFor; PackagePath = $PackagePath; Activity = $Activity }
    if ($Call.WhatIf -or -not $Resumable) {
        Invoke-DdnsFleet @work @fan
        return
    }
    $path = if ($Call.JournalPath) { $Call.JournalPath } else { Get-DdnsCallJournalPath -Request $Request }
    $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($path)
    $journal = Open-DdnsJournal -Path $path -Fresh:$Call.Fresh
    $finished = $false
    try {
        if ($journal.Known.Count -and $Request['Secrets'] -and $Request['Secrets'].Count) {
            Write-Warning "$($journal.Known.Count) machines are done by an earlier call that was not finished. It knows secrets by their names only: if yours is another one by now, use -Fresh."
        }
        Invoke-DdnsFleet @work @fan -Journal $journal
        $finished = $true
    } finally {
        Close-DdnsJournal -Journal $journal -Finished:$finished
        Remove-DdnsOldJournal
    }
}

function Get-DdnsCallJournalPath {
    # A file for each kind of call: another one has nothing to do with what this one left.
    [CmdletBinding()]
    [OutputType([string])]
    param([hashtable] $Request)
    $plain = $Request.Clone()
    $plain.Remove('Enrolment')
    $name = '{0}-{1}' -f "$($Request['Operation'])".ToLowerInvariant(), (Get-DdnsRequestHash -Request $plain).Substring(0, 16)
    [IO.Path]::Combine((Get-DdnsFleetStatePath -Name '_calls'), $name)
}
