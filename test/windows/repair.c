/* Repairs the product of an MSI as `msiexec /fa` of Windows does it: by MsiReinstallProductW with the product's code. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <msi.h>
#include <stdio.h>

int wmain(int count, wchar_t **args) {
  MSIHANDLE package;
  wchar_t code[64];
  DWORD size = 64;
  if (count != 2) return 87;
  MsiSetInternalUI(INSTALLUILEVEL_NONE, NULL);
  UINT failed = MsiOpenPackageExW(args[1], MSIOPENPACKAGEFLAGS_IGNOREMACHINESTATE, &package);
  if (failed) return printf("MsiOpenPackageExW: %u\n", failed), (int)failed;
  failed = MsiGetProductPropertyW(package, L"ProductCode", code, &size);
  MsiCloseHandle(package);
  if (failed) return printf("MsiGetProductPropertyW: %u\n", failed), (int)failed;
  failed = MsiReinstallProductW(code, REINSTALLMODE_FILEREPLACE | REINSTALLMODE_MACHINEDATA | REINSTALLMODE_USERDATA);
  printf("MsiReinstallProductW: %u\n", failed);
  return (int)failed;
}
