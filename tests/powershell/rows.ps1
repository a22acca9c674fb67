# Made-up answers of many machines, the same each time: what reports and pictures are made of.
param([int] $Count = 60, [DateTime] $Now = [DateTime]::new(2026, 11, 22, 20, 0, 0, [DateTimeKind]::Utc))
function At([double] $Minutes) { $Now.AddMinutes(-$Minutes).ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture) }
$sites = 'ber-pc', 'ham-pc', 'lab', 'muc-pc', 'srv-web'
for ($n = 1; $n -le $Count; $n++) {
    $name = '{0}{1:00}' -f $sites[$n % 5], $n
    $version = if ($n % 9 -eq 0) { '1.3.2' } else { '1.4.0' }
    $answer = [pscustomobject]@{
        Computer = $name; ComputerName = $name; Operation = 'Query'; Outcome = 'Ok'; Version = $version; Mode = 'Task'
        Status = $null; StatusError = ''; Error = $null; Task = $null
    }
    if ($n % 17 -eq 0) {
        $answer.Outcome = 'Unreachable'; $answer.Version = ''; $answer.Mode = ''
        $answer.Error = [pscustomobject]@{ Code = 'Unreachable'; Message = 'The machine does not answer: connect to host port 5986: timed out'; Advice = 'Check that it is on, its name, and the firewall. Run the same command again later: it does only what is left.' }
        $answer
        continue
    }
    if ($n -eq 33) { $answer.Outcome = 'NotInstalled'; $answer.Version = ''; $answer.Mode = ''; $answer; continue }
    $code = if ($n % 19 -eq 0) { 12 } elseif ($n % 11 -eq 0) { 13 } else { 0 }
    $codes = @(0) * 10
    if ($n % 7 -eq 0) { $codes[3] = 13; $codes[4] = 13 }
    if ($code -eq 12) { $codes[6] = 12; $codes[7] = 12; $codes[8] = 12 }
    $codes[9] = $code
    $phase = ($n * 7) % 10
    $runs = for ($i = 0; $i -lt 10; $i++) {
        [pscustomobject]@{ started = At ($phase + 10 * (9 - $i)); ended = At ($phase + 10 * (9 - $i)); exit = $codes[$i]; full = $false; changed = 0 }
    }
    $trouble = switch ($code) {
        12 { [pscustomobject]@{ code = 'provider.bad_credentials'; advice = 'Store a valid secret with `ddns secret set`, then: ddns run --now' } }
        13 { [pscustomobject]@{ code = 'provider.unreachable'; advice = 'Nothing, unless it lasts.' } }
    }
    $answer.Task = [pscustomobject]@{
        State = 'Ready'; Enabled = $n -ne 23; LastRunTime = At $phase; LastResult = $code; LastResultHex = '0x{0:X}' -f $code; Meaning = ''; Advice = ''
        Severity = 'Ok'; NextRunTime = At ($phase - 10); MissedRuns = 0; Account = 'LOCAL SERVICE'; IntervalMinutes = 10; DefinitionMatch = $n -ne 41
    }
    $answer.Status = [pscustomobject]@{
        run = $runs[9]; last_runs = $runs; changes_last_hour = if ($n -eq 8) { 5 } else { 0 }; paused_until = $null; blocks = @(); notes = @()
        records = @([pscustomobject]@{
                name = "$name.dyn.example.com"; type = 'A'; address = "203.0.113.$($n + 10)"; since = At (60 * 24 * ($n % 12 + 1)); proven_at = At 130
                outcome = if ($code -eq 12) { 'failed' } elseif ($code) { 'deferred' } else { 'unchanged' }; error = $trouble
            })
    }
    $answer
}
