function Test-DdnsTask {
    <#
    .SYNOPSIS
        Tells what differs from what was deployed: task, files, rights, settings, event channels, start mode.

    .DESCRIPTION
        Here: one row for each difference, none when there is none. Other machines: one result for each machine, the
        unreachable included, with the rows in Drift. Nothing is changed; Install-Ddns sets right what it may, and
        a task that a person changed with -Force.

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

    .PARAMETER Quiet
        True when nothing differs, on no machine, else false, and no rows: for detection scripts.

    .PARAMETER Detailed
        The whole result of the worker (Ddns.Result).

    .EXAMPLE
        Test-DdnsTask

        Rows with Area, Item, Expected, Actual and Severity.

    .EXAMPLE
        if (-not (Test-DdnsTask -Quiet)) { Install-Ddns -Force }

        Sets right what differs.

    .EXAMPLE
        Get-ADComputer -Filter * | Test-DdnsTask | Where-Object Outcome -ne 'Ok'

        The machines of the directory that are not as they were deployed, or did not answer.

    .EXAMPLE
        Test-DdnsTask -Session $session | Select-Object -ExpandProperty Drift

        What differs on the machines behind open sessions.

    .OUTPUTS
        Ddns.Drift, Ddns.MachineResult
    #>
    [CmdletBinding(PositionalBinding = $false)]
    [OutputType('Ddns.Drift', 'Ddns.MachineResult', [bool])]
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
        [ValidateRange(1, 86400)][int]$TimeoutSeconds = 120,
        [ValidateRange(0, 10)][int]$Retry = 0,
        [switch]$Quiet,
        [switch]$Detailed
    )
    begin {
        $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) { $given.Add($item) }
    }
    end {
        $call = Resolve-DdnsCall -Bound $PSBoundParameters -Given $given.ToArray() -Piped $MyInvocation.ExpectingInput -Question
        $good = $true
        Invoke-DdnsTarget -Request @{ Operation = 'Test' } -Call $call -Activity 'What differs' | ForEach-Object {
            $good = $good -and $_.Outcome -eq 'Ok'
            if ($Quiet) { return }
            if ($Detailed -or -not $call.Here) { $_ }
            else {
                $_.Drift
                if ($_.Outcome -eq 'NotInstalled') { Write-Warning -Message 'ddns is not installed on this machine.' }
            }
            Write-DdnsFailure -Cmdlet $PSCmdlet -Result $_
        }
        if ($Quiet) { $good }
    }
}
