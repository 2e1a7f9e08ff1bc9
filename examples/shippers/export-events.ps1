<#
.SYNOPSIS
  Exports the new events of Exchange's transport services as XML with wevtutil; for the task scheduler, every minute.
.DESCRIPTION
  Each run writes what is new since the last one (a bookmark remembers that) into a file of its own, in UTF-16 so that
  connector names in any script survive. A file appears under its final name only when it is complete.
  Read it with: send-connector-exporter C:/ExchangeEvents

  To schedule it, as administrator:
    schtasks /Create /TN "Export Exchange events" /SC MINUTE /MO 1 /RU SYSTEM ^
      /TR "powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\ExchangeEvents\export-events.ps1"
.PARAMETER Log
  Application, where the servers write themselves, or ForwardedEvents on a collector of Windows Event Forwarding.
#>
param(
  [string] $Folder = 'C:\ExchangeEvents',
  [ValidateSet('Application', 'ForwardedEvents')] [string] $Log = 'Application',
  [int] $KeepDays = 7
)
$ErrorActionPreference = 'Stop'

$query = Join-Path $Folder "query-$Log.xml"
$bookmark = Join-Path $Folder "bookmark-$Log.xml"
$partial = Join-Path $Folder "events-$Log.partial"
$final = Join-Path $Folder ("events-{0}-{1:yyyyMMdd-HHmmss}.xml" -f $Log, (Get-Date).ToUniversalTime())

# On a collector everything stands in one log, whichever it came from.
$text = Get-Content -Raw -Encoding UTF8 (Join-Path $PSScriptRoot 'exchange-events.query.xml')
if ($Log -eq 'ForwardedEvents') { $text = $text -replace 'Path="(Application|System)"', 'Path="ForwardedEvents"' }
Set-Content -Path $query -Value $text -Encoding UTF8

# cmd, because PowerShell's own redirection would write the text again.
$since = if (Test-Path $bookmark) { "/bm:`"$bookmark`"" } else { '' }
cmd.exe /d /c "wevtutil.exe qe `"$query`" /sq:true /f:xml /uni:true $since /sbm:`"$bookmark`" > `"$partial`""
if ($LASTEXITCODE -ne 0) {
  # A bookmark to a log that was cleared since: start over. The exporter counts no event twice.
  if ($since) { Remove-Item $bookmark }
  throw "wevtutil ended with $LASTEXITCODE. Is this account allowed to read the $Log log?"
}

if ((Get-Item $partial).Length -gt 2) { Move-Item $partial $final } else { Remove-Item $partial }
Get-ChildItem $Folder -Filter "events-$Log-*.xml" |
  Where-Object { $_.LastWriteTime -lt (Get-Date).AddDays(-$KeepDays) } |
  Remove-Item
