function Invoke-DdnsRollOut {
    <#
    .SYNOPSIS
        Rings one after the other, each behind the gate of the one before; then what is left over. Emits worker results.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [object[]] $Ring,

        [Parameter(Mandatory)]
        [hashtable] $Run
    )
    $closed = ''
    foreach ($one in $Ring) {
        $part = Select-DdnsRing -Ring $one -Run $Run
        if (-not $part.Machines.Count) {
            continue
        }
        if ($closed) {
            Skip-DdnsRing -Ring $part -Run $Run -Because $closed
            continue
        }
        if ($Run.WhatIf -or -not $part.Gate.Asked) {
            Invoke-DdnsRing -Ring $part -Run $Run | ForEach-Object { Save-DdnsRingResult -Ring $part -Run $Run -Result $_ }
            continue
        }
        # The rows wait for the gate: it may change them.
        $since = [DateTime]::UtcNow
        $results = @(Invoke-DdnsRing -Ring $part -Run $Run | ForEach-Object { Save-DdnsRingResult -Ring $part -Run $Run -Result $_ })
        if (-not @($results | Where-Object { -not $_.FromJournal }).Count) {
            # All were done by an earlier run, whose time is not known here: any run of theirs counts.
            $since = [DateTime]::MinValue.AddDays(1)
        }
        $health = Test-DdnsRing -Ring $part -Result $results -Fan $Run.Fan -Since $since
        if (-not $health.Passed) {
            $closed = Get-DdnsGateText -Ring $part -Health $health
            Write-Warning $closed
            if ($part.Gate.OnFailure -eq 'RollBack') {
                $results = @(Undo-DdnsRing -Ring $part -Result $results -Run $Run -Because $closed | ForEach-Object { Save-DdnsRingResult -Ring $part -Run $Run -Result $_ })
            }
        }
        foreach ($result in $results) {
            Add-DdnsIllness -Result $result -Ill $health.Ill
        }
    }
    $orphans = @(Get-DdnsOrphanName -Ring $Ring -Run $Run | Where-Object { -not $Run.Agreed.ContainsKey($_) -or $Run.Agreed[$_] })
    if (-not $closed -and $orphans.Count) {
        Remove-DdnsOrphan -Name $orphans -Run $Run -Prune:$Run.Prune | ForEach-Object {
            $name = $_.ComputerName
            $target = Get-DdnsInventoryTarget -Inventory $Run.Inventory -Name $name -Connection $Run.Connection
            if (-not $Run.WhatIf) {
                Update-DdnsInventory -Inventory $Run.Inventory -Result $_ -Target $target
            }
            $_
        }
    }
    $buried = @($Run.Buried | Where-Object { $Run.Agreed[$_] })
    if ($buried.Count) {
        Clear-DdnsTombstone -Name $buried -Run $Run
    }
}

function Select-DdnsRing {
    # A ring with those of its machines that this call is about.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable] $Ring,
        [hashtable] $Run
    )
    $some = @($Ring.Machines | Where-Object {
            $name = $_.Target.Name
            $Run.Agreed[$name] -and ($null -eq $Run.Only -or $Run.Only.ContainsKey($name) -or $Run.Only.ContainsKey($name.Split('.')[0]))
        })
    foreach ($machine in $some) {
        $open = @($Run.Session | Where-Object { $_ -and $_.ComputerName -eq $machine.Target.Name }) | Select-Object -First 1
        if ($open) {
            $machine.Target.Transport = 'Session'
            $machine.Target.Session = $open
        }
    }
    @{ Name = $Ring.Name; Machines = $some; Gate = $Ring.Gate }
}

function Save-DdnsRingResult {
    # Enters a result into the inventory, unless it is only a plan, and hands it on.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [hashtable] $Ring,
        [hashtable] $Run,
        [object] $Result
    )
    if (-not $Run.WhatIf) {
        $machine = $Ring.Machines | Where-Object { $_.Target.Name -eq $Result.ComputerName }
        Update-DdnsInventory -Inventory $Run.Inventory -Result $Result -Target $machine.Target -Package $machine.Package
    }
    $Result
}

function Skip-DdnsRing {
    # Rows for machines behind a closed gate.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [hashtable] $Ring,
        [hashtable] $Run,
        [string] $Because
    )
    $problem = @{ Code = 'GateClosed'; Outcome = 'NotReached'; Message = $Because; Advice = 'Look at the machines of that ring, then run the same command again: it goes on from there.' }
    foreach ($machine in $Ring.Machines) {
        Undo-DdnsJournalResult -Journal $Run.Journal -Computer $machine.Target.Name
        $skipped = New-DdnsFailure -Target $machine.Target -Request $machine.Request -Problem $problem -Started ([DateTime]::MinValue)
        Add-DdnsFleetProperty -Answer $skipped -Visit @{ Target = $machine.Target; Attempt = 0 }
    }
}

function Add-DdnsIllness {
    # Says on a row why its machine failed the gate, where nothing else is said.
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [object] $Result,
        [hashtable] $Ill
    )
    if (-not $Result.Error -and $Ill.ContainsKey($Result.ComputerName)) {
        $Result.Error = [pscustomobject]@{ Code = 'NotWell'; Message = "Deployed, but not well: $($Ill[$Result.ComputerName])"; Advice = 'See Get-DdnsReport for this machine.' }
    }
    $Result
}

function Get-DdnsGateText {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [hashtable] $Ring,
        [hashtable] $Health
    )
    $names = @($Health.Ill.Keys | Sort-Object)
    $shown = ($names | Select-Object -First 5) -join ', '
    if ($names.Count -gt 5) {
        $shown += ", and $($names.Count - 5) more"
    }
    "Ring $($Ring.Name): $($names.Count) of $($Ring.Machines.Count) not well ($($Health.Limit) allowed): $shown"
}

function Get-DdnsOrphanName {
    # Machines of the inventory that the file does not name; none when only some machines are visited.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [object[]] $Ring,
        [hashtable] $Run
    )
    if ($null -ne $Run.Only) {
        return
    }
    $named = @($Ring | ForEach-Object { $_.Machines } | ForEach-Object { $_.Target.Name })
    @($Run.Inventory.Machines.Keys) | Where-Object { $named -notcontains $_ -and $Run.Buried -notcontains $_ } | Sort-Object
}

function Get-DdnsOnly {
    # The names that a call is limited to, as a table; null when it is about all.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [object[]] $Name,
        [object[]] $Session,
        [bool] $Bound
    )
    if (-not $Bound -and -not $Session) {
        return
    }
    $only = @{}
    foreach ($item in @($Name) + @($Session | Where-Object { $_ } | ForEach-Object { $_.ComputerName })) {
        $row = Get-DdnsTargetRow -InputObject $item
        if ($row) {
            $only[$row['Name']] = $true
            $only["$($row['Name'])".Split('.')[0]] = $true
        }
    }
    $only
}

function Write-DdnsRowError {
    # One error for each machine that failed, with its name as target, so that -ErrorAction and -ErrorVariable work.
    [CmdletBinding()]
    param(
        [object] $Row,
        [System.Management.Automation.PSCmdlet] $Cmdlet
    )
    # Of a roll-out, of a report, or of a file: not all have all.
    $of = ConvertTo-DdnsShape -Value $Row -Shape @{ ComputerName = 'text'; ErrorCode = 'text'; Outcome = 'text'; Error = 'text'; Problem = 'text'; Advice = 'text' }
    if (-not $of.ErrorCode -or $of.Outcome -in 'NotReached', 'Left') {
        return
    }
    $said = if ($of.Error) { $of.Error } else { $of.Problem }
    $text = "$($of.ComputerName): $said $($of.Advice)"
    $category = if ($of.Outcome -eq 'Unreachable') { 'ConnectionError' } else { 'NotSpecified' }
    $exception = New-Object -TypeName InvalidOperationException -ArgumentList $text
    $record = New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $exception, "Ddns.$($of.ErrorCode)", $category, $of.ComputerName
    Write-DdnsErrorRecord -Cmdlet $Cmdlet -Record $record
}
