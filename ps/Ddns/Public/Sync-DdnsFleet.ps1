function Sync-DdnsFleet {
    <#
    .SYNOPSIS
        Brings a fleet to what a file describes: which machines, which version, which task, which settings, in which order.

    .DESCRIPTION
        The fleet file is a PowerShell data file: it is read, never run. Machines are in groups, groups in rings. Rings are
        deployed one after the other; a ring whose machines are not well afterwards stops the roll-out, or is rolled back,
        as its Gate says.

        The command may be run as often as you like: what is right is left alone. A run that was interrupted, or that could
        not reach some machines, is taken up by the next call, which does only what is left; when nothing is left, the next
        call looks at all machines again. Each machine yields exactly one row, the unreachable included.

        With -WhatIf every machine is asked what would be done there, and nothing is changed.

    .PARAMETER Path
        The fleet file.

    .PARAMETER ComputerName
        Only these machines of the file. Takes names, computer objects of Active Directory and rows of a CSV from the
        pipeline.

    .PARAMETER Session
        Open sessions to use for machines of the same name; only these machines are then visited.

    .PARAMETER Credential
        An administrator of the machines, for Windows Remote Management.

    .PARAMETER Secret
        Secrets that groups name: ID -> SecureString. They travel encrypted and are written to the protected store there.

    .PARAMETER EnrolmentCode
        One-time codes of the gateway: computer name -> SecureString.

    .PARAMETER Prune
        Uninstall machines that an earlier run installed and that the file no longer names. Nothing else is ever removed.

    .PARAMETER RemoveRecord
        With -Prune: also take the records that those machines own out of DNS, and give their keys back at the gateway, before
        their files go. What can't be reached is kept as a tombstone, which later calls clear.

    .PARAMETER ForgetTombstone
        Machines whose records and keys somebody took back by other means, such as ddns gateway retire: their tombstones are
        forgotten, and nothing else is done.

    .PARAMETER Force
        Also change back tasks that a person has edited.

    .PARAMETER AllowDowngrade
        Also go to an older version.

    .PARAMETER Fresh
        Begin anew: ask also the machines that an unfinished run has done.

    .PARAMETER StatePath
        The folder of journal and inventory. Default: DDNS\fleet\NAME in the local application data of the user.

    .PARAMETER ThrottleLimit
        How many machines at once.

    .PARAMETER TimeoutSeconds
        How long one attempt on one machine may take.

    .PARAMETER Retry
        How often a machine is tried again when the network or another deployment was in the way.

    .PARAMETER ReportPath
        Also write the rows to this file: .csv, .json or .html.

    .EXAMPLE
        Sync-DdnsFleet -Path .\fleet.psd1 -WhatIf

        Shows what would be done on each machine.

    .EXAMPLE
        Sync-DdnsFleet -Path .\fleet.psd1 -Secret @{ 'main-token' = (Read-Host -AsSecureString) } -ReportPath .\run.html

        Deploys ring by ring, and writes a report.

    .EXAMPLE
        Get-ADComputer -Filter 'Name -like "pc*"' | Sync-DdnsFleet -Path .\fleet.psd1

        Only the machines of the file that the directory search finds.

    .EXAMPLE
        Sync-DdnsFleet -Path .\fleet.psd1 -Session $session

        Only the machines of these open sessions.

    .EXAMPLE
        Sync-DdnsFleet -Path .\fleet.psd1 -Prune -RemoveRecord

        Also uninstalls what the file no longer names, with records and keys.

    .OUTPUTS
        Ddns.FleetResult
    #>
    [CmdletBinding(PositionalBinding = $false, SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('Ddns.FleetResult')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [string] $Path,

        [Parameter(ValueFromPipeline)]
        [AllowNull()]
        [object[]] $ComputerName,

        [System.Management.Automation.Runspaces.PSSession[]] $Session,

        [pscredential] $Credential,

        [hashtable] $Secret = @{},

        [hashtable] $EnrolmentCode = @{},

        [switch] $Prune,

        [switch] $RemoveRecord,

        [string[]] $ForgetTombstone,

        [switch] $Force,

        [switch] $AllowDowngrade,

        [switch] $Fresh,

        [string] $StatePath,

        [ValidateRange(1, 512)]
        [int] $ThrottleLimit = 32,

        [ValidateRange(1, 86400)]
        [int] $TimeoutSeconds = 900,

        [ValidateRange(0, 10)]
        [int] $Retry = 2,

        [string] $ReportPath
    )
    begin {
        $names = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) {
            $names.Add($item)
        }
    }
    end {
        $connection = @{}
        if ($Credential) {
            $connection['Credential'] = $Credential
        }
        $fleet = Import-DdnsFleetFile -Path $Path
        $rings = Get-DdnsFleetPlan -Fleet $fleet -Connection $connection
        $only = Get-DdnsOnly -Name $names.ToArray() -Session $Session -Bound ($PSBoundParameters.ContainsKey('ComputerName') -or $names.Count)
        $state = if ($StatePath) { [IO.Path]::GetFullPath($StatePath) } else { Get-DdnsFleetStatePath -Name $fleet['Name'] }
        $run = @{
            Fan           = @{ ThrottleLimit = $ThrottleLimit; TimeoutSeconds = $TimeoutSeconds; Retry = $Retry }
            WhatIf        = [bool]$WhatIfPreference
            Connection    = Merge-DdnsTable -Table @($fleet['Connection'], $connection)
            Secret        = $Secret
            EnrolmentCode = $EnrolmentCode
            Switches      = @{ Force = [bool]$Force; AllowDowngrade = [bool]$AllowDowngrade }
            Prune         = [bool]$Prune
            RemoveRecord  = [bool]$RemoveRecord
            Tombstones    = @()
            Buried        = @()
            Only          = $only
            Session       = $Session
            Inventory     = Read-DdnsInventory -Path ([IO.Path]::Combine($state, 'inventory.json'))
            Journal       = $null
        }
        $run.Tombstones = @($run.Inventory, (Get-DdnsTombstoneInventory))
        if ($null -eq $only) {
            $named = @($rings | ForEach-Object { $_.Machines } | ForEach-Object { $_.Target.Name })
            $run.Buried = @(Get-DdnsTombstoneName -Inventory $run.Tombstones -Named $named)
        }
        if ($ForgetTombstone) {
            if ($PSCmdlet.ShouldProcess(($ForgetTombstone -join ', '), 'Forget tombstone')) {
                Remove-DdnsTombstone -Inventory $run.Tombstones -Name $ForgetTombstone
            }
            return
        }
        $agreed = @{}
        foreach ($ring in $rings) {
            foreach ($machine in $ring.Machines) {
                $name = $machine.Target.Name
                # A plan needs no leave, and its rows say more than "What if" lines would.
                $agreed[$name] = $run.WhatIf -or $PSCmdlet.ShouldProcess($name, "Deploy ddns $($machine.Package.Version) (ring $($ring.Name))")
            }
        }
        if ($Prune -and -not $run.WhatIf) {
            foreach ($name in @(Get-DdnsOrphanName -Ring $rings -Run $run)) {
                $agreed[$name] = $PSCmdlet.ShouldProcess($name, 'Uninstall ddns')
            }
        }
        $run['Agreed'] = $agreed
        foreach ($name in $run.Buried) {
            $agreed[$name] = $run.WhatIf -or $PSCmdlet.ShouldProcess($name, 'Take record and key back')
        }
        # From here on the rows are the plan: journal, report and the rest are not what -WhatIf means.
        $WhatIfPreference = $false
        $rows = New-Object -TypeName 'System.Collections.Generic.List[object]'
        $finished = $false
        try {
            if (-not $run.WhatIf) {
                $run.Journal = Open-DdnsJournal -Path ([IO.Path]::Combine($state, 'journal')) -Fresh:$Fresh
            }
            Invoke-DdnsRollOut -Ring $rings -Run $run | ConvertTo-DdnsFleetResult | ForEach-Object {
                $rows.Add($_)
                $_
                Write-DdnsRowError -Row $_ -Cmdlet $PSCmdlet
            }
            $finished = $true
        } finally {
            Close-DdnsJournal -Journal $run.Journal -Finished:$finished
        }
        if ($ReportPath) {
            Export-DdnsReport -InputObject $rows.ToArray() -Path $ReportPath -Title "Roll-out of $($fleet['Name'])"
        }
    }
}
