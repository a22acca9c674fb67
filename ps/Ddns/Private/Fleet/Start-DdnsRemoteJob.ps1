function Start-DdnsRemoteJob {
    <#
    .SYNOPSIS
        Starts a script block on a target and returns its job. The only place that knows how a machine is reached.
    #>
    [CmdletBinding()]
    [OutputType([System.Management.Automation.Job])]
    param(
        [Parameter(Mandatory)]
        [object] $Target,

        [Parameter(Mandatory)]
        [scriptblock] $ScriptBlock,

        [object[]] $ArgumentList = @(),

        # Pieces of a file for the script block's pipeline.
        [object[]] $Chunk = @()
    )
    $call = @{ ScriptBlock = $ScriptBlock; ArgumentList = $ArgumentList; ErrorAction = 'Stop' }
    if ($Target.Transport -eq 'Local') {
        return Start-Job @call
    }
    $call['AsJob'] = $true
    $token = "DDNS_VISIT_$([Guid]::NewGuid().ToString('N'))"
    $way = switch ($Target.Transport) {
        'Session' { @{ Session = $Target.Session } }
        'SSH' { Get-DdnsSshParameter -Target $Target -Token $token }
        default { Get-DdnsWinRMParameter -Target $Target }
    }
    $job = if ($Chunk.Count) { $Chunk | Invoke-Command @call @way } else { Invoke-Command @call @way }
    Add-Member -InputObject $job -NotePropertyName DdnsToken -NotePropertyValue $token -PassThru
}

function Get-DdnsWinRMParameter {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [object] $Target
    )
    # A machine that is off must not hold its place for the four minutes that are usual; nor may one that hangs at its end.
    $option = New-PSSessionOption -OpenTimeout 30000 -CancelTimeout 10000 -OperationTimeout 180000 -NoMachineProfile
    $way = @{ ComputerName = $Target.Address; SessionOption = $option; UseSSL = $Target.UseSSL }
    if ($Target.Credential) {
        $way['Credential'] = $Target.Credential
    }
    if ($Target.Port) {
        $way['Port'] = $Target.Port
    }
    $way
}

function Get-DdnsSshParameter {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [object] $Target,

        # What its ssh process is known by, for when it must be ended.
        [Parameter(Mandatory)]
        [string] $Token
    )
    if ($PSVersionTable.PSVersion.Major -lt 7) {
        throw [System.NotSupportedException]::new('SSH needs PowerShell 7 on this side; the other side may have any.')
    }
    $option = Get-DdnsSshOption -Target $Target
    # The name of a variable that does not exist: nothing is sent, and the command line has a mark.
    $option['SendEnv'] = $Token
    $way = @{ HostName = $Target.Address; Options = $option }
    if ($Target.Port) {
        $way['Port'] = $Target.Port
    }
    if ($Target.UserName) {
        $way['UserName'] = $Target.UserName
    }
    if ($Target.KeyFilePath) {
        $way['KeyFilePath'] = $Target.KeyFilePath
    }
    $way
}

function Get-DdnsSshOption {
    # ssh must never ask (nobody is there to answer), must notice a link that is gone, and its words are asked for later.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [Parameter(Mandatory)]
        [object] $Target
    )
    $option = @{
        BatchMode           = 'yes'
        ConnectTimeout      = '15'
        ServerAliveInterval = '10'
        ServerAliveCountMax = '3'
        LogLevel            = 'QUIET'
    }
    if ($Target.SshOption) {
        foreach ($key in $Target.SshOption.Keys) {
            $option[$key] = "$($Target.SshOption[$key])"
        }
    }
    $option
}

function Get-DdnsSshArgument {
    # The same connection as an argument list of ssh, for the question why PowerShell's failed.
    [CmdletBinding()]
    [OutputType([string[]])]
    param(
        [Parameter(Mandatory)]
        [object] $Target
    )
    $option = Get-DdnsSshOption -Target $Target
    $option['LogLevel'] = 'ERROR'
    foreach ($key in ($option.Keys | Sort-Object)) {
        '-o'
        "$key=$($option[$key])"
    }
    if ($Target.Port) {
        '-p'
        "$($Target.Port)"
    }
    if ($Target.KeyFilePath) {
        '-i'
        $Target.KeyFilePath
    }
    if ($Target.UserName) {
        '-l'
        $Target.UserName
    }
    # Without standard input the subsystem, if there is one, ends at once.
    '-n'
    '-s'
    $Target.Address
    'powershell'
}
