function Set-DdnsConfig {
    <#
    .SYNOPSIS
        Replaces the settings or a secret of the client that is installed.

    .DESCRIPTION
        The client itself checks new settings before they replace the old, and a trial run, which writes nothing, shows
        that they work; when they do not, the old ones are in force again. The file that was there is kept beside the
        new one as ddns.toml.before. How often and as whom the client runs is not a setting: that is Install-Ddns.

    .PARAMETER Path
        The new settings file (TOML).

    .PARAMETER Secret
        A new token: a SecureString, or a PSCredential whose password it is; for several, a table id -> SecureString.

    .PARAMETER SecretName
        The name of the token in a vault of Microsoft.PowerShell.SecretManagement.

    .PARAMETER Vault
        That vault; the default one when not given.

    .EXAMPLE
        Set-DdnsConfig -Path .\ddns.toml

        New settings.

    .EXAMPLE
        Set-DdnsConfig -Secret (Read-Host -AsSecureString -Prompt 'New token')

        A new token for the only provider.

    .OUTPUTS
        Ddns.Result
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('Ddns.Result')]
    param(
        [string]$Path,
        [object]$Secret,
        [string]$SecretName,
        [string]$Vault
    )
    $request = @{ Operation = 'SetConfig'; Secrets = (ConvertTo-DdnsSecretTable -Secret $Secret -SecretName $SecretName -Vault $Vault) }
    if ($Path) { $request.Settings = Get-DdnsSettingsRequest -Bound @{ ConfigPath = $Path } }
    if (-not $Path -and $request.Secrets.Count -eq 0) { throw 'Give -Path, -Secret or -SecretName.' }
    $plan = -not $PSCmdlet.ShouldProcess([System.Environment]::MachineName, 'Change the settings of ddns')
    if ($plan -and -not $WhatIfPreference) { return }
    $request.WhatIf = $plan
    $result = Invoke-DdnsTarget -Request $request
    $result
    Write-DdnsFailure -Cmdlet $PSCmdlet -Result $result
}
