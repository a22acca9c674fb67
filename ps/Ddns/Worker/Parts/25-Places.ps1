# Where everything lies, and folders that can be trusted.

function Get-DdnsPlaces {
    # The folders of this installation. A table in the request stands in for them in tests, on systems without them.
    param([hashtable]$Run)
    $request = $Run.Request
    $given = Get-DdnsKey -Table $request -Key 'Places'
    $perUser = (Get-DdnsKey -Table $request -Key 'Mode' -Default '') -eq 'RunKey'
    $programs = ''
    $data = ''
    if ($perUser) {
        $local = [System.Environment]::GetFolderPath('LocalApplicationData')
        $programs = Join-DdnsPath -Part $local, 'Programs', 'DDNS'
        $data = Join-DdnsPath -Part $local, 'DDNS'
    }
    elseif ($Run.Windows) {
        $programs = Join-DdnsPath -Part ([System.Environment]::GetFolderPath('ProgramFiles')), 'DDNS'
        $data = Join-DdnsPath -Part ([System.Environment]::GetFolderPath('CommonApplicationData')), 'DDNS'
    }
    if ($null -ne $given) {
        $programs = [string](Get-DdnsKey -Table $given -Key 'Binaries' -Default $programs)
        $data = [string](Get-DdnsKey -Table $given -Key 'Data' -Default $data)
    }
    if (-not $programs -or -not $data) {
        throw (New-DdnsFault -Code 'Unsupported' -Message 'this is not Windows' -Advice 'Install the client from source or as a package: see docs/guides/getting-started.md.')
    }
    # With --data all folders are in one, and the settings in it; the machine's have a folder of their own.
    $inOne = $perUser -or [bool](Get-DdnsKey -Table $given -Key 'InOne' -Default $false)
    $config = Join-DdnsPath -Part $data, 'config'
    if ($inOne) { $config = $data }
    $exe = ''
    if ($Run.Windows) { $exe = '.exe' }
    @{
        Binaries = $programs
        Data = $data
        Config = $config
        ConfigFile = Join-DdnsPath -Part $config, 'ddns.toml'
        Secrets = Join-DdnsPath -Part $data, 'secrets'
        State = Join-DdnsPath -Part $data, 'state'
        Logs = Join-DdnsPath -Part $data, 'logs'
        Public = Join-DdnsPath -Part $data, 'public'
        StatusFile = Join-DdnsPath -Part $data, 'public', 'status.json'
        Staging = Join-DdnsPath -Part $programs, 'staging'
        Snapshots = Join-DdnsPath -Part $programs, 'snapshots'
        Record = Join-DdnsPath -Part $programs, 'deployment.json'
        Tombstone = Join-DdnsPath -Part $data, 'tombstone.json'
        TaskFile = Join-DdnsPath -Part $programs, 'task.xml'
        Current = Join-DdnsPath -Part $programs, 'bin', 'current'
        Launcher = Join-DdnsPath -Part $programs, 'bin', "ddns$exe"
        Program = "ddns$exe"
        DataArguments = @(if ($inOne) { '--data'; $data })
        PerUser = $perUser
        MachineId = [string](Get-DdnsKey -Table $given -Key 'MachineId' -Default '')
        Elevated = [bool](Get-DdnsKey -Table $given -Key 'Elevated' -Default $true)
        EndAfter = [string](Get-DdnsKey -Table $given -Key 'EndAfter' -Default '')
    }
}

function Select-DdnsUserPlace {
    # Where nothing is installed for the machine, but something for this user, that is what is meant.
    param([hashtable]$Run)
    $request = $Run.Request
    $given = (Get-DdnsKey -Table $request -Key 'Mode') -or $null -ne (Get-DdnsKey -Table $request -Key 'Places')
    if (-not $Run.Windows -or $given -or (Test-Path -LiteralPath $Run.Places.Binaries)) { return }
    $user = @{ Request = @{ Mode = 'RunKey' }; Windows = $true }
    $user.Places = Get-DdnsPlaces -Run $user
    if (Get-DdnsCurrent -Run $user) {
        $Run.Places = $user.Places
        $request['Mode'] = 'RunKey'
    }
}

function Join-DdnsPath {
    # Join-Path of Windows PowerShell takes two parts only.
    param([string[]]$Part)
    $path = ''
    foreach ($name in $Part) { $path = [System.IO.Path]::Combine($path, $name) }
    $path
}

function Get-DdnsProgram {
    # The client of a version.
    param([hashtable]$Run, [string]$Version)
    Join-DdnsPath -Part $Run.Places.Binaries, $Version, 'app', $Run.Places.Program
}

function Get-DdnsCurrent {
    # The version that is in force, '' when there is none, or none whose program is there.
    param([hashtable]$Run)
    if (-not (Test-Path -LiteralPath $Run.Places.Current)) { return '' }
    $version = [System.IO.File]::ReadAllText($Run.Places.Current).Trim()
    if ($version -notmatch '^\d+\.\d+\.\d+$') { return '' }
    if (-not (Test-Path -LiteralPath (Get-DdnsProgram -Run $Run -Version $version))) { return '' }
    $version
}

function Write-DdnsFile {
    # Replaces a file in one step, UTF-8 without a byte order mark.
    param([string]$Path, [string]$Text)
    $draft = "$Path.new"
    $encoding = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
    [System.IO.File]::WriteAllText($draft, $Text, $encoding)
    Move-DdnsFile -From $draft -To $Path
}

function Move-DdnsFile {
    # Renames over what is there, with patience for a reader that holds it.
    param([string]$From, [string]$To)
    for ($try = 1; ; $try++) {
        try {
            if ([System.IO.File]::Exists($To)) { [System.IO.File]::Replace($From, $To, [NullString]::Value) }
            else { [System.IO.File]::Move($From, $To) }
            return
        }
        catch [System.IO.IOException] {
            if ($try -ge 10) { throw }
            Start-Sleep -Milliseconds 50
        }
    }
}

function Remove-DdnsItem {
    # Removes a file or folder, with patience for who still holds it. Links are removed, not followed.
    param([string]$Path)
    for ($try = 1; ; $try++) {
        try {
            if ([System.IO.File]::Exists($Path)) { [System.IO.File]::Delete($Path) }
            elseif ([System.IO.Directory]::Exists($Path)) {
                if (Test-DdnsLink -Path $Path) { [System.IO.Directory]::Delete($Path) }
                else { [System.IO.Directory]::Delete($Path, $true) }
            }
            return
        }
        catch {
            if ($try -ge 10) { throw }
            Start-Sleep -Milliseconds 100
        }
    }
}

function Test-DdnsLink {
    param([string]$Path)
    ([int][System.IO.File]::GetAttributes($Path) -band [int][System.IO.FileAttributes]::ReparsePoint) -ne 0
}

function Assert-DdnsFolder {
    # Every user may make %ProgramData%\DDNS first, and who owns a folder sets its rights: neither a link nor a user's folder is used.
    param([hashtable]$Run, [string]$Path)
    if (-not (Test-Path -LiteralPath $Path)) { return }
    $advice = 'Look at what is in it, remove it, then deploy again.'
    if (Test-DdnsLink -Path $Path) {
        throw (New-DdnsFault -Code 'UnsafeFolder' -Message "$Path leads elsewhere: it is a link or a junction" -Advice $advice)
    }
    if (-not [System.IO.Directory]::Exists($Path)) {
        throw (New-DdnsFault -Code 'UnsafeFolder' -Message "$Path is a file" -Advice $advice)
    }
    if (-not $Run.Windows -or $Run.Places.PerUser) { return }
    $owner = Get-DdnsOwner -Path $Path
    if ((Get-DdnsTrustedOwner) -notcontains $owner) {
        throw (New-DdnsFault -Code 'UnsafeFolder' -Message "$Path is not an administrator's: its owner is $owner" -Advice $advice)
    }
}
