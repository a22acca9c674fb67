function Uninstall-Ddns {
    <#
    .SYNOPSIS
        Takes the client off this machine: task, service or Run key, program, PATH, event source, entry.

    .DESCRIPTION
        That nothing is there is success. Settings, secrets, state and logs stay unless -RemoveData is given; the record in
        DNS stays unless -RemoveRecord is given.

    .PARAMETER RemoveData
        Also remove settings, secrets, state and logs.

    .PARAMETER RemoveRecord
        First remove the records that this machine owns, and revoke its key at the gateway. When the provider or the
        gateway can't be reached, that is said, and Tombstone tells what is left to do there; a later run of
        Sync-DdnsFleet does it.

    .EXAMPLE
        Uninstall-Ddns

        The program goes, the data stay.

    .EXAMPLE
        Uninstall-Ddns -RemoveRecord -RemoveData -Confirm:$false

        Nothing of it is left, here or in DNS.

    .OUTPUTS
        Ddns.Result
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    [OutputType('Ddns.Result')]
    param(
        [switch]$RemoveData,
        [switch]$RemoveRecord
    )
    $plan = -not $PSCmdlet.ShouldProcess([System.Environment]::MachineName, 'Uninstall ddns')
    if ($plan -and -not $WhatIfPreference) { return }
    $result = Invoke-DdnsTarget -Request @{
        Operation = 'Uninstall'
        RemoveData = [bool]$RemoveData
        RemoveRecord = [bool]$RemoveRecord
        WhatIf = $plan
    }
    $result
    Write-DdnsFailure -Cmdlet $PSCmdlet -Result $result
}
