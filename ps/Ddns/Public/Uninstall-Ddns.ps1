function Uninstall-Ddns {
    <#
    .SYNOPSIS
        Takes the client off this machine: task, service or Run key, program, PATH, event source, entry.

    .DESCRIPTION
        That nothing is there is success. Settings, secrets, state and logs stay unless -RemoveData is given; the record in
        DNS stays.

    .PARAMETER RemoveData
        Also remove settings, secrets, state and logs.

    .PARAMETER RemoveRecord
        Not yet possible: the call is refused (code NotYet), and nothing is changed. Remove the record at the provider,
        or at the gateway: ddns gateway revoke NAME --remove-records.

    .EXAMPLE
        Uninstall-Ddns

        The program goes, the data stay.

    .EXAMPLE
        Uninstall-Ddns -RemoveData -Confirm:$false

        Nothing of it is left here. The record in DNS stands.

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
