function Uninstall-Ddns {
    <#
    .SYNOPSIS
        Takes the client off this machine, or off others: task, service or Run key, program, PATH, event source, entry.

    .DESCRIPTION
        That nothing is there is success. Settings, secrets, state and logs stay unless -RemoveData is given; the record in
        DNS stays unless -RemoveRecord is.

        Each machine has exactly one result, the unreachable included; the same call, made again, does what is left.

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

    .PARAMETER JournalPath
        The file that remembers which machines are done. Default: one for each kind of call, in the local application
        data of the user. The same call, made again, does only what is left.

    .PARAMETER Fresh
        Begin anew: visit also the machines that an unfinished call has done.

    .PARAMETER RemoveData
        Also remove settings, secrets, state and logs.

    .PARAMETER RemoveRecord
        Also take the records that the machine owns out of DNS, and give its key back at the gateway, before its files go. What
        somebody else changed stays. What can't be reached is told (GatewayUnreachable): program, settings and key then stay,
        and the same call, or Sync-DdnsFleet, does the rest later. -WhatIf shows which records these are.

    .EXAMPLE
        Uninstall-Ddns

        The program goes, the data stay.

    .EXAMPLE
        Uninstall-Ddns -RemoveData -Confirm:$false

        Nothing of it is left here. The record in DNS stands.

    .EXAMPLE
        Get-Content .\old.txt | Uninstall-Ddns -RemoveData -Confirm:$false

        Off all machines of a list; each has its result.

    .EXAMPLE
        Uninstall-Ddns -RemoveRecord -RemoveData

        Nothing of it is left, here or in DNS.

    .EXAMPLE
        Uninstall-Ddns -Session $session -WhatIf

        What would go from the machines behind open sessions.

    .OUTPUTS
        Ddns.Result
    #>
    [CmdletBinding(PositionalBinding = $false, SupportsShouldProcess, ConfirmImpact = 'High')]
    [OutputType('Ddns.Result')]
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
        [string]$JournalPath,
        [switch]$Fresh,
        [switch]$RemoveData,
        [switch]$RemoveRecord
    )
    begin {
        $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) { $given.Add($item) }
    }
    end {
        $call = Resolve-DdnsCall -Bound $PSBoundParameters -Given $given.ToArray() -Piped $MyInvocation.ExpectingInput
        if (-not (Confirm-DdnsCall -Call $call -Cmdlet $PSCmdlet -Action 'Uninstall ddns')) { return }
        $request = @{ Operation = 'Uninstall'; RemoveData = [bool]$RemoveData; RemoveRecord = [bool]$RemoveRecord }
        $stray = if (-not $call.Here) { Get-DdnsTombstoneInventory }
        Invoke-DdnsTarget -Request $request -Call $call -Activity 'Uninstall' -Resumable | ForEach-Object {
            $result = $_
            if ($stray -and -not $call.WhatIf -and ($_.Tombstone -or $stray.Machines.ContainsKey($_.ComputerName))) {
                Update-DdnsInventory -Inventory $stray -Result $_ -Target ($call.Target | Where-Object { $_.Name -eq $result.ComputerName })
            }
            $_
            Write-DdnsFailure -Cmdlet $PSCmdlet -Result $_
        }
    }
}
