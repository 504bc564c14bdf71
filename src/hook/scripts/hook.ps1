# Made by `lhp-otel hook pwsh`: lhp runs as ever; after a successful generate a background process
# records it.
# @about@ It looks up no program in PATH, except lhp. It hands over neither lhp.yaml nor whether the
# project is a bundle.
# Written for PowerShell 7. Never run, as there was none to be had: only its grammar is tested.
function lhp {
    $application = Get-Command -Name lhp -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $application) { Write-Error 'lhp: command not found'; $global:LASTEXITCODE = 127; return }

    # The one rule for switches, as in src/consent/consent.ts; -contains does not look at the case.
    $no = '0', 'false', 'no', 'off'
    $value = @{}
    foreach ($name in 'LHP_DISABLE_ANALYTICS', 'DO_NOT_TRACK', 'LHP_TELEMETRY', 'OTEL_SDK_DISABLED', 'PYTEST_CURRENT_TEST', 'LHP_OTEL_UPSTREAM') {
        $value[$name] = "$([Environment]::GetEnvironmentVariable($name))".Trim()
    }
    $upstreamOff = $no -contains $value.LHP_OTEL_UPSTREAM
    $off = $no -contains $value.LHP_TELEMETRY -and -not $upstreamOff
    foreach ($name in 'LHP_DISABLE_ANALYTICS', 'DO_NOT_TRACK', 'OTEL_SDK_DISABLED', 'PYTEST_CURRENT_TEST') {
        if ($value[$name] -and $no -notcontains $value[$name]) { $off = $true }
    }

    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $start = [System.DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() / 1000
    $telemetry = $env:LHP_TELEMETRY
    try {
        if ($upstreamOff) { $env:LHP_TELEMETRY = 'off' }
        if ($MyInvocation.ExpectingInput) { $input | & $application @args } else { & $application @args }
    } finally {
        if ($upstreamOff) { $env:LHP_TELEMETRY = $telemetry }
    }
    $seconds = $clock.Elapsed.TotalSeconds
    if ($LASTEXITCODE -ne 0 -or $off -or $args -cnotcontains 'generate' -or -not (Test-Path -LiteralPath @program@) -or
        -not (Test-Path -LiteralPath @node@)) { return }

    # The notice that an earlier run left is shown once. Anybody may have changed the file: only
    # printable ASCII is shown.
    $state = if ($IsWindows) { $env:LOCALAPPDATA } elseif ("$env:XDG_STATE_HOME".StartsWith('/')) { $env:XDG_STATE_HOME } else { "$HOME/.local/state" }
    $pending = "$state/lhp-otel/notice.pending"
    $notice = if ([Console]::IsErrorRedirected) { 'none' } else { 'terminal' }
    if ($notice -eq 'terminal' -and (Test-Path -LiteralPath $pending)) {
        $lines = @(Get-Content -LiteralPath $pending -TotalCount 8 | Where-Object { $_.StartsWith('lhp-otel:') })
        Move-Item -Force -LiteralPath $pending -Destination "$state/lhp-otel/notice.json" -ErrorAction SilentlyContinue
        if (-not (Test-Path -LiteralPath $pending)) {
            foreach ($line in $lines) { [Console]::Error.WriteLine($line -replace '[^ -~]', '?') }
            $notice = 'shown'
        }
    }

    $process = [System.Diagnostics.ProcessStartInfo]::new(@node@)
    $process.UseShellExecute = $false
    $process.CreateNoWindow = $true
    $process.RedirectStandardInput = $process.RedirectStandardOutput = $process.RedirectStandardError = $true
    $process.WorkingDirectory = (Get-Location -PSProvider FileSystem).ProviderPath
    $process.Environment['NODE_OPTIONS'] = ''
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    foreach ($word in @(@program@, $start.ToString($invariant), ($start + $seconds).ToString($invariant), $notice, 'unknown', 'lhp') + $args) {
        $process.ArgumentList.Add("$word")
    }
    [System.Diagnostics.Process]::Start($process).StandardInput.Close()
}
