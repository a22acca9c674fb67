function Start-DdnsTask {
    <#
    .SYNOPSIS
        Runs the client now, as the task does, here or on other machines.

    .DESCRIPTION
        A run that is at work already is success. Enabling and disabling the task stays with Enable-ScheduledTask and
        Disable-ScheduledTask. Each machine has exactly one row, the unreachable included.

    .PARAMETER ComputerName
        The machines: names (also user@host:port), computer objects of Active Directory, rows of a CSV with ComputerName,
        lines of a text file; from the pipeline, too. Without machines and sessions: this one.

    .PARAMETER Session
        Open sessions of any kind: Windows Remote Management, SSH, PowerShell Direct.

    .PARAMETER Credential
        An administrator of the machines, for Windows Remote Management.

    .PARAMETER Transport
        WinRM or SSH.

    .PARAMETER UserName
        SSH: the account there.

    .PARAMETER KeyFilePath
        SSH: the private key.

    .PARAMETER SshOption
        SSH: further options of ssh, such as @{ UserKnownHostsFile = 'C:\fleet\known_hosts' }.

    .PARAMETER Port
        Another port than the usual one.

    .PARAMETER UseSSL
        Windows Remote Management over HTTPS.

    .PARAMETER SkipNameCheck
        Do not check that a machine calls itself what it was asked for as.

    .PARAMETER ThrottleLimit
        How many machines at once.

    .PARAMETER TimeoutSeconds
        How long one attempt on one machine may take.

    .PARAMETER Retry
        How often a machine is tried again when the network or another deployment was in the way.

    .PARAMETER Wait
        Wait for the end of the run.

    .PARAMETER Timeout
        Seconds to wait at most.

    .PARAMETER Detailed
        The whole result of the worker (Ddns.Result).

    .EXAMPLE
        Start-DdnsTask -Wait

        Runs, waits, and shows how it ended.

    .EXAMPLE
        Get-Content .\machines.txt | Start-DdnsTask

        Runs it on all machines of a list.

    .EXAMPLE
        Start-DdnsTask -Session $session -Wait

        On the machines behind open sessions.

    .OUTPUTS
        Ddns.TaskStatus
    #>
    [CmdletBinding(PositionalBinding = $false, SupportsShouldProcess)]
    [OutputType('Ddns.TaskStatus')]
    param(
        [Parameter(Position = 0, ValueFromPipeline)]
        [Alias('CN', 'InputObject')]
        [AllowNull()]
        [object[]]$ComputerName,
        [System.Management.Automation.Runspaces.PSSession[]]$Session,
        [pscredential]$Credential,
        [ValidateSet('WinRM', 'SSH')][string]$Transport = 'WinRM',
        [string]$UserName,
        [string]$KeyFilePath,
        [hashtable]$SshOption,
        [ValidateRange(1, 65535)][int]$Port,
        [switch]$UseSSL,
        [switch]$SkipNameCheck,
        [ValidateRange(1, 512)][int]$ThrottleLimit = 32,
        [ValidateRange(1, 86400)][int]$TimeoutSeconds = 900,
        [ValidateRange(0, 10)][int]$Retry = 2,
        [switch]$Wait,
        [ValidateRange(1, 3600)][int]$Timeout = 120,
        [switch]$Detailed
    )
    begin {
        $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) { $given.Add($item) }
    }
    end {
        $call = Resolve-DdnsCall -Bound $PSBoundParameters -Given $given.ToArray() -Piped $MyInvocation.ExpectingInput
        if (-not (Confirm-DdnsCall -Call $call -Cmdlet $PSCmdlet -Action 'Run ddns')) { return }
        $request = @{ Operation = 'Start'; WaitSeconds = 0 }
        if ($Wait) { $request.WaitSeconds = $Timeout }
        Invoke-DdnsTarget -Request $request -Call $call -Activity 'Run' | ForEach-Object {
            if ($Detailed -or $call.WhatIf -or ($call.Here -and $null -ne $_.Error)) { $_ } else { ConvertTo-DdnsTaskStatus -Result $_ }
            Write-DdnsFailure -Cmdlet $PSCmdlet -Result $_
        }
    }
}
