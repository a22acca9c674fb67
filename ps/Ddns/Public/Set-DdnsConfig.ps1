function Set-DdnsConfig {
    <#
    .SYNOPSIS
        Replaces the settings or a secret of the client that is installed, here or on other machines.

    .DESCRIPTION
        The client itself checks new settings before they replace the old, and a trial run, which writes nothing, shows
        that they work; when they do not, the old ones are in force again. The file that was there is kept beside the
        new one as ddns.toml.before. How often and as whom the client runs is not a setting: that is Install-Ddns.

        Each machine has exactly one result, the unreachable included; the same call, made again, does what is left.

    .PARAMETER Path
        The new settings file (TOML). For other machines {computer} in it is the machine's name.

    .PARAMETER Secret
        A new token: a SecureString, or a PSCredential whose password it is; for several, a table id -> SecureString.

    .PARAMETER SecretName
        The name of the token in a vault of Microsoft.PowerShell.SecretManagement.

    .PARAMETER Vault
        That vault; the default one when not given.

    .PARAMETER ComputerName
        The machines: names (also user@host:port), computer objects of Active Directory, rows of a CSV with ComputerName,
        lines of a text file; from the pipeline, too. Without machines and sessions: this one.

    .PARAMETER Session
        Open sessions of any kind: Windows Remote Management, SSH, PowerShell Direct.

    .PARAMETER Credential
        An administrator of the machines, for Windows Remote Management.

    .PARAMETER Transport
        WinRM or SSH.

    .PARAMETER UserName
        SSH: the account there.

    .PARAMETER KeyFilePath
        SSH: the private key.

    .PARAMETER SshOption
        SSH: further options of ssh, such as @{ UserKnownHostsFile = 'C:\fleet\known_hosts' }.

    .PARAMETER Port
        Another port than the usual one.

    .PARAMETER UseSSL
        Windows Remote Management over HTTPS.

    .PARAMETER SkipNameCheck
        Do not check that a machine calls itself what it was asked for as.

    .PARAMETER ThrottleLimit
        How many machines at once.

    .PARAMETER TimeoutSeconds
        How long one attempt on one machine may take.

    .PARAMETER Retry
        How often a machine is tried again when the network or another deployment was in the way.

    .PARAMETER JournalPath
        The file that remembers which machines are done. Default: one for each kind of call, in the local application
        data of the user. The same call, made again, does only what is left.

    .PARAMETER Fresh
        Begin anew: visit also the machines that an unfinished call has done.

    .EXAMPLE
        Set-DdnsConfig -Path .\ddns.toml

        New settings.

    .EXAMPLE
        Set-DdnsConfig -Secret (Read-Host -AsSecureString -Prompt 'New token')

        A new token for the only provider.

    .EXAMPLE
        Import-Csv .\machines.csv | Set-DdnsConfig -Secret (Read-Host -AsSecureString) -WhatIf

        What a new token would change on the machines of a list.

    .EXAMPLE
        Set-DdnsConfig -Path .\ddns.toml -Session $session

        New settings for the machines behind open sessions.

    .OUTPUTS
        Ddns.Result
    #>
    [CmdletBinding(PositionalBinding = $false, SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('Ddns.Result')]
    param(
        [string]$Path,
        [Alias('Token')][object]$Secret,
        [string]$SecretName,
        [string]$Vault,
        [Parameter(ValueFromPipeline)]
        [Alias('CN', 'InputObject')]
        [AllowNull()]
        [object[]]$ComputerName,
        [System.Management.Automation.Runspaces.PSSession[]]$Session,
        [pscredential]$Credential,
        [ValidateSet('WinRM', 'SSH')][string]$Transport = 'WinRM',
        [string]$UserName,
        [string]$KeyFilePath,
        [hashtable]$SshOption,
        [ValidateRange(1, 65535)][int]$Port,
        [switch]$UseSSL,
        [switch]$SkipNameCheck,
        [ValidateRange(1, 512)][int]$ThrottleLimit = 32,
        [ValidateRange(1, 86400)][int]$TimeoutSeconds = 900,
        [ValidateRange(0, 10)][int]$Retry = 2,
        [string]$JournalPath,
        [switch]$Fresh
    )
    begin {
        $given = New-Object -TypeName 'System.Collections.Generic.List[object]'
    }
    process {
        foreach ($item in $ComputerName) { $given.Add($item) }
    }
    end {
        $call = Resolve-DdnsCall -Bound $PSBoundParameters -Given $given.ToArray() -Piped $MyInvocation.ExpectingInput
        $request = @{ Operation = 'SetConfig'; Secrets = (ConvertTo-DdnsSecretTable -Secret $Secret -SecretName $SecretName -Vault $Vault) }
        if ($Path) { $request.Settings = Get-DdnsSettingsRequest -Bound @{ ConfigPath = $Path } }
        if (-not $Path -and $request.Secrets.Count -eq 0) { throw 'Give -Path, -Secret or -SecretName.' }
        if (-not (Confirm-DdnsCall -Call $call -Cmdlet $PSCmdlet -Action 'Change the settings of ddns')) { return }
        if ($call.Here) { $request.Settings = Expand-DdnsOwnSetting -Settings $request['Settings'] -Target (New-DdnsTarget -Row @{ Name = '.' }) }
        $own = Get-DdnsCallRequest -Call $call -Request $request
        Invoke-DdnsTarget -Request $request -Call $call -RequestFor $own -Activity 'Settings' -Resumable | ForEach-Object {
            $_
            Write-DdnsFailure -Cmdlet $PSCmdlet -Result $_
        }
    }
}
