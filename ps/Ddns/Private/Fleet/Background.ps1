# Work that must not hold up the scheduler, each in a runspace of its own.

function Start-DdnsBackground {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [string] $Script,

        [object] $Argument
    )
    $shell = [PowerShell]::Create()
    $null = $shell.AddScript($Script).AddArgument($Argument)
    @{ Shell = $shell; Handle = $shell.BeginInvoke() }
}

function Stop-DdnsRemoteJob {
    # Stops and forgets a job. Stopping blocks as long as a dead connection does, so nobody waits for it.
    [CmdletBinding()]
    param(
        [AllowNull()]
        [object] $Job
    )
    if (-not $Job) {
        return
    }
    if ($Job.State -in 'Completed', 'Failed', 'Stopped') {
        Remove-Job -Job $Job -Force -ErrorAction SilentlyContinue
        return
    }
    Stop-DdnsSshProcess -Job $Job
    $null = Start-DdnsBackground -Script 'param($Job) $Job.StopJob()' -Argument $Job
}

function Stop-DdnsSshProcess {
    # Without its ssh the session of a frozen machine ends at once. It would else keep this process from ending, too.
    [CmdletBinding()]
    param([object] $Job)
    $token = $Job.PSObject.Properties['DdnsToken']
    if (-not $token -or $PSVersionTable.PSVersion.Major -lt 7) {
        return
    }
    foreach ($process in (Get-Process -Name ssh -ErrorAction SilentlyContinue)) {
        $parent = Get-DdnsKey -Table $process -Key 'Parent'
        if ($parent -and $parent.Id -eq $PID -and "$(Get-DdnsKey -Table $process -Key 'CommandLine')".Contains($token.Value)) {
            Stop-Process -Id $process.Id -Force -ErrorAction SilentlyContinue
        }
    }
}

function Start-DdnsQuestion {
    # Asks ssh why a connection failed. Its exit code and words are in the end the output.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [object] $Target
    )
    $script = 'param($Words) $said = & ssh @Words 2>&1; "$LASTEXITCODE"; @($said) | ForEach-Object { "$_" }'
    $asking = Start-DdnsBackground -Script $script -Argument @(Get-DdnsSshArgument -Target $Target)
    $asking['Until'] = [DateTime]::UtcNow.AddSeconds(30)
    $asking
}

function Step-DdnsQuestion {
    [CmdletBinding()]
    param(
        [hashtable] $Visit,
        [hashtable] $Plan
    )
    $asking = $Visit.Asking
    if (-not $asking.Handle.IsCompleted -and [DateTime]::UtcNow -lt $asking.Until) {
        return
    }
    $Visit.Asking = $null
    $said = ''
    if ($asking.Handle.IsCompleted) {
        try {
            $lines = @($asking.Shell.EndInvoke($asking.Handle))
            # 0: ssh gets through now, so what it says of itself is no reason.
            $said = if ($lines.Count -and "$($lines[0])" -ne '0') { ($lines | Select-Object -Skip 1) -join ' ' } else { '' }
        } catch {
            Write-Verbose "ssh could not be asked: $($_.Exception.Message)"
        }
        $asking.Shell.Dispose()
    }
    Complete-DdnsVisit -Visit $Visit -Plan $Plan -Problem (Get-DdnsTransportError -Reason $Visit.Reason -Said $said)
}
