# What a fleet's runs have made: which machine was installed with what, and what is still to be done at a gateway. Only
# what stands here is ever removed.

function Read-DdnsInventory {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [string] $Path
    )
    $inventory = @{ Path = $Path; Machines = @{} }
    if (-not [IO.File]::Exists($Path)) {
        return $inventory
    }
    try {
        $read = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($Path)) -ErrorAction Stop
    } catch {
        throw [InvalidOperationException]::new("The inventory $Path can't be read: $($_.Exception.Message) Restore it from a backup, or set it aside: then nothing that earlier runs made is removed any more.")
    }
    $machines = Get-DdnsKey -Table $read -Key 'machines' -Default ([pscustomobject]@{})
    foreach ($property in @($machines.PSObject.Properties | Where-Object { $null -ne $_.Value })) {
        $entry = @{ packages = $null; version = ''; marker = ''; at = ''; tombstone = $null }
        foreach ($value in $property.Value.PSObject.Properties) {
            # PowerShell 7 makes a time of what looks like one.
            $isTime = $value.Value -is [DateTime]
            $entry[$value.Name] = if ($isTime) { $value.Value.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture) } else { $value.Value }
        }
        $inventory.Machines[$property.Name] = $entry
    }
    $inventory
}

function Save-DdnsInventory {
    # Whole or not at all: written beside, then put in place.
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Inventory
    )
    $text = ConvertTo-Json -InputObject @{ schema = 1; machines = $Inventory.Machines } -Depth 6
    $null = [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($Inventory.Path))
    $part = "$($Inventory.Path).part"
    [IO.File]::WriteAllText($part, $text, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $false))
    if ([IO.File]::Exists($Inventory.Path)) {
        [IO.File]::Replace($part, $Inventory.Path, [NullString]::Value)
    } else {
        [IO.File]::Move($part, $Inventory.Path)
    }
}

function Update-DdnsInventory {
    # Enters what a result says of a machine, with the way to it: the file may not name it any more when it is removed.
    [CmdletBinding()]
    param(
        [hashtable] $Inventory,
        [object] $Result,
        [object] $Target,

        # What was deployed: its hash is what a later call goes back by.
        [hashtable] $Package
    )
    $name = $Result.ComputerName
    $packages = @{}
    if ($Inventory.Machines.ContainsKey($name) -and $Inventory.Machines[$name].packages) {
        foreach ($property in ([pscustomobject]$Inventory.Machines[$name].packages).PSObject.Properties) {
            $packages[$property.Name] = $property.Value
        }
    }
    if ($Package -and $Package.Version -eq "$($Result.Version)") {
        $packages[$Package.Version] = $Package.Sha256
    }
    $entry = @{
        packages = $packages
        version = "$($Result.Version)"; marker = "$(Get-DdnsKey -Table $Result.Task -Key 'Marker')"; at = "$($Result.StartedAt)"; tombstone = $Result.Tombstone
        address = $Target.Address; port = $Target.Port; transport = $Target.Transport; userName = $Target.UserName
        keyFilePath = $Target.KeyFilePath; expectedName = $Target.ExpectedName
    }
    $done = @($Result.Steps | Where-Object { $_.Name -eq 'Records' -and $_.Outcome -notin 'Failed', 'WouldDo' }).Count -gt 0
    if ($Result.Outcome -in 'Installed', 'Updated', 'Unchanged' -or ($Result.Outcome -eq 'RolledBack' -and $entry.version)) {
        $Inventory.Machines[$name] = $entry
    } elseif ($Result.Outcome -in 'Removed', 'NotInstalled') {
        # What is still to be done at a gateway stays until somebody says that it is done: a machine that is gone says nothing of it.
        if (-not $done -and -not $entry.tombstone -and $Inventory.Machines.ContainsKey($name)) {
            $entry.tombstone = $Inventory.Machines[$name].tombstone
        }
        if ($entry.tombstone) {
            $Inventory.Machines[$name] = $entry
        } else {
            $Inventory.Machines.Remove($name)
        }
    } elseif ($Result.Operation -eq 'Uninstall' -and $entry.tombstone) {
        # Begun: the task is gone, the program is not. What was known of it stays known.
        if ($Inventory.Machines.ContainsKey($name)) {
            $entry.marker = "$($Inventory.Machines[$name].marker)"
        }
        $Inventory.Machines[$name] = $entry
    } else {
        return
    }
    Save-DdnsInventory -Inventory $Inventory
}

function Get-DdnsInventoryTarget {
    # A machine of the inventory as a target.
    [CmdletBinding()]
    [OutputType('Ddns.Target')]
    param(
        [hashtable] $Inventory,
        [string] $Name,
        [hashtable] $Connection
    )
    $entry = $Inventory.Machines[$Name]
    $row = Merge-DdnsTable -Table @($Connection, @{ Name = $Name })
    foreach ($key in 'Address', 'Port', 'Transport', 'UserName', 'KeyFilePath', 'ExpectedName') {
        if ($entry[$key]) {
            $row[$key] = $entry[$key]
        }
    }
    New-DdnsTarget -Row $row
}

function Get-DdnsFleetStatePath {
    # Where a fleet's journal and inventory lie when nobody says: the user's own folder.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory)]
        [string] $Name
    )
    $base = if ($env:LOCALAPPDATA) {
        $env:LOCALAPPDATA
    } elseif ($env:XDG_STATE_HOME) {
        $env:XDG_STATE_HOME
    } else {
        [IO.Path]::Combine([Environment]::GetFolderPath('UserProfile'), '.local', 'state')
    }
    [IO.Path]::Combine($base, 'DDNS', 'fleet', $Name)
}
