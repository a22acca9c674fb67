# Accounts and rights, always by SID: names differ between languages.

function Get-DdnsTaskSid {
    # The SID that Windows gives a task: S-1-5-87 and the SHA-1 of its name in capitals (UTF-16LE), as five words. The name is the
    # path without its first backslash, the others replaced by hyphens.
    param([string]$TaskPath)
    $name = $TaskPath.Trim('\').Replace('\', '-').ToUpperInvariant()
    $sha = [System.Security.Cryptography.SHA1]::Create()
    try { $hash = $sha.ComputeHash([System.Text.Encoding]::Unicode.GetBytes($name)) }
    finally { $sha.Dispose() }
    $words = foreach ($at in 0, 4, 8, 12, 16) {
        [string]([long]$hash[$at] + [long]$hash[$at + 1] * 256 + [long]$hash[$at + 2] * 65536 + [long]$hash[$at + 3] * 16777216)
    }
    'S-1-5-87-' + ($words -join '-')
}

function Get-DdnsTrustedOwner {
    # SYSTEM, the service accounts, administrators, the installer of Windows. Under Wine also what it says of all files of its user; on
    # a real Windows no account has that SID, and nobody shall get it.
    'S-1-5-18', 'S-1-5-19', 'S-1-5-20', 'S-1-5-32-544'
    'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    if (Test-DdnsWine) { 'S-1-5-21-0-0-0-1000' }
}

function Test-DdnsWine {
    # Wine's own mark: a function that the ntdll of a real Windows does not have. Windows PowerShell, which has no way to ask without
    # compiling code, runs on a real Windows only.
    if ($PSVersionTable.PSVersion.Major -lt 7 -or -not (Test-DdnsWindows)) { return $false }
    $library = [System.IntPtr]::Zero
    $found = [System.IntPtr]::Zero
    if (-not [System.Runtime.InteropServices.NativeLibrary]::TryLoad('ntdll.dll', [ref]$library)) { return $false }
    [System.Runtime.InteropServices.NativeLibrary]::TryGetExport($library, 'wine_get_version', [ref]$found)
}

function Get-DdnsOwner {
    param([string]$Path)
    (Get-Acl -LiteralPath $Path).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
}

function Resolve-DdnsAccount {
    # What a principal needs: UserId and LogonType for the definition, Sid for rights, TokenSid where Windows gives the task its own SID,
    # NeedsPassword where a task can only be written with the password.
    param([hashtable]$Run, [string]$Account, $Login)
    $known = @{ LocalService = 'S-1-5-19'; NetworkService = 'S-1-5-20'; System = 'S-1-5-18' }
    if ($known.ContainsKey($Account)) {
        return @{ Name = $Account; UserId = $known[$Account]; Sid = $known[$Account]; LogonType = ''; TokenSid = ($Account -ne 'System'); Password = $null; NeedsPassword = $false }
    }
    $sid = ''
    if ($Account -match '^S-1-\d') { $sid = $Account }
    elseif ($Run.Windows) {
        try {
            $sid = (New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $Account).Translate(
                [System.Security.Principal.SecurityIdentifier]).Value
        }
        catch {
            throw (New-DdnsFault -Code 'AccountUnknown' -Message "the account $Account is not known on this machine" -Advice (
                    'Write it as DOMAIN\name; a group managed service account ends with $.'))
        }
    }
    $managed = $Account.EndsWith('$')
    $userId = $Account
    if ($sid) { $userId = $sid }
    @{
        Name = $Account; UserId = $userId; Sid = $sid; LogonType = 'Password'; TokenSid = $false
        Password = $(if (-not $managed) { $Login }); NeedsPassword = (-not $managed)
    }
}

function Assert-DdnsPassword {
    # To write a task of a named user takes the password; a task that stays as it is has it already.
    param([hashtable]$Account)
    if (-not $Account.NeedsPassword -or $null -ne $Account.Password) { return }
    throw (New-DdnsFault -Code 'AccountRight' -Message "to run as $($Account.Name), the task needs the account's password" -Advice (
            'Give it with -TaskCredential, or use LocalService or a group managed service account, which have none.'))
}

function Get-DdnsAccess {
    # Folder -> SDDL: the whole table of rights. Sid is the account's, Reader the one that reads secrets, Trial a second one for the
    # time of a trial.
    param([hashtable]$Places, [string]$Sid, [string]$Reader, [string]$Trial = '')
    $head = 'O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
    $account = $(if ($Sid -and $Sid -ne 'S-1-5-18') { $Sid })
    $rows = New-Object -TypeName System.Collections.ArrayList
    $add = {
        param($path, $more)
        [void]$rows.Add([pscustomobject]@{ Path = $path; Sddl = $head + $more })
    }
    $reads = ''
    $changes = ''
    $secrets = ''
    $state = ''
    if ($account) {
        $reads = "(A;OICI;0x1200a9;;;$account)"
        $changes = "(A;OICI;0x1301bf;;;$account)"
    }
    if ($Reader -and $Reader -ne 'S-1-5-18') { $secrets = "(A;OICI;0x1200a9;;;$Reader)" }
    if ($Trial) {
        $reads += "(A;OICI;0x1200a9;;;$Trial)"
        $secrets += "(A;OICI;0x1200a9;;;$Trial)"
        $state = "(A;OICI;0x1200a9;;;$Trial)"
    }
    & $add $Places.Binaries '(A;OICI;0x1200a9;;;BU)'
    & $add $Places.Staging ''
    & $add $Places.Snapshots ''
    & $add $Places.Data '(A;;0x1200a9;;;BU)'
    if ($Places.Config -ne $Places.Data) { & $add $Places.Config $reads }
    & $add $Places.Secrets $secrets
    & $add $Places.State ($changes + $state)
    & $add $Places.Logs $changes
    & $add $Places.Public ($changes + '(A;OICI;0x1200a9;;;BU)')
    $rows
}

function Set-DdnsFolder {
    # Makes a folder with its rights in one call, or mends the rights of one that is there. Returns whether anything changed.
    param([hashtable]$Run, [string]$Path, [string]$Sddl)
    Assert-DdnsFolder -Run $Run -Path $Path
    if (-not $Run.Windows -or $Run.Places.PerUser) {
        if ([System.IO.Directory]::Exists($Path)) { return $false }
        [void][System.IO.Directory]::CreateDirectory($Path)
        return $true
    }
    $wanted = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
    $wanted.SetSecurityDescriptorSddlForm($Sddl)
    $made = $false
    if (-not [System.IO.Directory]::Exists($Path)) {
        New-DdnsFolder -Path $Path -Security $wanted
        $made = $true
    }
    if (Test-DdnsAccess -Path $Path -Wanted $wanted) { return $made }
    Set-Acl -LiteralPath $Path -AclObject $wanted
    if (-not (Test-DdnsAccess -Path $Path -Wanted $wanted)) {
        throw (New-DdnsFault -Code 'UnsafeFolder' -Message "the rights of $Path could not be set" -Advice 'Look at its owner and at what a policy sets there.')
    }
    $true
}

function New-DdnsFolder {
    # .NET Framework and .NET have the same call in different places.
    param([string]$Path, $Security)
    if ($PSVersionTable.PSVersion.Major -lt 6) {
        [void][System.IO.Directory]::CreateDirectory($Path, $Security)
    }
    else {
        $folder = New-Object -TypeName System.IO.DirectoryInfo -ArgumentList $Path
        [System.IO.FileSystemAclExtensions]::Create($folder, $Security)
    }
}

function Get-DdnsAce {
    # The entries of a descriptor as comparable text; the first says whether it is protected against inheritance.
    param([System.Security.AccessControl.FileSystemSecurity]$Security)
    $sddl = $Security.GetSecurityDescriptorSddlForm([System.Security.AccessControl.AccessControlSections]::Access)
    $inherited = '\([A-Z]+;[A-Z]*ID[A-Z]*;[^)]*\)'
    "protected=$($Security.AreAccessRulesProtected)"
    [regex]::Matches(($sddl -replace $inherited, ''), '\([^)]*\)') | ForEach-Object { $_.Value } | Sort-Object
}

function Test-DdnsAccess {
    param([string]$Path, [System.Security.AccessControl.FileSystemSecurity]$Wanted)
    $found = (Get-DdnsAce -Security (Get-Acl -LiteralPath $Path)) -join ' '
    $found -eq ((Get-DdnsAce -Security $Wanted) -join ' ')
}

function Get-DdnsReader {
    # Whose rights the table gives: the account, or the service; and who reads secrets, which is the task's or the service's own SID.
    param([hashtable]$Run, [hashtable]$Account)
    $sid = $Account.Sid
    $reader = $sid
    if ($Account.TokenSid) { $reader = Get-DdnsTaskSid -TaskPath '\DDNS\Update' }
    if ($Run.Mode -eq 'Service') {
        $sid = Get-DdnsServiceSid
        $reader = $sid
    }
    @{ Sid = $sid; Reader = $reader }
}

function Set-DdnsFolders {
    # All folders of the installation. Returns how many were made or mended.
    param([hashtable]$Run, [hashtable]$Account, [string]$Trial = '')
    $count = 0
    $who = Get-DdnsReader -Run $Run -Account $Account
    foreach ($row in (Get-DdnsAccess -Places $Run.Places -Sid $who.Sid -Reader $who.Reader -Trial $Trial)) {
        if (Set-DdnsFolder -Run $Run -Path $row.Path -Sddl $row.Sddl) { $count++ }
    }
    $count
}

function Find-DdnsWriter {
    # SIDs other than trusted ones that may write in a folder or what is in it: whoever can, runs code as the task's account.
    param([hashtable]$Run, [string]$Path)
    if (-not $Run.Windows -or $Run.Places.PerUser) { return }
    $writes = 0x2 -bor 0x4 -bor 0x10 -bor 0x40 -bor 0x100 -bor 0x10000 -bor 0x40000 -bor 0x80000
    $rules = (Get-Acl -LiteralPath $Path).GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
    foreach ($rule in $rules) {
        if ($rule.AccessControlType -ne 'Allow') { continue }
        if (([int]$rule.FileSystemRights -band $writes) -eq 0) { continue }
        $sid = $rule.IdentityReference.Value
        if ((Get-DdnsTrustedOwner) -notcontains $sid -and $sid -ne 'S-1-3-0') { $sid }
    }
}
