function ConvertTo-DdnsFleetResult {
    <#
    .SYNOPSIS
        A worker's result as one flat row of Sync-DdnsFleet.
    #>
    [CmdletBinding()]
    [OutputType('Ddns.FleetResult')]
    param(
        [Parameter(Mandatory, ValueFromPipeline)]
        [object] $Result
    )
    process {
        $pending = @($Result.Steps | Where-Object { $_ -and $_.Outcome -eq 'WouldDo' } | ForEach-Object { if ($_.Detail) { "$($_.Name): $($_.Detail)" } else { $_.Name } })
        $drift = @($Result.Drift | Where-Object { $_ } | ForEach-Object { "$($_.Area) $($_.Item): $($_.Actual) instead of $($_.Expected)" })
        $outcome = "$($Result.Outcome)"
        if ($outcome -eq 'WhatIf') {
            $outcome = Get-DdnsPlanWord -Result $Result -Pending $pending.Count -Drift $drift.Count
        }
        [pscustomobject][ordered]@{
            PSTypeName      = 'Ddns.FleetResult'
            # Of this machine alone there is no more than the worker's result.
            ComputerName    = "$(Get-DdnsKey -Table $Result -Key 'ComputerName' -Default $Result.Computer)"
            Ring            = "$(Get-DdnsKey -Table $Result -Key 'Ring')"
            Group           = "$(Get-DdnsKey -Table $Result -Key 'Group')"
            Outcome         = $outcome
            Changed         = [bool]$Result.Changed
            Version         = "$($Result.Version)"
            PreviousVersion = "$($Result.PreviousVersion)"
            Pending         = $pending -join '; '
            Drift           = $drift -join '; '
            ErrorCode       = "$(Get-DdnsKey -Table $Result.Error -Key 'Code')"
            Error           = "$(Get-DdnsKey -Table $Result.Error -Key 'Message')"
            Advice          = "$(Get-DdnsKey -Table $Result.Error -Key 'Advice')"
            Attempts        = Get-DdnsKey -Table $Result -Key 'Attempts' -Default 1
            FromJournal     = [bool](Get-DdnsKey -Table $Result -Key 'FromJournal')
            Seconds         = [Math]::Round($Result.Milliseconds / 1000.0, 1)
            StartedAt       = "$($Result.StartedAt)"
        }
    }
}

function Get-DdnsPlanWord {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [object] $Result,
        [int] $Pending,
        [int] $Drift
    )
    if (-not $Pending) {
        # What a person changed is told, and stays without -Force.
        return $(if ($Drift) { 'Drift' } else { 'Unchanged' })
    }
    if ($Result.Operation -eq 'Uninstall') {
        return 'WouldRemove'
    }
    if ($Result.PreviousVersion) { 'WouldUpdate' } else { 'WouldInstall' }
}
