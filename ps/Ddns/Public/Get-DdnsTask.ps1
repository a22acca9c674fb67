function Get-DdnsTask {
    <#
    .SYNOPSIS
        Tells how the client on this machine does: task, last result in words, next run, address, last change, last proof.

    .DESCRIPTION
        Merges what the task scheduler knows with the client's own status file. It changes nothing, disturbs no run, and
        needs no elevation; where something can't be seen without it, that is said, not "not installed".

    .PARAMETER Detailed
        The whole result of the worker (Ddns.Result) instead of one flat row.

    .EXAMPLE
        Get-DdnsTask

        One row: name, address, health, last result, next run.

    .EXAMPLE
        Get-DdnsTask | Format-List *

        All of it.

    .OUTPUTS
        Ddns.TaskStatus
    #>
    [CmdletBinding()]
    [OutputType('Ddns.TaskStatus')]
    param([switch]$Detailed)
    $result = Invoke-DdnsTarget -Request @{ Operation = 'Query' }
    if ($Detailed) { $result }
    else { ConvertTo-DdnsTaskStatus -Result $result }
    Write-DdnsFailure -Cmdlet $PSCmdlet -Result $result
}
