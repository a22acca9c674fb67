function Get-DdnsTask {
    <#
    .SYNOPSIS
        Tells how the client does, here or on other machines: task, last result in words, next run, address, last proof.

    .DESCRIPTION
        Merges what the task scheduler knows with the client's own status file. It changes nothing, disturbs no run, and
        needs no elevation; where something can't be seen without it, that is said, not "not installed".

        This machine is shown as a list. Of other machines each has exactly one row, the unreachable included: name, health, age of
        the last run, and its result in words, or what is wrong; Format-Table -View Wide also shows state, version and address.

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

    .PARAMETER Detailed
        The whole result of the worker (Ddns.Result) instead of one flat row.

    .EXAMPLE
        Get-DdnsTask

        What there is to know: health, what is wrong and what to do, last run in words, next run, address, last proof.

    .EXAMPLE
        Get-DdnsTask | Format-List *

        All of it.

    .EXAMPLE
        Get-DdnsTask -ComputerName pc01, pc02 | Format-Table -View Wide

        Also task state, version and address.

    .EXAMPLE
        Get-DdnsTask -ComputerName pc01, pc02 | Where-Object Health -ne 'OK'

        Two other machines, by Windows Remote Management.

    .EXAMPLE
        Get-DdnsTask -Session (New-PSSession -HostName pc03 -UserName admin)

        Over a session that is open.

    .OUTPUTS
        Ddns.TaskStatus
    #>
    [CmdletBinding(PositionalBinding = $false)]
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
        [ValidateRange(1, 86400)][int]$TimeoutSeconds = 120,
        [ValidateRange(0, 10)][int]$Retry = 0,
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
        Invoke-DdnsTarget -Request @{ Operation = 'Query' } -Call $call -Activity 'How they do' | ForEach-Object {
            if ($Detailed) { $_ } else { ConvertTo-DdnsTaskStatus -Result $_ -Alone:$call.Here }
            Write-DdnsFailure -Cmdlet $PSCmdlet -Result $_
        }
    }
}
