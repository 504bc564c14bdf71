# Made by `lhp-otel hook pwsh`: lhp runs as ever; after a successful generate a process of its own records it.
# Written for PowerShell 7 and never run: there was none to test it with.
function lhp {
    $application = Get-Command -Name lhp -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $application) { Write-Error 'lhp: command not found'; $global:LASTEXITCODE = 127; return }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $start = [System.DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() / 1000
    if ($MyInvocation.ExpectingInput) { $input | & $application @args } else { & $application @args }
    $seconds = $clock.Elapsed.TotalSeconds
    if ($LASTEXITCODE -ne 0 -or $args -cnotcontains 'generate' -or -not (Test-Path -LiteralPath @program@)) { return }
    $no = '', '0', 'false', 'no', 'off'
    foreach ($name in 'LHP_DISABLE_ANALYTICS', 'DO_NOT_TRACK', 'OTEL_SDK_DISABLED', 'PYTEST_CURRENT_TEST') {
        if ($no -notcontains "$([Environment]::GetEnvironmentVariable($name))".Trim()) { return }
    }
    if ($env:LHP_TELEMETRY -and $env:LHP_TELEMETRY.Trim() -and $no -contains $env:LHP_TELEMETRY.Trim()) { return }
    $process = [System.Diagnostics.ProcessStartInfo]::new(@node@)
    $process.UseShellExecute = $false
    $process.CreateNoWindow = $true
    $process.RedirectStandardInput = $process.RedirectStandardOutput = $process.RedirectStandardError = $true
    $process.WorkingDirectory = (Get-Location -PSProvider FileSystem).ProviderPath
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    foreach ($word in @(@program@, $start.ToString($invariant), ($start + $seconds).ToString($invariant), 'terminal', 'lhp') + $args) {
        $process.ArgumentList.Add("$word")
    }
    [void][System.Diagnostics.Process]::Start($process)
}
