function New-DdnsMachinePlan {
    # One machine's target, package, and request without what differs from call to call.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable] $Machine,
        [hashtable] $Fleet,
        [System.Collections.Generic.List[string]] $Problems
    )
    $target = $Machine.Target
    $layers = @($Fleet['Defaults'], $Fleet['Groups'][$Machine.Group], $Machine.Own)
    $flat = Merge-DdnsTable -Table $layers
    $settings = Merge-DdnsTable -Table @($layers | ForEach-Object { if ($_) { $_['Settings'] } })
    $package = Resolve-DdnsFleetPackage -Fleet $Fleet -Group $Fleet['Groups'][$Machine.Group] -Place $Machine.Group -Problems $Problems
    $request = @{
        Schema    = 1
        Operation = 'Install'
        Mode      = if ($flat['Mode']) { $flat['Mode'] } else { 'Task' }
        Task      = Merge-DdnsTable -Table @($layers | ForEach-Object { if ($_) { $_['Task'] } })
        Settings  = Expand-DdnsSetting -Settings $settings -Target $target -Folder $Fleet['Folder'] -Problems $Problems
        Version   = $package.Version
        Sha256    = $package.Sha256
        Publisher = $package.Publisher
    }
    @{ Target = $target; Request = $request; Package = $package; Secrets = @($flat['Secrets'] | Where-Object { $_ }); Gateway = $flat['Gateway'] }
}

function Resolve-DdnsFleetPackage {
    # The package of a group: its file must be there and be the one that the fleet file vouches for. Read once.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable] $Fleet,
        [System.Collections.IDictionary] $Group,
        [string] $Place,
        [System.Collections.Generic.List[string]] $Problems
    )
    $said = if ($Group['Package']) { $Group['Package'] } else { $Fleet['Package'] }
    if (-not $said -or -not $said['Path']) {
        $text = "group ${Place}: there is no Package with a Path"
        if (-not $Problems.Contains($text)) {
            $Problems.Add($text)
        }
        return @{ Path = ''; Version = ''; Sha256 = ''; Publisher = '' }
    }
    if (-not $Fleet.ContainsKey('Packages')) {
        $Fleet['Packages'] = @{}
    }
    $path = [IO.Path]::GetFullPath([IO.Path]::Combine($Fleet['Folder'], $said['Path']))
    if (-not $Fleet['Packages'].ContainsKey($path)) {
        $Fleet['Packages'][$path] = Read-DdnsFleetPackage -Path $path -Said $said -Problems $Problems
    }
    $Fleet['Packages'][$path]
}

function Read-DdnsFleetPackage {
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [string] $Path,
        [System.Collections.IDictionary] $Said,
        [System.Collections.Generic.List[string]] $Problems
    )
    $package = @{ Path = $Path; Version = "$($Said['Version'])"; Sha256 = "$($Said['Sha256'])"; Publisher = "$($Said['Publisher'])" }
    if (-not [IO.File]::Exists($Path)) {
        $Problems.Add("Package: there is no $Path")
        return $package
    }
    $hash = (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
    if ($package.Sha256 -and $package.Sha256 -ne $hash) {
        $Problems.Add("Package: $Path has the hash $hash, not $($package.Sha256): it is not the file that was meant")
    } elseif (-not $package.Sha256 -and -not $package.Publisher) {
        $Problems.Add("Package: Sha256 or Publisher is needed, so that the machines know what to trust. The hash of $Path is $hash")
    }
    $package.Sha256 = $hash
    if (-not $package.Version -and [IO.Path]::GetFileName($Path) -match '^ddns-([0-9]+\.[0-9]+\.[0-9]+)-') {
        $package.Version = $Matches[1]
    }
    if (-not $package.Version) {
        $Problems.Add("Package: the name of $Path tells no version; give it as Version")
    }
    $package
}

function Expand-DdnsSetting {
    # Settings with {computer}, {group} and {ring} replaced in names and text. Null when the file says nothing of them.
    [CmdletBinding()]
    [OutputType([hashtable])]
    param(
        [hashtable] $Settings,
        [object] $Target,
        [string] $Folder,
        [System.Collections.Generic.List[string]] $Problems
    )
    if (-not $Settings.Count) {
        return
    }
    $own = $Settings.Clone()
    if ($own['File']) {
        $path = [IO.Path]::Combine($Folder, $own['File'])
        if ([IO.File]::Exists($path)) {
            $own['Text'] = [IO.File]::ReadAllText($path)
        } else {
            $Problems.Add("Settings.File: there is no $path")
        }
        $own.Remove('File')
    }
    if ($own['Text']) {
        $own['Text'] = Expand-DdnsTemplate -Template $own['Text'] -Target $Target
    }
    if ($own['Names']) {
        $own['Names'] = @(foreach ($template in @($own['Names'])) {
                $name = Expand-DdnsTemplate -Template $template -Target $Target
                if ($name -notmatch '^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$' -or $name.Length -gt 253) {
                    $Problems.Add("$($Target.Name): '$name' (from $template) can't be a name in DNS")
                }
                $name
            })
    }
    if ($own['Types']) {
        $own['Types'] = @($own['Types'])
    }
    $own
}

function Expand-DdnsTemplate {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [string] $Template,
        [object] $Target
    )
    # This machine may be called by a dot.
    $name = if ($Target.Transport -eq 'Local') { Get-DdnsOwnName } else { "$($Target.Name)" }
    $text = $Template.Replace('{computer}', $name.Split('.')[0].ToLowerInvariant())
    foreach ($key in 'Group', 'Ring') {
        if ($Target.$key) {
            $text = $text.Replace("{$($key.ToLowerInvariant())}", "$($Target.$key)".ToLowerInvariant())
        }
    }
    $text
}
