/* Prints what Windows reads in the bytes of a file: a SERVICE_FAILURE_ACTIONSW that was made for the address 0x20000000. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winsvc.h>
#include <stdio.h>

int wmain(int count, wchar_t **args) {
  SERVICE_FAILURE_ACTIONSW *read = VirtualAlloc((void *)0x20000000, 65536, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
  FILE *file = count == 2 ? _wfopen(args[1], L"rb") : NULL;
  if (!read || !file) return 2;
  if (fread(read, 1, 65536, file) < sizeof *read) return 3;
  printf("forgotten after %lu s\n", read->dwResetPeriod);
  printf("message %ls, command %ls\n", read->lpRebootMsg ? L"some" : L"none", read->lpCommand ? L"some" : L"none");
  for (DWORD at = 0; at < read->cActions; at++)
    printf("%ls after %lu ms\n", read->lpsaActions[at].Type == SC_ACTION_RESTART ? L"restart" : L"something else",
           read->lpsaActions[at].Delay);
  return 0;
}
