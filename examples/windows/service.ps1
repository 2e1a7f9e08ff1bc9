<#
.SYNOPSIS
  Installs, upgrades or removes send-connector-exporter as a Windows service with an account that may do little.

.DESCRIPTION
  Written for Windows PowerShell 5.1 and later, run as an administrator. NOT RUN where the tests run (no Windows there):
  read it before you use it, and try it on a server that may fail.

  Needs two files beside each other in -From: send-connector-exporter.exe (npm run build:exe) and
  WinSW.exe (the service host, https://github.com/winsw/winsw, 64 bit). WinSW sends Ctrl-C when the service stops; the
  exporter then saves its state and ends. A hard end loses nothing either, for every count is saved before it is shown.

.EXAMPLE
  .\service.ps1 Install -From C:\Temp\send-connector-exporter -FirewallFrom 10.1.2.3
.EXAMPLE
  .\service.ps1 Upgrade -From C:\Temp\send-connector-exporter
.EXAMPLE
  .\service.ps1 Uninstall            # keeps state and logs;  -RemoveData takes them too
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory, Position = 0)][ValidateSet('Install', 'Upgrade', 'Uninstall')][string] $Action,
    [string] $From = $PSScriptRoot,
    [string] $ProgramPath = "$env:ProgramFiles\send-connector-exporter",
    [string] $DataPath = "$env:ProgramData\send-connector-exporter",
    [ValidateRange(1, 65535)][int] $Port = 10202,
    # Addresses of Prometheus; without them no firewall rule is made.
    [string[]] $FirewallFrom = @(),
    [switch] $RemoveData
)
Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

$name = 'send-connector-exporter'
# A virtual account: no password, known on this machine only, on the network it is the computer.
$account = "NT SERVICE\$name"
$eventLogReaders = 'S-1-5-32-573'
$winsw = Join-Path $ProgramPath "$name-service.exe"

function Assert-Administrator {
    $identity = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
    if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'Run this in a PowerShell that was started as administrator.'
    }
}

function Invoke-Program([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program $($Arguments -join ' ') ended with exit code $LASTEXITCODE" }
}

function Copy-Program {
    foreach ($file in "$name.exe", 'WinSW.exe') {
        if (-not (Test-Path (Join-Path $From $file))) { throw "Expected $file in $From (-From)" }
    }
    New-Item -ItemType Directory -Force $ProgramPath, $DataPath, "$DataPath\logs" | Out-Null
    Copy-Item -Force (Join-Path $From "$name.exe") $ProgramPath
    Copy-Item -Force (Join-Path $From 'WinSW.exe') $winsw
    Copy-Item -Force (Join-Path $PSScriptRoot "$name-service.xml") $ProgramPath
    if (-not (Test-Path "$DataPath\config.yml")) {
        Set-Content -Encoding ASCII "$DataPath\config.yml" "web:`r`n  listenAddresses: ['`:$Port']`r`n"
    }
}

# Exchange widens the range of dynamic ports to 6005-65535: without this its services may hold the port before us.
function Add-PortReservation {
    $excluded = & netsh int ipv4 show excludedportrange protocol=tcp
    if ($excluded -match "^\s*$Port\s") { return }
    Invoke-Program netsh @('int', 'ipv4', 'add', 'excludedportrange', 'protocol=tcp', "startport=$Port", 'numberofports=1', 'store=persistent')
}

function Grant-Access {
    $members = Get-LocalGroupMember -SID $eventLogReaders -ErrorAction SilentlyContinue
    if ($members.Name -notcontains $account) { Add-LocalGroupMember -SID $eventLogReaders -Member $account }
    # Only the service and administrators: the state names your connectors and destinations.
    Invoke-Program icacls @($DataPath, '/inheritance:r', '/grant:r', "${account}:(OI)(CI)M", '*S-1-5-32-544:(OI)(CI)F', '*S-1-5-18:(OI)(CI)F')
    if ($env:ExchangeInstallPath) {
        $logs = Join-Path $env:ExchangeInstallPath 'TransportRoles\Logs'
        if (Test-Path $logs) { Invoke-Program icacls @($logs, '/grant', "${account}:(OI)(CI)RX") }
    }
}

function Set-Firewall {
    Get-NetFirewallRule -Name $name -ErrorAction SilentlyContinue | Remove-NetFirewallRule
    if ($FirewallFrom.Count -eq 0) { return }
    New-NetFirewallRule -Name $name -DisplayName 'Prometheus to send-connector-exporter' -Direction Inbound -Action Allow `
        -Protocol TCP -LocalPort $Port -RemoteAddress $FirewallFrom -Program (Join-Path $ProgramPath "$name.exe") | Out-Null
}

function Start-AndWait {
    Start-Service $name
    foreach ($second in 1..30) {
        try {
            $answer = Invoke-WebRequest -UseBasicParsing -TimeoutSec 2 "http://localhost:$Port/-/healthy"
            if ($answer.StatusCode -eq 200) { Write-Host "Running: http://localhost:$Port/"; return }
        } catch { Start-Sleep -Seconds 1 }
    }
    throw "The service does not answer on port $Port. Look at the newest file in $DataPath\logs, and run: & '$ProgramPath\$name.exe' doctor --config.file='$DataPath\config.yml'"
}

function Stop-Gracefully {
    $service = Get-Service $name -ErrorAction SilentlyContinue
    if ($service -and $service.Status -ne 'Stopped') { Stop-Service $name }
}

Assert-Administrator
if (-not $PSCmdlet.ShouldProcess($name, $Action)) { return }
switch ($Action) {
    'Install' {
        if (Get-Service $name -ErrorAction SilentlyContinue) { throw "The service is there already; use Upgrade." }
        Copy-Program
        Add-PortReservation
        Invoke-Program $winsw @('install')
        Grant-Access
        Set-Firewall
        Start-AndWait
    }
    'Upgrade' {
        if (-not (Get-Service $name -ErrorAction SilentlyContinue)) { throw 'There is no service to upgrade; use Install.' }
        Stop-Gracefully
        Copy-Program
        Grant-Access
        if ($FirewallFrom.Count -gt 0) { Set-Firewall }
        Start-AndWait
    }
    'Uninstall' {
        Stop-Gracefully
        if (Test-Path $winsw) { Invoke-Program $winsw @('uninstall') }
        Get-NetFirewallRule -Name $name -ErrorAction SilentlyContinue | Remove-NetFirewallRule
        & netsh int ipv4 delete excludedportrange protocol=tcp startport=$Port numberofports=1 | Out-Null
        Remove-Item -Recurse -Force $ProgramPath -ErrorAction SilentlyContinue
        if ($RemoveData) { Remove-Item -Recurse -Force $DataPath -ErrorAction SilentlyContinue }
        else { Write-Host "State, configuration and logs are kept in $DataPath" }
    }
}
