function Start-DdnsTask {
    <#
    .SYNOPSIS
        Runs the client now, as the task does.

    .DESCRIPTION
        A run that is at work already is success. Enabling and disabling the task stays with Enable-ScheduledTask and
        Disable-ScheduledTask.

    .PARAMETER Wait
        Wait for the end of the run.

    .PARAMETER Timeout
        Seconds to wait at most.

    .PARAMETER Detailed
        The whole result of the worker (Ddns.Result).

    .EXAMPLE
        Start-DdnsTask -Wait

        Runs, waits, and shows how it ended.

    .OUTPUTS
        Ddns.TaskStatus
    #>
    [CmdletBinding(SupportsShouldProcess)]
    [OutputType('Ddns.TaskStatus')]
    param(
        [switch]$Wait,
        [ValidateRange(1, 3600)][int]$Timeout = 120,
        [switch]$Detailed
    )
    $plan = -not $PSCmdlet.ShouldProcess([System.Environment]::MachineName, 'Run ddns')
    if ($plan -and -not $WhatIfPreference) { return }
    $request = @{ Operation = 'Start'; WaitSeconds = 0; WhatIf = $plan }
    if ($Wait) { $request.WaitSeconds = $Timeout }
    $result = Invoke-DdnsTarget -Request $request
    if ($Detailed -or $plan -or $null -ne $result.Error) { $result }
    else {
        # A row tells how things are; a start alone does not ask for that.
        $result.Outcome = 'Ok'
        ConvertTo-DdnsTaskStatus -Result $result
    }
    Write-DdnsFailure -Cmdlet $PSCmdlet -Result $result
}
