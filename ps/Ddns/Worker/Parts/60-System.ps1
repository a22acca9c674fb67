# What Windows knows of the installation besides its files: PATH, event source, Programs and Features, and an MSI.

function Get-DdnsMsi {
    # The version that an MSI has put there, '' when none has.
    param([hashtable]$Run)
    if (-not $Run.Windows -or $Run.Places.PerUser) { return '' }
    $key = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\DDNS\Msi' -ErrorAction SilentlyContinue
    [string](Get-DdnsKey -Table $key -Key 'Version' -Default '')
}

function Assert-DdnsMsi {
    # Two installers of one program get in each other's way. Adopted, the MSI's program stays, and is what the task runs.
    param([hashtable]$Run)
    $version = Get-DdnsMsi -Run $Run
    if ($version -and -not (Get-DdnsKey -Table $Run.Request -Key 'AdoptMsi' -Default $false)) {
        throw (New-DdnsFault -Code 'MsiInstalled' -Message "version $version was installed by its MSI" -Advice (
                'Say -AdoptMsi: the MSI is uninstalled after this version has taken its place; settings, secrets and state stay. Or deploy by MSI only.'))
    }
    $version
}

function Remove-DdnsMsi {
    # Uninstalls the MSI, quietly. Its folder, `msi`, goes with it; settings, secrets, state and task are not its own.
    param([hashtable]$Run)
    $version = Get-DdnsMsi -Run $Run
    if (-not $version) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'there is no MSI') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "uninstall the MSI of version $version") }
    $code = [string](Get-DdnsKey -Table (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\DDNS\Msi') -Key 'ProductCode' -Default '')
    if (-not $code) { $code = Find-DdnsProductCode }
    if ($code -notmatch '^\{[0-9A-Fa-f-]{36}\}$') {
        return (New-DdnsStepEnd -Outcome 'Warning' -Detail 'the MSI is not known to Windows Installer; remove it by hand')
    }
    $system = [System.Environment]::GetFolderPath('System')
    $process = Start-Process -FilePath (Join-DdnsPath -Part $system, 'msiexec.exe') -ArgumentList '/x', $code, '/qn', '/norestart' -Wait -PassThru
    if (@(0, 1605, 3010) -notcontains $process.ExitCode) {
        return (New-DdnsStepEnd -Outcome 'Warning' -Detail "msiexec ended with $($process.ExitCode); remove the MSI by hand")
    }
    # The launcher's folder, PATH and event source are shared with the MSI: put them right again.
    [void](Set-DdnsLauncher -Run $Run -Version $Run.Version)
    [void](Set-DdnsCurrent -Run $Run -Version $Run.Version)
    [void](Set-DdnsSystem -Run $Run)
    New-DdnsStepEnd -Outcome 'Done' -Detail "the MSI of version $version is uninstalled"
}

function Find-DdnsProductCode {
    # The product's entry of Windows Installer in Programs and Features.
    foreach ($key in @(Get-ChildItem -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall' -ErrorAction SilentlyContinue)) {
        $values = Get-ItemProperty -LiteralPath $key.PSPath -ErrorAction SilentlyContinue
        if ((Get-DdnsKey -Table $values -Key 'DisplayName' -Default '') -like 'DDNS*' -and (Get-DdnsKey -Table $values -Key 'WindowsInstaller' -Default 0) -eq 1) {
            return $key.PSChildName
        }
    }
}

function Get-DdnsRelease {
    # release.json of an installed version; $null when there is none.
    param([hashtable]$Run, [string]$Version)
    $file = Join-DdnsPath -Part $Run.Places.Binaries, $Version, 'release.json'
    if (-not [System.IO.File]::Exists($file)) { return $null }
    ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($file))
}

function Get-DdnsSystemValue {
    # Registry values of the installation: key, name, value, kind, from the facts of the release.
    param([hashtable]$Run, $Release)
    $entry = Get-DdnsKey -Table $Release -Key 'entry'
    if ($null -ne $entry) {
        foreach ($property in $entry.PSObject.Properties) {
            if ($property.Name -eq 'key') { continue }
            New-DdnsValue -Key $entry.key -Name $property.Name -Value $property.Value -Run $Run
        }
        $bytes = [long]0
        foreach ($path in [System.IO.Directory]::GetFiles((Join-DdnsPath -Part $Run.Places.Binaries, $Run.Version), '*', 'AllDirectories')) {
            $bytes += (New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
        }
        New-DdnsValue -Key $entry.key -Name 'EstimatedSize' -Value ([int]($bytes / 1KB)) -Run $Run
    }
    $source = Get-DdnsKey -Table $Release -Key 'event_source'
    if ($null -ne $source) {
        foreach ($property in $source.PSObject.Properties) {
            if ($property.Name -eq 'key') { continue }
            New-DdnsValue -Key $source.key -Name $property.Name -Value $property.Value -Run $Run
        }
    }
}

function New-DdnsValue {
    param([string]$Key, [string]$Name, $Value, [hashtable]$Run)
    $kind = 'String'
    if ($Value -is [int] -or $Value -is [long]) { $kind = 'DWord' }
    else {
        $Value = ([string]$Value).Replace('{version}', $Run.Version).Replace('{folder}', $Run.Places.Binaries)
        if ($Value.StartsWith('%')) { $kind = 'ExpandString' }
    }
    [pscustomobject]@{ Key = "HKLM:\$Key"; Name = $Name; Value = $Value; Kind = $kind }
}

function Set-DdnsSystem {
    # Writes what differs.
    param([hashtable]$Run)
    if (-not $Run.Windows -or $Run.Places.PerUser) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail 'nothing of the machine') }
    $changed = @()
    if (-not $Run.WhatIf -and -not $Run.PreviousVersion) {
        Add-DdnsUndo -Run $Run -Name 'System' -Body { param($Run) Remove-DdnsSystem -Run $Run }
    }
    foreach ($value in (Get-DdnsSystemValue -Run $Run -Release (Get-DdnsRelease -Run $Run -Version $Run.Version))) {
        if (Test-DdnsSystemValue -Value $value) { continue }
        $area = 'event source'
        if ($value.Key -like '*\Uninstall\*') { $area = 'Programs and Features' }
        if ($changed -notcontains $area) { $changed += $area }
        if ($Run.WhatIf) { continue }
        if (-not (Test-Path -LiteralPath $value.Key)) { $null = New-Item -Path $value.Key -Force }
        $null = New-ItemProperty -LiteralPath $value.Key -Name $value.Name -Value $value.Value -PropertyType $value.Kind -Force
    }
    if (Set-DdnsPath -Run $Run -Wanted) { $changed += 'PATH' }
    if ($changed.Count -eq 0) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail ($changed -join ', ')) }
    New-DdnsStepEnd -Outcome 'Done' -Detail ($changed -join ', ')
}

function Test-DdnsSystemValue {
    param($Value)
    $there = Get-Item -LiteralPath $Value.Key -ErrorAction SilentlyContinue
    if ($null -eq $there) { return $false }
    [string]$there.GetValue($Value.Name, '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames) -ceq [string]$Value.Value
}

function Set-DdnsPath {
    # Puts the launcher's folder on the machine's PATH, or takes it off. The value is read unexpanded, so that %SystemRoot% stays.
    param([hashtable]$Run, [switch]$Wanted)
    $bin = [System.IO.Path]::GetDirectoryName($Run.Places.Launcher)
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment', (-not $Run.WhatIf))
    if ($null -eq $key) { return $false }
    try {
        $old = [string]$key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
        $parts = @($old.Split(';') | Where-Object { $_ -ne '' })
        $there = @($parts | Where-Object { $_.TrimEnd('\') -eq $bin }).Count -gt 0
        if ($there -eq [bool]$Wanted) { return $false }
        if ($Run.WhatIf) { return $true }
        $new = @($parts | Where-Object { $_.TrimEnd('\') -ne $bin })
        if ($Wanted) { $new += $bin }
        $key.SetValue('Path', ($new -join ';'), [Microsoft.Win32.RegistryValueKind]::ExpandString)
    }
    finally { $key.Dispose() }
    # Removing a variable that is not there tells running programs that the environment changed.
    [System.Environment]::SetEnvironmentVariable('DDNS_NOT_THERE', $null, 'Machine')
    $true
}

function Remove-DdnsSystem {
    param([hashtable]$Run)
    if (-not $Run.Windows -or $Run.Places.PerUser) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    $keys = @('HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\DDNS'
        'HKLM:\SYSTEM\CurrentControlSet\Services\EventLog\Application\DDNS')
    $there = @($keys | Where-Object { Test-Path -LiteralPath $_ })
    if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail 'take PATH, event source and entry away') }
    foreach ($key in $there) { Remove-Item -LiteralPath $key -Recurse -Force }
    $path = Set-DdnsPath -Run $Run
    if ($there.Count -eq 0 -and -not $path) { return (New-DdnsStepEnd -Outcome 'Unchanged') }
    New-DdnsStepEnd -Outcome 'Done' -Detail 'PATH, event source, Programs and Features'
}
