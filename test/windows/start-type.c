/* Sets how Windows starts a service, as `sc config NAME start= ...` does, which Wine has not: start-type NAME 4. */
#include <stdlib.h>
#include <windows.h>

int main(int argc, char **argv) {
  SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
  SC_HANDLE service = argc == 3 ? OpenServiceA(manager, argv[1], SERVICE_CHANGE_CONFIG) : NULL;
  DWORD same = SERVICE_NO_CHANGE;
  if (!service) return 2;
  return !ChangeServiceConfigA(service, same, atoi(argv[2]), same, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}
