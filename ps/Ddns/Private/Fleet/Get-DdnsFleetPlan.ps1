function Get-DdnsFleetPlan {
    <#
    .SYNOPSIS
        What a fleet file wants of each machine: a list of rings, in order, each with targets and what they shall have.
    .DESCRIPTION
        Defaults, then the group, then the machine: the last that says something counts, key by key in Task and Settings.
        Raises one error with all that is contradictory.
    #>
    [CmdletBinding()]
    [OutputType([object[]])]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Fleet,

        [hashtable] $Connection = @{}
    )
    $problems = New-Object -TypeName 'System.Collections.Generic.List[string]'
    $machines = Get-DdnsFleetMachine -Fleet $Fleet -Connection $Connection -Problems $problems
    $rings = @($Fleet['Rings'])
    if (-not $Fleet['Rings']) {
        $rings = @(@{ Name = 'all'; Groups = '*' })
    }
    $plan = @(foreach ($ring in $rings) {
            New-DdnsRing -Ring $ring -Machines $machines -Fleet $Fleet -Last ($ring -eq $rings[-1]) -Problems $problems
        })
    foreach ($machine in $machines.Values) {
        if (-not $machine.Target.Ring) {
            $problems.Add("$($machine.Target.Name) is in no ring; a last ring with Groups = '*' takes all that are left")
        }
    }
    if ($problems.Count) {
        throw [InvalidOperationException]::new("The fleet file contradicts itself:`n" + ($problems -join "`n"))
    }
    , $plan
}

function Get-DdnsFleetMachine {
    # All machines in the order of their groups: name -> target, group, own values.
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [hashtable] $Fleet,
        [hashtable] $Connection,
        [System.Collections.Generic.List[string]] $Problems
    )
    $found = New-Object -TypeName System.Collections.Specialized.OrderedDictionary -ArgumentList ([StringComparer]::OrdinalIgnoreCase)
    $way = Merge-DdnsTable -Table @($Fleet['Connection'], $Connection)
    foreach ($name in (@($Fleet['Groups'].Keys) | Sort-Object)) {
        $group = $Fleet['Groups'][$name]
        foreach ($item in @($group['Machines']) + @(Read-DdnsMachinesFile -Group $group -Folder $Fleet['Folder'] -Place $name)) {
            $target = ConvertTo-DdnsTarget -InputObject $item -Connection $way
            if ($null -eq $target) {
                continue
            }
            $target.Group = $name
            $target.Ring = ''
            if ($found.Contains($target.Name)) {
                $Problems.Add("$($target.Name) is in group $($found[$target.Name].Group) and in group $name")
                continue
            }
            $own = if ($item -is [System.Collections.IDictionary]) { $item } else { @{} }
            $found[$target.Name] = @{ Target = $target; Group = $name; Own = $own }
        }
    }
    $found
}

function Read-DdnsMachinesFile {
    [CmdletBinding()]
    [OutputType([object])]
    param(
        [System.Collections.IDictionary] $Group,
        [string] $Folder,
        [string] $Place
    )
    if (-not $Group['MachinesFile']) {
        return
    }
    $path = [IO.Path]::Combine($Folder, $Group['MachinesFile'])
    if (-not [IO.File]::Exists($path)) {
        throw [InvalidOperationException]::new("Groups.$Place.MachinesFile: there is no $path")
    }
    if ([IO.Path]::GetExtension($path) -eq '.csv') {
        return Import-Csv -LiteralPath $path
    }
    [IO.File]::ReadAllLines($path)
}

function New-DdnsRing {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [System.Collections.IDictionary] $Ring,
        [System.Collections.Specialized.OrderedDictionary] $Machines,
        [hashtable] $Fleet,
        [bool] $Last,
        [System.Collections.Generic.List[string]] $Problems
    )
    $name = if ($Ring['Name']) { $Ring['Name'] } else { 'ring' }
    $wanted = @(foreach ($machine in $Machines.Values) {
            $named = @($Ring['Machines']) -contains $machine.Target.Name
            $grouped = @($Ring['Groups']) -contains $machine.Group -or @($Ring['Groups']) -contains '*'
            if (-not $machine.Target.Ring -and ($named -or $grouped)) {
                $machine.Target.Ring = $name
                New-DdnsMachinePlan -Machine $machine -Fleet $Fleet -Problems $Problems
            }
        })
    foreach ($group in @($Ring['Groups'])) {
        if ($group -and $group -ne '*' -and -not $Fleet['Groups'].ContainsKey($group)) {
            $Problems.Add("ring ${name}: there is no group $group")
        }
    }
    foreach ($machine in @($Ring['Machines'])) {
        if ($machine -and -not $Machines.Contains($machine)) {
            $Problems.Add("ring ${name}: $machine is in no group")
        }
    }
    @{ Name = $name; Machines = $wanted; Gate = Get-DdnsGate -Ring $Ring -Name $name -Last $Last -Problems $Problems }
}

function Get-DdnsGate {
    # How many machines of a ring may be ill before the next ring is begun, how long is waited for their first runs, and
    # what then. The last ring has nothing to hold back, so it waits for nothing unless it says so.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [System.Collections.IDictionary] $Ring,
        [string] $Name,
        [bool] $Last,
        [System.Collections.Generic.List[string]] $Problems
    )
    $said = $Ring['Gate']
    $gate = @{ MaxFailed = '10%'; WaitSeconds = 300; OnFailure = 'Stop'; Asked = -not ($Last -and -not $said) }
    if ($said) {
        foreach ($key in $said.Keys) {
            $gate[$key] = $said[$key]
        }
    }
    if ("$($gate.MaxFailed)" -notmatch '^[0-9]{1,6}%?$') {
        $Problems.Add("ring ${Name}: Gate.MaxFailed: expected a number of machines or a percentage, found '$($gate.MaxFailed)'")
    }
    if ($gate.OnFailure -notin 'Stop', 'RollBack') {
        $Problems.Add("ring ${Name}: Gate.OnFailure: expected Stop or RollBack, found '$($gate.OnFailure)'")
    }
    $gate
}

function Merge-DdnsTable {
    # Tables into one, key by key; the later counts. Absent ones are passed over.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [AllowNull()]
        [object[]] $Table
    )
    $merged = @{}
    foreach ($one in $Table) {
        if ($one -is [System.Collections.IDictionary]) {
            foreach ($key in $one.Keys) {
                $merged[$key] = $one[$key]
            }
        }
    }
    $merged
}

function Get-DdnsFleetTarget {
    # The machines of a fleet file, for a question: packages and rings do not matter then.
    [CmdletBinding()]
    [OutputType('Ddns.Target')]
    param(
        [string] $Path,
        [hashtable] $Connection
    )
    $fleet = Import-DdnsFleetFile -Path $Path
    $problems = New-Object -TypeName 'System.Collections.Generic.List[string]'
    foreach ($machine in (Get-DdnsFleetMachine -Fleet $fleet -Connection $Connection -Problems $problems).Values) {
        $machine.Target
    }
}
