function Test-DdnsTask {
    <#
    .SYNOPSIS
        Tells what differs from what was deployed: task, files, rights, settings, event channels, start mode.

    .DESCRIPTION
        One row for each difference, none when there is none. Nothing is changed; Install-Ddns sets right what it may, and
        a task that a person changed with -Force.

    .PARAMETER Quiet
        True when nothing differs, else false, and no rows: for detection scripts.

    .PARAMETER Detailed
        The whole result of the worker (Ddns.Result).

    .EXAMPLE
        Test-DdnsTask

        Rows with Area, Item, Expected, Actual and Severity.

    .EXAMPLE
        if (-not (Test-DdnsTask -Quiet)) { Install-Ddns -Force }

        Sets right what differs.

    .OUTPUTS
        Ddns.Drift
    #>
    [CmdletBinding()]
    [OutputType('Ddns.Drift')]
    param([switch]$Quiet, [switch]$Detailed)
    $result = Invoke-DdnsTarget -Request @{ Operation = 'Test' }
    if ($Detailed) { $result }
    elseif ($Quiet) { $result.Outcome -eq 'Ok' }
    else {
        foreach ($row in $result.Drift) { $row }
        if ($result.Outcome -eq 'NotInstalled') { Write-Warning -Message 'ddns is not installed on this machine.' }
    }
    if (-not $Quiet) { Write-DdnsFailure -Cmdlet $PSCmdlet -Result $result }
}
