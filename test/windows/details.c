/* Prints what Windows shows of a program under Details: the numbers of its version, and its texts in their first language. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdio.h>

static const wchar_t *names[] = { L"CompanyName", L"FileDescription", L"FileVersion", L"InternalName", L"LegalCopyright",
                                  L"OriginalFilename", L"ProductName", L"ProductVersion" };

int wmain(int count, wchar_t **args) {
  static BYTE block[65536];
  VS_FIXEDFILEINFO *fixed;
  struct { WORD language, page; } *first;
  UINT size;
  if (count != 2 || !GetFileVersionInfoW(args[1], 0, sizeof block, block)) return printf("no details: %lu\n", GetLastError()), 1;
  if (!VerQueryValueW(block, L"\\", (void **)&fixed, &size)) return 2;
  printf("file %u.%u.%u.%u\n", HIWORD(fixed->dwFileVersionMS), LOWORD(fixed->dwFileVersionMS),
         HIWORD(fixed->dwFileVersionLS), LOWORD(fixed->dwFileVersionLS));
  if (!VerQueryValueW(block, L"\\VarFileInfo\\Translation", (void **)&first, &size)) return 3;
  for (unsigned at = 0; at < sizeof names / sizeof *names; at++) {
    wchar_t key[128], *text;
    _snwprintf(key, 128, L"\\StringFileInfo\\%04x%04x\\%ls", first->language, first->page, names[at]);
    if (VerQueryValueW(block, key, (void **)&text, &size)) printf("%ls: %ls\n", names[at], text);
  }
  return 0;
}
