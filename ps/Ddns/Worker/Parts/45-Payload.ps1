# The release zip: copied to where only administrators write, verified there, unpacked there. Nothing runs from a share.

function Get-DdnsHash {
    # SHA-256 of a file, lower-case.
    param([string]$Path)
    (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

function Get-DdnsPackage {
    # Copies the package into staging and checks it there. Returns its path, version, architecture and hash list.
    param([hashtable]$Run)
    $request = $Run.Request
    $source = [string](Get-DdnsKey -Table $request -Key 'Package' -Default '')
    $sha256 = ([string](Get-DdnsKey -Table $request -Key 'Sha256' -Default '')).Trim().ToLowerInvariant()
    if (-not $source) {
        throw (New-DdnsFault -Code 'PackageMissing' -Message 'no package was named' -Advice 'Put the release zip beside the script, or name it with -Package.')
    }
    if ($sha256 -notmatch '^[0-9a-f]{64}$') {
        throw (New-DdnsFault -Code 'PackageUnsigned' -Message 'nobody vouches for the package: it has no valid signature, and no hash was given' -Advice (
                'Give the SHA-256 of the zip, from the release page, with -Sha256.'))
    }
    $copy = Copy-DdnsPackage -Run $Run -Source $source
    $found = Get-DdnsHash -Path $copy
    if ($found -ne $sha256) {
        throw (New-DdnsFault -Code 'PackageHash' -Message "$source is not the package that was vouched for: its SHA-256 is $found, not $sha256" -Advice (
                'Fetch the package again from the release page; if it differs again, somebody has replaced it.'))
    }
    $copy
}

function Copy-DdnsPackage {
    # The copy's name is of this call, in a folder that nobody else may write.
    param([hashtable]$Run, [string]$Source)
    if (-not [System.IO.File]::Exists($Source)) {
        throw (New-DdnsFault -Code 'PackageMissing' -Message "there is no file $Source, or this account may not read it" -Advice (
                'Check the path. A computer reads a share as its own account: give "Domain Computers" read access.'))
    }
    $length = (New-Object -TypeName System.IO.FileInfo -ArgumentList $Source).Length
    Assert-DdnsSpace -Run $Run -Bytes (4 * $length + 32MB)
    $Run.Part = Join-DdnsPath -Part $Run.Places.Staging, ('package-{0}.zip' -f [guid]::NewGuid().ToString('N'))
    [System.IO.File]::Copy($Source, $Run.Part, $false)
    $Run.Part
}

function Open-DdnsZip {
    param([string]$Path)
    Add-Type -AssemblyName System.IO.Compression
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    try { [System.IO.Compression.ZipFile]::OpenRead($Path) }
    catch [System.IO.InvalidDataException] {
        throw (New-DdnsFault -Code 'PackageCorrupt' -Message "the package is not a zip, or is cut short: $($_.Exception.Message)" -Advice 'Fetch it again.')
    }
}

function Assert-DdnsEntry {
    # The path of an entry below a folder. A name that could lead out of it, or mean something else on Windows, ends everything.
    param([string]$Name, [string]$Folder)
    $bad = $Name -eq '' -or $Name -match '[\x00-\x1f:*?"<>|\\]' -or $Name.StartsWith('/')
    foreach ($part in $Name.TrimEnd('/').Split('/')) {
        if ($part -eq '' -or $part -eq '.' -or $part -eq '..' -or $part -match '[. ]$') { $bad = $true }
        if ($part -match '^(con|prn|aux|nul|com\d|lpt\d)(\.|$)') { $bad = $true }
    }
    $full = ''
    if (-not $bad) {
        $full = [System.IO.Path]::GetFullPath([System.IO.Path]::Combine($Folder, $Name))
        $bad = -not $full.StartsWith($Folder.TrimEnd('\', '/') + [System.IO.Path]::DirectorySeparatorChar)
    }
    if ($bad) {
        $shown = $Name -replace '[^\x20-\x7e]', '?'
        throw (New-DdnsFault -Code 'PackageSlip' -Message "the package has an entry that must not be there: $shown" -Advice 'It was not made by us. Do not use it.')
    }
    $full
}

function Read-DdnsEntry {
    # A small text file of the package.
    param($Zip, [string]$Name, [long]$Most = 4MB)
    $entry = $Zip.GetEntry($Name)
    if ($null -eq $entry) {
        throw (New-DdnsFault -Code 'PackageCorrupt' -Message "the package has no $Name" -Advice 'Fetch it again from the release page.')
    }
    if ($entry.Length -gt $Most) { throw (New-DdnsFault -Code 'PackageCorrupt' -Message "$Name in the package is too long" -Advice 'Do not use it.') }
    $reader = New-Object -TypeName System.IO.StreamReader -ArgumentList $entry.Open(), ([System.Text.Encoding]::UTF8)
    try { $reader.ReadToEnd() }
    finally { $reader.Dispose() }
}

function ConvertFrom-DdnsHashList {
    # Name -> hash, of the text of SHA256SUMS.
    param([string]$Text)
    $list = @{}
    foreach ($line in $Text.Split("`n")) {
        $line = $line.TrimEnd("`r")
        if ($line -eq '') { continue }
        if ($line -cnotmatch '^([0-9a-f]{64}) [ *](.+)$') {
            throw (New-DdnsFault -Code 'PackageCorrupt' -Message 'the hash list of the package can not be read' -Advice 'Fetch the package again.')
        }
        $list[$Matches[2]] = $Matches[1]
    }
    $list
}

function Read-DdnsRelease {
    # The facts of a package: release.json.
    param([string]$Text)
    try { $release = ConvertFrom-Json -InputObject $Text }
    catch { throw (New-DdnsFault -Code 'PackageCorrupt' -Message 'release.json of the package can not be read' -Advice 'Fetch the package again.') }
    $version = [string](Get-DdnsKey -Table $release -Key 'version' -Default '')
    if ($version -notmatch '^\d+\.\d+\.\d+$') {
        throw (New-DdnsFault -Code 'PackageCorrupt' -Message "the package's version `"$version`" is not N.N.N" -Advice 'Fetch the package again.')
    }
    $release
}

function Assert-DdnsRelease {
    # Version and architecture must be those of this machine and of this call.
    param([hashtable]$Run, $Release)
    $version = [string]$Release.version
    $asked = [string](Get-DdnsKey -Table $Run.Request -Key 'Version' -Default '')
    if ($asked -and $asked -ne $version) {
        throw (New-DdnsFault -Code 'PackageVersion' -Message "the package holds version $version, not $asked" -Advice 'Name the right package.')
    }
    $architecture = [string](Get-DdnsKey -Table $Release -Key 'architecture' -Default '')
    $machine = Get-DdnsArchitecture
    $fits = $architecture -eq $machine -or $architecture -eq 'any' -or ($architecture -eq 'x86' -and $machine -eq 'amd64') -or ($machine -eq 'arm64')
    if ($architecture -and -not $fits) {
        throw (New-DdnsFault -Code 'PackageArchitecture' -Message "the package is for $architecture, this machine is $machine" -Advice "Use the package ...-windows-$machine.zip.")
    }
    $now = $Run.PreviousVersion
    if ($now -and [version]$version -lt [version]$now -and -not (Get-DdnsKey -Table $Run.Request -Key 'AllowDowngrade' -Default $false)) {
        throw (New-DdnsFault -Code 'Downgrade' -Message "version $now is installed, the package holds $version" -Advice 'An older version is put in place only with -AllowDowngrade.')
    }
}

function Assert-DdnsSeal {
    # The seal inside the package, when a publisher was asked for: signed by that publisher, and of this very hash list.
    param([hashtable]$Run, [string]$Folder)
    $publisher = [string](Get-DdnsKey -Table $Run.Request -Key 'Publisher' -Default '')
    if (-not $publisher) { return }
    $seal = Join-DdnsPath -Part $Folder, 'SHA256SUMS.psd1'
    if (-not [System.IO.File]::Exists($seal)) {
        throw (New-DdnsFault -Code 'PackageUnsigned' -Message "the package is not signed by $publisher (it has no seal)" -Advice (
                'Fetch the signed package, or leave -Publisher out if you trust its hash alone.'))
    }
    $signature = Get-AuthenticodeSignature -LiteralPath $seal
    $subject = ''
    if ($null -ne $signature.SignerCertificate) { $subject = $signature.SignerCertificate.Subject }
    if ([string]$signature.Status -ne 'Valid' -or $subject -ne $publisher) {
        throw (New-DdnsFault -Code 'PackageUnsigned' -Message "the package is not signed by $publisher (signature: $($signature.Status); by: $subject)" -Advice (
                'Fetch the signed package, or leave -Publisher out if you trust its hash alone.'))
    }
    $told = [string](Import-PowerShellDataFile -LiteralPath $seal)['ListSha256']
    if ($told -ne (Get-DdnsHash -Path (Join-DdnsPath -Part $Folder, 'SHA256SUMS'))) {
        throw (New-DdnsFault -Code 'PackageHash' -Message 'the seal of the package is not of its hash list' -Advice 'Do not use it.')
    }
}

function Expand-DdnsPackage {
    # Unpacks into <version>.part and checks every file there. A folder of that version that is whole stays as it is.
    param([hashtable]$Run, [string]$Package)
    $zip = Open-DdnsZip -Path $Package
    try {
        $release = Read-DdnsRelease -Text (Read-DdnsEntry -Zip $zip -Name 'release.json')
        Assert-DdnsRelease -Run $Run -Release $release
        $list = ConvertFrom-DdnsHashList -Text (Read-DdnsEntry -Zip $zip -Name 'SHA256SUMS')
        $version = [string]$release.version
        $target = Join-DdnsPath -Part $Run.Places.Binaries, $version
        foreach ($entry in $zip.Entries) { [void](Assert-DdnsEntry -Name $entry.FullName -Folder "$target.part") }
        $Run.Version = $version
        $Run.Release = $release
        $wrong = @(Find-DdnsWrongFile -Folder $target -List $list | Select-Object -First 1)
        $newList = Read-DdnsEntry -Zip $zip -Name 'SHA256SUMS'
        $sameList = $wrong.Count -eq 0 -and [System.IO.File]::ReadAllText((Join-DdnsPath -Part $target, 'SHA256SUMS')) -ceq $newList
        if ($sameList) { return (New-DdnsStepEnd -Outcome 'Unchanged' -Detail "version $version is there, and whole") }
        if ($Run.WhatIf) { return (New-DdnsStepEnd -Outcome 'WouldDo' -Detail "unpack version $version") }
        Expand-DdnsEntry -Run $Run -Zip $zip -List $list -Folder "$target.part"
    }
    finally { $zip.Dispose() }
    Assert-DdnsSeal -Run $Run -Folder "$target.part"
    Switch-DdnsFolder -Target $target
    New-DdnsStepEnd -Outcome 'Done' -Detail "version $version, $($list.Count) files"
}

function Expand-DdnsEntry {
    param([hashtable]$Run, $Zip, [hashtable]$List, [string]$Folder)
    if (Test-Path -LiteralPath $Folder) { Remove-DdnsItem -Path $Folder }
    $reader = (Get-DdnsAccess -Places $Run.Places -Sid '' -Reader '')[0].Sddl
    [void](Set-DdnsFolder -Run $Run -Path $Folder -Sddl $reader)
    foreach ($entry in $Zip.Entries) {
        $path = Assert-DdnsEntry -Name $entry.FullName -Folder $Folder
        if ($entry.FullName.EndsWith('/')) { continue }
        $parent = [System.IO.Path]::GetDirectoryName($path)
        if (-not [System.IO.Directory]::Exists($parent)) { [void][System.IO.Directory]::CreateDirectory($parent) }
        try { [System.IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $path, $false) }
        catch [System.IO.InvalidDataException] {
            throw (New-DdnsFault -Code 'PackageCorrupt' -Message "$($entry.FullName) in the package is damaged" -Advice 'Fetch it again.')
        }
    }
    $wrong = @(Find-DdnsWrongFile -Folder $Folder -List $List)
    if ($wrong.Count -gt 0) {
        throw (New-DdnsFault -Code 'PackageCorrupt' -Message "the package is not what its hash list says: $($wrong[0])" -Advice 'Fetch it again; if it stays, do not use it.')
    }
}

function Find-DdnsWrongFile {
    # Which files of a folder differ from its hash list, are missing, or are not in it: a planted library would be loaded.
    param([string]$Folder, [hashtable]$List)
    if (-not [System.IO.Directory]::Exists($Folder)) { return "$Folder is missing" }
    $start = $Folder.TrimEnd('\', '/').Length + 1
    $seen = @{}
    foreach ($path in [System.IO.Directory]::GetFiles($Folder, '*', [System.IO.SearchOption]::AllDirectories)) {
        $name = $path.Substring($start).Replace('\', '/')
        $seen[$name] = $true
        if ($name -eq 'SHA256SUMS' -or $name -eq 'SHA256SUMS.psd1') { continue }
        if (-not $List.ContainsKey($name)) { "$name is not in it"; continue }
        if ((Get-DdnsHash -Path $path) -ne $List[$name]) { "$name differs" }
    }
    foreach ($name in $List.Keys) { if (-not $seen.ContainsKey($name)) { "$name is missing" } }
    if (-not $seen.ContainsKey('SHA256SUMS')) { 'SHA256SUMS is missing' }
}

function Switch-DdnsFolder {
    # Puts <version>.part in the place of <version>. What is there under that name and is not whole goes aside first.
    param([string]$Target)
    if ([System.IO.Directory]::Exists($Target)) {
        $aside = '{0}.old-{1}' -f $Target, [guid]::NewGuid().ToString('N').Substring(0, 8)
        try { [System.IO.Directory]::Move($Target, $aside) }
        catch {
            throw (New-DdnsFault -Code 'InUse' -Message "$Target is in use and can not be replaced" -Advice 'Wait for the run to end, or end ddns.exe, then deploy again.')
        }
    }
    for ($try = 1; ; $try++) {
        try {
            [System.IO.Directory]::Move("$Target.part", $Target)
            return
        }
        catch [System.IO.IOException] {
            if ($try -ge 20) { throw }
            Start-Sleep -Milliseconds 100  # a virus scanner looks at what was just written
        }
    }
}

function Clear-DdnsLeftover {
    # What an earlier deployment that was killed left behind.
    param([hashtable]$Run)
    $places = $Run.Places
    if (Test-Path -LiteralPath $places.Staging) {
        foreach ($path in [System.IO.Directory]::GetFileSystemEntries($places.Staging)) {
            if ($path -ne $Run.Part) { Remove-DdnsItem -Path $path }
        }
    }
    if (-not (Test-Path -LiteralPath $places.Binaries)) { return }
    foreach ($path in [System.IO.Directory]::GetDirectories($places.Binaries)) {
        $name = [System.IO.Path]::GetFileName($path)
        if ($name -match '^\d+\.\d+\.\d+\.(part|old-[0-9a-f]+)$') {
            try { Remove-DdnsItem -Path $path }
            catch { [void]$Run.Notes.Add("$name is still in use; the next deployment removes it") }
        }
    }
}
