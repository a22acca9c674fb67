# What is still to be taken back in DNS or at a gateway, by machine: in the inventory of a fleet, and for machines of no fleet in one
# of their own. It holds names and ids, and no secret.

function Get-DdnsTombstoneInventory {
    # Of machines that Uninstall-Ddns visited.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()
    Read-DdnsInventory -Path ([IO.Path]::Combine((Get-DdnsFleetStatePath -Name '_calls'), 'tombstones.json'))
}

function Clear-DdnsTombstone {
    <#
    .SYNOPSIS
        Visits the machines that still have a record or key outside, and takes these back. A result for each.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [string[]] $Name,

        # Its Tombstones are the inventories that hold them.
        [Parameter(Mandatory)]
        [hashtable] $Run
    )
    $targets = @(foreach ($one in $Name) {
            $holder = @(Select-DdnsTombstone -Inventory $Run.Tombstones -Name $one)[0]
            Get-DdnsInventoryTarget -Inventory $holder -Name $one -Connection $Run.Connection
        })
    $request = @{ Schema = 1; Operation = 'Uninstall'; RemoveRecord = $true; OnlyTombstone = $true; WhatIf = $Run.WhatIf }
    $fan = $Run.Fan
    Invoke-DdnsFleet -Target $targets -Request $request -Activity 'Tombstones' @fan | ForEach-Object {
        $result = $_
        $target = $targets | Where-Object { $_.Name -eq $result.ComputerName }
        $holders = @(Select-DdnsTombstone -Inventory $Run.Tombstones -Name $result.ComputerName)
        $left = $holders[0].Machines[$result.ComputerName]
        foreach ($inventory in $(if (-not $Run.WhatIf) { $holders })) {
            if ($result.Outcome -eq 'Unchanged') {
                $inventory.Machines.Remove($result.ComputerName)
                Save-DdnsInventory -Inventory $inventory
            } else {
                Update-DdnsInventory -Inventory $inventory -Result $result -Target $target
            }
        }
        if ($result.Outcome -eq 'NotInstalled') {
            # The key went with the program: only the gateway's operator can do it now.
            $what = Get-DdnsTombstoneText -Tombstone $left.tombstone
            $result.Outcome = 'Left'
            $result.Error = [pscustomobject]@{
                Code = 'Tombstone'; Message = "What it had outside is not taken back, and the machine can't do it any more: $what"
                Advice = 'At the gateway: ddns gateway retire HOST, else remove the record at the provider. Then: Sync-DdnsFleet -ForgetTombstone with its name.'
            }
        }
        $result
    }
}

function Get-DdnsTombstoneName {
    # Machines with a tombstone that a fleet file does not name: those that it names are deployed, which clears it.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [hashtable[]] $Inventory,
        [AllowNull()]
        [string[]] $Named
    )
    $names = foreach ($one in $Inventory) {
        foreach ($name in @($one.Machines.Keys)) {
            if ($one.Machines[$name].tombstone -and $Named -notcontains $name) {
                $name
            }
        }
    }
    $names | Sort-Object -Unique
}

function Select-DdnsTombstone {
    # The inventories that hold a machine's tombstone.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable[]] $Inventory,
        [string] $Name
    )
    foreach ($one in $Inventory) {
        if ($one.Machines.ContainsKey($Name) -and $one.Machines[$Name].tombstone) {
            $one
        }
    }
}

function Remove-DdnsTombstone {
    # Forgets tombstones by name, for somebody took care of them. Names that have none are errors.
    [CmdletBinding()]
    param(
        [hashtable[]] $Inventory,
        [string[]] $Name
    )
    foreach ($one in $Name) {
        $found = @(Select-DdnsTombstone -Inventory $Inventory -Name $one)
        if (-not $found.Count) {
            throw [InvalidOperationException]::new("There is no tombstone of a machine $one.")
        }
        foreach ($holder in $found) {
            $holder.Machines.Remove($one)
            Save-DdnsInventory -Inventory $holder
        }
    }
}

function Get-DdnsTombstoneText {
    [CmdletBinding()]
    [OutputType([string])]
    param([object] $Tombstone)
    $gateways = @((ConvertTo-DdnsShape -Value $Tombstone -Shape @{ Gateways = @(, @{ Host = 'text'; Url = 'text' }) }).Gateways | ForEach-Object { "host $($_.Host) at $($_.Url)" })
    @(@((Get-DdnsKey -Table $Tombstone -Key 'Records') | Where-Object { $_ }) + $gateways) -join ', '
}
