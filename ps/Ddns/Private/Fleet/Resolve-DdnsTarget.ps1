function Resolve-DdnsTarget {
    <#
    .SYNOPSIS
        Turns names, computer objects, rows of a table and sessions into targets: each machine once, in the order given.
    .DESCRIPTION
        A target says what the machine is called (Name), where it is reached (Address), how (Transport: Local, WinRM, SSH,
        Session), and what it must call itself (ExpectedName; empty: not checked). A name that can't be one is a target
        with a Problem, so that it gets its result as every other does.
    #>
    [CmdletBinding()]
    [OutputType('Ddns.Target')]
    param(
        # Names (also user@host:port), objects with DNSHostName, ComputerName or Name, hashtables, sessions.
        [Parameter(Mandatory)]
        [AllowEmptyCollection()]
        [object[]] $InputObject,

        # Transport, Credential, Port, UseSSL, UserName, KeyFilePath, SshOption, SkipNameCheck: what a target does not say.
        [hashtable] $Connection = @{}
    )
    $seen = @{}
    foreach ($item in $InputObject) {
        $target = ConvertTo-DdnsTarget -InputObject $item -Connection $Connection
        if ($null -eq $target) {
            continue
        }
        if (Test-DdnsKnownTarget -Target $target -Seen $seen) {
            Write-Verbose "$($target.Name) is named more than once; it counts once."
            continue
        }
        $target
    }
}

function Test-DdnsKnownTarget {
    # Whether a machine was named before, and notes it. This machine has several names. One name at two places is two
    # machines, and the second is called by its place, too, so that each result has its own name.
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [object] $Target,
        [hashtable] $Seen
    )
    # The usual ports need not be said.
    $place = if ($Target.Port -in 0, 22, 5985, 5986) { $Target.Address } else { "$($Target.Address):$($Target.Port)" }
    if ($Target.Transport -eq 'Local') {
        $place = '.'
        $known = $Seen.Values -contains '.'
    } else {
        $known = $Seen.ContainsKey($Target.Name)
    }
    if ($known -and ($place -eq '.' -or $Seen[$Target.Name] -eq $place)) {
        return $true
    }
    if ($known) {
        $Target.Name = "$($Target.Name) ($place)"
        if ($Seen.ContainsKey($Target.Name)) {
            return $true
        }
    }
    $Seen[$Target.Name] = $place
    $false
}

function ConvertTo-DdnsTarget {
    [CmdletBinding()]
    [OutputType('Ddns.Target')]
    param(
        [Parameter(Mandatory)]
        [AllowNull()]
        [AllowEmptyString()]
        [object] $InputObject,

        [Parameter(Mandatory)]
        [hashtable] $Connection
    )
    if ($InputObject -is [System.Management.Automation.Runspaces.PSSession]) {
        # Sessions to virtual machines and containers have none.
        $port = Get-DdnsKey -Table $InputObject.Runspace.ConnectionInfo -Key 'Port'
        return New-DdnsTarget -Row @{ Name = $InputObject.ComputerName; Port = $port; Transport = 'Session'; Session = $InputObject }
    }
    $row = Get-DdnsTargetRow -InputObject $InputObject
    if ($null -eq $row) {
        return
    }
    foreach ($key in $Connection.Keys) {
        if ($null -eq $row[$key] -or $row[$key] -eq '') {
            $row[$key] = $Connection[$key]
        }
    }
    New-DdnsTarget -Row $row
}

function Get-DdnsTargetRow {
    # What one piece of input says of a machine, as a hashtable; nothing for an empty line or a comment.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [AllowNull()]
        [AllowEmptyString()]
        [object] $InputObject
    )
    if ($null -eq $InputObject) {
        return
    }
    if ($InputObject -is [string]) {
        $text = $InputObject.Trim()
        if ($text -eq '' -or $text.StartsWith('#')) {
            return
        }
        if ($text -match '^(?:(?<user>[^@\s]+)@)?(?<host>\[[0-9A-Fa-f:.%]+\]|[^@:\s]+)(?::(?<port>[0-9]{1,5}))?$') {
            return @{ Name = $Matches['host'].Trim('[', ']'); UserName = $Matches['user']; Port = $Matches['port'] }
        }
        return @{ Name = $text }
    }
    $row = @{}
    $known = 'Address', 'Port', 'Transport', 'UserName', 'KeyFilePath', 'ExpectedName', 'Group', 'Ring'
    foreach ($key in $known + @('DNSHostName', 'ComputerName', 'CN', 'MachineName', 'HostName', 'Name')) {
        $value = if ($InputObject -is [System.Collections.IDictionary]) { $InputObject[$key] } else { Get-DdnsKey -Table $InputObject -Key $key }
        if ($null -ne $value -and "$value".Trim() -ne '') {
            $row[$key] = "$value".Trim()
        }
    }
    # In this order: a computer object of the directory has both, and only the first is sure to resolve.
    foreach ($key in 'DNSHostName', 'ComputerName', 'CN', 'MachineName', 'HostName', 'Name') {
        if ($row[$key]) {
            $row['Name'] = $row[$key]
            return $row
        }
    }
    @{ Name = "$InputObject" }
}

function New-DdnsTarget {
    [CmdletBinding()]
    [OutputType('Ddns.Target')]
    param(
        [Parameter(Mandatory)]
        [hashtable] $Row
    )
    $name = "$($Row['Name'])"
    $address = if ($Row['Address']) { "$($Row['Address'])" } else { $name }
    $transport = if ($Row['Transport']) { "$($Row['Transport'])" } else { 'WinRM' }
    if (-not $Row['Address'] -and $transport -ne 'Session' -and (Test-DdnsLocalName -Name $name)) {
        $transport = 'Local'
    }
    $expected = if ($Row['ExpectedName']) { "$($Row['ExpectedName'])" } else { $name.Split('.')[0] }
    $isAddress = $null -ne ($name -as [System.Net.IPAddress])
    if ($transport -in 'Local', 'Session' -or $Row['SkipNameCheck'] -or ($isAddress -and -not $Row['ExpectedName'])) {
        $expected = ''
    }
    [pscustomobject]@{
        PSTypeName   = 'Ddns.Target'
        Name         = $name
        Address      = $address
        Transport    = $transport
        Port         = [int]($Row['Port'] -as [int])
        UseSSL       = [bool]$Row['UseSSL']
        Credential   = $Row['Credential']
        UserName     = "$($Row['UserName'])"
        KeyFilePath  = "$($Row['KeyFilePath'])"
        SshOption    = $Row['SshOption']
        Session      = $Row['Session']
        ExpectedName = $expected
        Group        = "$($Row['Group'])"
        Ring         = "$($Row['Ring'])"
        Problem      = Get-DdnsTargetProblem -Name $name -Address $address -Transport $transport -UserName "$($Row['UserName'])"
    }
}

function Get-DdnsTargetProblem {
    # Why a target can't be one, or ''. Names become arguments of ssh: one that begins with '-' would be an option.
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [string] $Name,
        [string] $Address,
        [string] $Transport,
        [string] $UserName
    )
    if ($Transport -notin 'WinRM', 'SSH', 'Local', 'Session') {
        return "'$Transport' is no transport (WinRM, SSH)"
    }
    foreach ($text in $(if ($Transport -notin 'Local', 'Session') { $Name, $Address })) {
        $good = $text -match '^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?$'
        if (-not $good -and $null -eq ($text -as [System.Net.IPAddress])) {
            return "'$text' is no computer name"
        }
    }
    if ($UserName -and $UserName -notmatch '^[A-Za-z0-9_][A-Za-z0-9_.\\@$-]*$') {
        return "'$UserName' is no user name"
    }
    ''
}

function Test-DdnsLocalName {
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory)]
        [AllowEmptyString()]
        [string] $Name
    )
    if ($Name -in 'localhost', '.', '127.0.0.1', '::1') {
        return $true
    }
    $own = Get-DdnsOwnName
    $Name -eq $own -or $Name -like "$own.*"
}

function Get-DdnsOwnName {
    [CmdletBinding()]
    [OutputType([string])]
    param()
    if ($env:COMPUTERNAME) { $env:COMPUTERNAME } else { [Environment]::MachineName }
}
