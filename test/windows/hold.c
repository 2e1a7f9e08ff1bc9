/* Opens a file with a share mode (letters of r, w, d; - for none), says so, and holds it until the file `<file>.let-go` appears. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  char letGo[MAX_PATH];
  snprintf(letGo, sizeof letGo, "%s.let-go", argv[1]);
  DWORD share = (strchr(argv[2], 'r') ? FILE_SHARE_READ : 0) | (strchr(argv[2], 'w') ? FILE_SHARE_WRITE : 0) |
                (strchr(argv[2], 'd') ? FILE_SHARE_DELETE : 0);
  HANDLE file = CreateFileA(argv[1], GENERIC_READ, share, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) { printf("error %lu\n", GetLastError()); return 1; }
  printf("held\n");
  fflush(stdout);
  while (GetFileAttributesA(letGo) == INVALID_FILE_ATTRIBUTES) Sleep(20);
  CloseHandle(file);
  return 0;
}
