function Get-DdnsWorker {
    # The worker as one text that needs nothing of this module: what runs on the machine that is deployed to, here or at the other end
    # of a session.
    [OutputType([string])]
    param()
    $folder = Join-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -ChildPath 'Worker'
    $text = New-Object -TypeName System.Text.StringBuilder
    [void]$text.AppendLine('param([hashtable]$Request)')
    foreach ($file in @(Get-ChildItem -LiteralPath (Join-Path -Path $folder -ChildPath 'Parts') -Filter '*.ps1' | Sort-Object -Property Name)) {
        [void]$text.AppendLine((Remove-DdnsSignature -Text ([System.IO.File]::ReadAllText($file.FullName))))
    }
    [void]$text.Append((Remove-DdnsSignature -Text ([System.IO.File]::ReadAllText((Join-Path -Path $folder -ChildPath 'Worker.ps1')))))
    $text.ToString()
}

function Remove-DdnsSignature {
    # A signature is of one file, not of a text that several are put together to.
    param([string]$Text)
    $at = $Text.IndexOf('# SIG # Begin signature block')
    if ($at -ge 0) { return $Text.Substring(0, $at) }
    $Text
}
