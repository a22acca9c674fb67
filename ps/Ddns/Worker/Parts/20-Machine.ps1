# The machine: what it is, and whether it can be deployed to.

function Test-DdnsWindows {
    # Windows PowerShell has no $IsWindows.
    [System.IO.Path]::DirectorySeparatorChar -eq '\'
}

function Test-DdnsElevated {
    # The double of the task scheduler says "not elevated" by a variable, which counts only with places for tests.
    param([hashtable]$Run)
    if (-not $Run.Windows) { return ($env:DDNS_FAKE_ELEVATED -ne '0') }
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
    $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator) -and $Run.Places.Elevated
}

function Get-DdnsArchitecture {
    # amd64, x86 or arm64, of the machine, also when an emulated process asks.
    $told = $env:PROCESSOR_ARCHITEW6432
    if (-not $told) { $told = $env:PROCESSOR_ARCHITECTURE }
    switch ($told) {
        'AMD64' { 'amd64' }
        'ARM64' { 'arm64' }
        'x86' { 'x86' }
        default { 'amd64' }
    }
}

function Get-DdnsMachineId {
    # What tells this machine from others: for the phase of its runs only, never sent.
    param([hashtable]$Run)
    if ($Run.Places.MachineId) { return [string]$Run.Places.MachineId }
    $guid = ''
    if ($Run.Windows) {
        $guid = [string](Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Cryptography' -ErrorAction SilentlyContinue |
                Select-Object -ExpandProperty MachineGuid -ErrorAction SilentlyContinue)
    }
    '{0}|{1}' -f $guid, [System.Environment]::MachineName.ToUpperInvariant()
}

function Assert-DdnsMachine {
    # Raises what makes a deployment here impossible, before anything is touched.
    param([hashtable]$Run)
    $mode = [string]$ExecutionContext.SessionState.LanguageMode
    if ($mode -ne 'FullLanguage') {
        throw (New-DdnsFault -Code 'LanguageMode' -Message "PowerShell runs in $mode mode on this machine" -Advice (
                'Sign the scripts with a certificate that the policy trusts, or deploy with the MSI.'))
    }
    if ($Run.Windows -and [System.Environment]::Is64BitOperatingSystem -and -not [System.Environment]::Is64BitProcess) {
        throw (New-DdnsFault -Code 'Bitness' -Message 'this is the 32-bit PowerShell of a 64-bit Windows' -Advice (
                'Start the 64-bit one: %SystemRoot%\sysnative\WindowsPowerShell\v1.0\powershell.exe. Deploy-DDNS.ps1 does so by itself.'))
    }
    if ($Run.Windows -and [System.Environment]::OSVersion.Version.Build -lt 14393) {
        $build = [System.Environment]::OSVersion.Version.ToString()
        throw (New-DdnsFault -Code 'Unsupported' -Message "Windows $build is too old" -Advice 'It needs Windows 10 1607 or Windows Server 2016.')
    }
    if ($Run.Places.PerUser) { return }
    if (-not (Test-DdnsElevated -Run $Run)) {
        throw (New-DdnsFault -Code 'NotElevated' -Message 'this needs the rights of an administrator' -Advice (
                'Start PowerShell with "Run as administrator". For one user without such rights: -Mode RunKey.'))
    }
}

function Assert-DdnsSpace {
    # A copy, its unpacked form and a margin must fit beside what is there.
    param([hashtable]$Run, [long]$Bytes)
    $folder = $Run.Places.Binaries
    while ($folder -and -not (Test-Path -LiteralPath $folder)) { $folder = Split-Path -Path $folder -Parent }
    try { $free = (New-Object -TypeName System.IO.DriveInfo -ArgumentList $folder).AvailableFreeSpace }
    catch { return }  # a share, or a system that doesn't tell: the copy itself will
    if ($free -lt $Bytes) {
        $need = [int][System.Math]::Ceiling($Bytes / 1MB)
        throw (New-DdnsFault -Code 'DiskFull' -Message ("{0} MB are needed on the drive of {1}, {2} MB are free" -f $need, $folder, [int]($free / 1MB)) -Advice (
                Get-DdnsFaultAdvice -Code 'DiskFull'))
    }
}

function Enter-DdnsLock {
    # One deployment at a time. The system drops the lock with the process, so a kill leaves nothing behind.
    param([hashtable]$Run)
    $path = Join-Path -Path $Run.Places.Binaries -ChildPath 'deploy.lock'
    try {
        $Run.Lock = [System.IO.File]::Open($path, [System.IO.FileMode]::OpenOrCreate, [System.IO.FileAccess]::ReadWrite, [System.IO.FileShare]::None)
    }
    catch [System.IO.IOException] {
        throw (New-DdnsFault -Code 'Busy' -Message 'another deployment is at work on this machine' -Advice 'Wait for it to end, then try again.')
    }
}

function Exit-DdnsLock {
    param([hashtable]$Run)
    if ($null -ne $Run.Lock) { $Run.Lock.Dispose() }
    $Run.Lock = $null
}
