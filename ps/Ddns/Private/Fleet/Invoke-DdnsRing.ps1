function Invoke-DdnsRing {
    <#
    .SYNOPSIS
        Deploys to the machines of one ring and emits the worker's results. Machines with one package go together.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Ring,

        # What all rings of a run share: Fan, WhatIf, Journal, Secret, EnrolmentCode, Switches.
        [Parameter(Mandatory)]
        [hashtable] $Run
    )
    foreach ($part in ($Ring.Machines | Group-Object -Property { $_.Package.Path })) {
        $requests = @{}
        foreach ($machine in $part.Group) {
            $requests[$machine.Target.Name] = Get-DdnsRingRequest -Machine $machine -Run $Run
        }
        $call = @{
            Target      = @($part.Group | ForEach-Object { $_.Target })
            RequestFor  = $requests
            PackagePath = $part.Group[0].Package.Path
            Activity    = "Ring $($Ring.Name)"
        }
        $fan = $Run.Fan
        Invoke-DdnsFleet @call @fan -Journal $Run.Journal
    }
}

function Get-DdnsRingRequest {
    # A machine's request with what only this call knows: secrets, code, switches.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable] $Machine,
        [hashtable] $Run
    )
    $request = Merge-DdnsTable -Table @($Machine.Request, $Run.Switches)
    $request['WhatIf'] = $Run.WhatIf
    $secrets = @{}
    foreach ($id in $Machine.Secrets) {
        if ($Run.Secret.ContainsKey($id)) {
            $secrets[$id] = $Run.Secret[$id]
        }
    }
    $request['Secrets'] = $secrets
    $name = $Machine.Target.Name
    if ($Machine.Gateway -and $Run.EnrolmentCode.ContainsKey($name)) {
        $request['Enrolment'] = @{ Url = $Machine.Gateway['Url']; Code = $Run.EnrolmentCode[$name]; CaText = "$($Machine.Gateway['CaText'])" }
    }
    $request
}

function Undo-DdnsRing {
    <#
    .SYNOPSIS
        Takes a ring back to where it was: the version before, or nothing where nothing was. Emits all its results anew.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Ring,

        [Parameter(Mandatory)]
        [object[]] $Result,

        [Parameter(Mandatory)]
        [hashtable] $Run,

        [string] $Because
    )
    $requests = @{}
    foreach ($one in ($Result | Where-Object { $_.Changed -and $_.Outcome -in 'Installed', 'Updated' })) {
        $machine = $Ring.Machines | Where-Object { $_.Target.Name -eq $one.ComputerName }
        $requests[$one.ComputerName] = Get-DdnsUndoRequest -Machine $machine -Result $one -Inventory $Run.Inventory
    }
    $targets = @($Ring.Machines | ForEach-Object { $_.Target } | Where-Object { $requests.ContainsKey($_.Name) })
    $undone = @{}
    $fan = $Run.Fan
    foreach ($one in Invoke-DdnsFleet -Target $targets -RequestFor $requests -Activity "Ring $($Ring.Name): back" @fan) {
        # Not "it said it did": whether it is back is told by the version that is there now.
        $back = "$($one.Version)" -eq "$($requests[$one.ComputerName]['Version'])"
        if ($back -and $one.Outcome -in 'Updated', 'Unchanged', 'Removed', 'NotInstalled') {
            $one.Outcome = 'RolledBack'
            $one.Error = [pscustomobject]@{ Code = 'RingFailed'; Message = $Because; Advice = 'Look at the machines that failed, then run the same command again.' }
        } elseif (-not $one.Error) {
            $one.Outcome = 'Failed'
            $one.Error = [pscustomobject]@{ Code = 'NotBack'; Message = "$Because. The version before could not be put back: it is not known, or no longer there"; Advice = 'Deploy the version before with its package and -AllowDowngrade.' }
        }
        $undone[$one.ComputerName] = $one
    }
    foreach ($one in $Result) {
        Undo-DdnsJournalResult -Journal $Run.Journal -Computer $one.ComputerName
        if ($undone.ContainsKey($one.ComputerName)) {
            $undone[$one.ComputerName]
        } else {
            $one
        }
    }
}

function Get-DdnsUndoRequest {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable] $Machine,
        [object] $Result,
        [hashtable] $Inventory
    )
    if (-not $Result.PreviousVersion) {
        return @{ Schema = 1; Operation = 'Uninstall'; Version = '' }
    }
    # Without a package: the version before is still on the machine, known by the hash of the package that it came from.
    # Settings stay; secrets are not sent again.
    $entry = $Inventory.Machines[$Result.ComputerName]
    $request = $Machine.Request.Clone()
    $request['Version'] = $Result.PreviousVersion
    $request['Settings'] = $null
    $request['Package'] = ''
    $request['Sha256'] = if ($entry) { "$(Get-DdnsKey -Table $entry.packages -Key $Result.PreviousVersion)" } else { '' }
    $request['AllowDowngrade'] = $true
    $request
}
