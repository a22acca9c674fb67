function Remove-DdnsOrphan {
    <#
    .SYNOPSIS
        Machines that earlier runs installed and the fleet file no longer names: uninstalled when asked, else only told.
    .DESCRIPTION
        Only what the inventory holds is looked at. A machine whose task is another than the one that was made there
        belongs to somebody else by now, and is left alone.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [string[]] $Name,

        [Parameter(Mandatory)]
        [hashtable] $Run,

        [switch] $Prune
    )
    $targets = @($Name | ForEach-Object { Get-DdnsInventoryTarget -Inventory $Run.Inventory -Name $_ -Connection $Run.Connection })
    if (-not $Prune) {
        $problem = @{ Code = 'NotInFile'; Outcome = 'Left'; Message = 'An earlier run installed it, and the fleet file no longer names it'; Advice = '-Prune uninstalls it.' }
        foreach ($target in $targets) {
            $left = New-DdnsFailure -Target $target -Request @{ Operation = 'Uninstall' } -Problem $problem -Started ([DateTime]::MinValue)
            Add-DdnsFleetProperty -Answer $left -Visit @{ Target = $target; Attempt = 0 }
        }
        return
    }
    $fan = $Run.Fan
    $ours = @(foreach ($answer in Invoke-DdnsFleet -Target $targets -Request @{ Schema = 1; Operation = 'Query' } -Activity 'Left over: look' @fan) {
            $made = "$($Run.Inventory.Machines[$answer.ComputerName].marker)"
            $now = "$(Get-DdnsKey -Table $answer.Task -Key 'Marker')"
            if ($answer.Outcome -in 'Unreachable', 'Failed') {
                $answer
            } elseif ($made -and $now -and $made -ne $now) {
                $answer.Outcome = 'Left'
                $answer.Error = [pscustomobject]@{ Code = 'NotOurs'; Message = 'Somebody else has deployed to it since'; Advice = 'Uninstall it there, if it shall go.' }
                $answer
            } else {
                $targets | Where-Object { $_.Name -eq $answer.ComputerName }
            }
        })
    $ours | Where-Object { $_.PSObject.TypeNames -notcontains 'Ddns.Target' }
    $go = @($ours | Where-Object { $_.PSObject.TypeNames -contains 'Ddns.Target' })
    $request = @{ Schema = 1; Operation = 'Uninstall'; WhatIf = $Run.WhatIf; RemoveRecord = [bool]$Run.RemoveRecord }
    Invoke-DdnsFleet -Target $go -Request $request -Activity 'Left over: uninstall' @fan
}
