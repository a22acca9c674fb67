function Resolve-DdnsPackage {
    # The release zip and the hash that is vouched for: by the caller, or by the signed list beside the zip. The worker compares it
    # with its own copy, so what happens to the file meanwhile does not matter.
    [OutputType([hashtable])]
    param([string]$Package, [string]$Folder, [string]$Sha256, [string]$Publisher)
    if (-not $Package) { $Package = Find-DdnsPackage -Folder $Folder }
    if (-not $Package) { return @{ Package = ''; Sha256 = $Sha256 } }
    $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Package)
    if (-not $Sha256) { $Sha256 = Get-DdnsSealedHash -Package $path -Publisher $Publisher }
    @{ Package = $path; Sha256 = $Sha256 }
}

function Find-DdnsPackage {
    # The newest release zip of this machine's architecture in a folder, '' when there is none.
    param([string]$Folder)
    if (-not $Folder -or -not (Test-Path -LiteralPath $Folder)) { return '' }
    $architecture = Get-DdnsArchitecture
    $found = @(Get-ChildItem -LiteralPath $Folder -Filter 'ddns-*.zip' -File | Where-Object {
            $_.Name -match "^ddns-(\d+\.\d+\.\d+)-windows-$architecture(-for-testing)?\.zip$"
        } | Sort-Object -Property { [version]($_.Name.Split('-')[1]) } -Descending | Select-Object -First 1)
    if ($found.Count -eq 0) { return '' }
    $found[0].FullName
}

function Get-DdnsSealedHash {
    # The hash of a package as SHA256SUMS beside it has it, if the seal of that list is signed by the publisher; '' otherwise. List and
    # seal are read once.
    param([string]$Package, [string]$Publisher)
    $folder = Split-Path -Path $Package -Parent
    $seal = Join-Path -Path $folder -ChildPath 'SHA256SUMS.psd1'
    $list = Join-Path -Path $folder -ChildPath 'SHA256SUMS'
    if (-not $Publisher -or -not (Test-Path -LiteralPath $seal) -or -not (Test-Path -LiteralPath $list)) { return '' }
    $sealBytes = [System.IO.File]::ReadAllBytes($seal)
    $listBytes = [System.IO.File]::ReadAllBytes($list)
    try { $signature = Get-AuthenticodeSignature -SourcePathOrExtension '.psd1' -Content $sealBytes }
    catch { return '' }
    if ([string]$signature.Status -ne 'Valid' -or $null -eq $signature.SignerCertificate -or $signature.SignerCertificate.Subject -ne $Publisher) { return '' }
    $sealText = [System.Text.Encoding]::ASCII.GetString($sealBytes)
    if ($sealText -notmatch "(?m)^\s*ListSha256\s*=\s*'([0-9a-f]{64})'") { return '' }
    $sealed = $Matches[1]
    $sha = [System.Security.Cryptography.SHA256]::Create()
    try { $hash = [System.BitConverter]::ToString($sha.ComputeHash($listBytes)).Replace('-', '').ToLowerInvariant() }
    finally { $sha.Dispose() }
    if ($hash -ne $sealed) { return '' }
    [string](ConvertFrom-DdnsHashList -Text ([System.Text.Encoding]::UTF8.GetString($listBytes)))[[System.IO.Path]::GetFileName($Package)]
}
