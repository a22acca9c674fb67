# Get-AuthenticodeSignature for a PowerShell without one that can: the verdict is osslsigncode's, by the service in $env:JUDGE.
function Get-AuthenticodeSignature {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, ParameterSetName = 'File')][string]$LiteralPath,
        [Parameter(Mandatory, ParameterSetName = 'Content')][string]$SourcePathOrExtension,
        [Parameter(Mandatory, ParameterSetName = 'Content')][byte[]]$Content
    )
    $ending = [System.IO.Path]::GetExtension("$LiteralPath$SourcePathOrExtension")
    if ($LiteralPath -and -not [System.IO.File]::Exists($LiteralPath)) { throw "File $LiteralPath was not found." }
    if ($LiteralPath) { $Content = [System.IO.File]::ReadAllBytes($LiteralPath) }
    $client = New-Object -TypeName System.Net.WebClient
    $told = [System.Text.Encoding]::UTF8.GetString($client.UploadData("$env:JUDGE$ending", $Content)) | ConvertFrom-Json
    $signer = if ($told.subject) { [pscustomobject]@{ Subject = $told.subject } }
    [pscustomobject]@{ Status = $told.status; SignerCertificate = $signer; Path = $LiteralPath }
}
