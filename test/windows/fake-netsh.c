/* What netsh does with reserved ports and rules of the firewall, for Wine, whose own does nothing: a file for each in C:\netsh. */
#include <direct.h>
#include <io.h>
#include <stdio.h>
#include <string.h>

static const char *value(int argc, char **argv, const char *name) {
  for (int at = 1; at < argc; at++)
    if (!strncmp(argv[at], name, strlen(name))) return argv[at] + strlen(name);
  return "";
}

static int has(int argc, char **argv, const char *word) {
  for (int at = 1; at < argc; at++)
    if (!strcmp(argv[at], word)) return 1;
  return 0;
}

int main(int argc, char **argv) {
  char file[300], text[200];
  FILE *stream;
  _mkdir("C:\\netsh");
  if (has(argc, argv, "dynamicport")) {
    printf("Start Port      : 6005\r\nNumber of Ports : 59530\r\n");
    return 0;
  }
  if (has(argc, argv, "show") && has(argc, argv, "excludedportrange")) {
    struct _finddata_t found;
    intptr_t search = _findfirst("C:\\netsh\\port-*", &found);
    printf("Start Port    End Port\r\n----------    --------\r\n");
    for (int more = search != -1; more; more = !_findnext(search, &found))
      printf("     %s       %s     *\r\n", found.name + 5, found.name + 5);
    return 0;
  }
  if (has(argc, argv, "rule")) strcpy(file, "C:\\netsh\\rule");
  else snprintf(file, sizeof file, "C:\\netsh\\port-%s", value(argc, argv, "startport="));
  if (has(argc, argv, "delete")) return remove(file) ? 1 : 0;
  stream = fopen(file, has(argc, argv, "add") ? "w" : "r");
  if (!stream) return 1;
  if (has(argc, argv, "add")) fputs(value(argc, argv, "localport="), stream);
  else if (fgets(text, sizeof text, stream)) printf("Rule Name:    X\r\nLocalPort:    %s\r\n", text);
  fclose(stream);
  return 0;
}
