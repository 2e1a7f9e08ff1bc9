/*
 * A stand-in for wevtapi.dll, strict where Windows is: unknown flags, handles of the wrong kind and buffers that are too
 * small are refused with the error that Windows documents. Built by the test with mingw from the real headers.
 *
 * The folder in FAKE_LOG holds the log: `<serial>.ctl` files, taken up in their order by every call, one command each:
 *   write FIRST COUNT      records with numbers from FIRST (0: go on counting)
 *   clear | clear_anew     no records; the second also numbers from 1
 *   keep COUNT             only the newest: the log has wrapped
 *   fail CALL CODE TIMES   the next TIMES calls of that name fail
 *   large                  the next record is larger than 16 KiB
 *   down | up              the service does not answer (1722)
 *   restart                every subscription is deaf from now on, without an error
 *   crash                  ends the process in the next EvtNext
 *   during COUNT           COUNT records are written right after the next EvtNext has found no more
 * Every process that loads the library replays all commands from the first, so the log outlives readers; what fails
 * once must not fail again after a restart, so a `fail`, `crash` or `during` that was used leaves `<serial>.done`.
 */
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0601
#include <windows.h>
#include <winevt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_RECORDS 20000
#define MAX_HANDLES 4096
#define MAX_FAILS 256

typedef struct { DWORD id; unsigned long long serial; int large; } Record;
typedef enum { FREE, SUBSCRIPTION, QUERY, EVENT, BOOKMARK } Kind;
typedef struct {
  Kind kind;
  HANDLE signal;
  unsigned long long serial;
  DWORD id;
  unsigned clears;
  unsigned restarts;
  int moved, reverse, one;
} Object;
typedef struct { char call[32]; DWORD code; int left, command; } Fail;

static Record records[MAX_RECORDS];
static int count;
static Object objects[MAX_HANDLES];
static Fail fails[MAX_FAILS];
static int failCount, nextCommand = 1, down, large, crashing, duringCount, duringCommand;
static DWORD nextId = 1;
static unsigned long long nextSerial = 1;
static unsigned clears, restarts;
static DWORD open_count;

static const char *folder(void) { const char *at = getenv("FAKE_LOG"); return at ? at : "C:\\fake-log"; }

static int done(int command) {
  char path[MAX_PATH];
  snprintf(path, sizeof path, "%s\\%d.done", folder(), command);
  return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

static void markDone(int command) {
  char path[MAX_PATH];
  snprintf(path, sizeof path, "%s\\%d.done", folder(), command);
  FILE *file = fopen(path, "w");
  if (file) fclose(file);
}

static void signalAll(void) {
  for (int i = 1; i < MAX_HANDLES; i++)
    if (objects[i].kind == SUBSCRIPTION && objects[i].restarts == restarts) SetEvent(objects[i].signal);
}

static void writeRecords(DWORD first, int howMany) {
  if (first) nextId = first;
  for (int i = 0; i < howMany && count < MAX_RECORDS; i++) {
    records[count].id = nextId++;
    records[count].serial = nextSerial++;
    records[count].large = large;
    large = 0;
    count++;
  }
  signalAll();
}

static void clearAll(int anew) {
  count = 0;
  clears++;
  if (anew) nextId = 1;
}

static void obey(int command, const char *line) {
  char word[32] = "", call[32] = "";
  unsigned a = 0, b = 0;
  sscanf(line, "%31s", word);
  if (!strcmp(word, "write") && sscanf(line, "%*s %u %u", &a, &b) == 2) writeRecords(a, (int)b);
  else if (!strcmp(word, "clear")) clearAll(0);
  else if (!strcmp(word, "clear_anew")) clearAll(1);
  else if (!strcmp(word, "keep") && sscanf(line, "%*s %u", &a) == 1) {
    int drop = count > (int)a ? count - (int)a : 0;
    memmove(records, records + drop, sizeof *records * (count - drop));
    count -= drop;
  } else if (!strcmp(word, "fail") && sscanf(line, "%*s %31s %u %u", call, &a, &b) == 3) {
    if (!done(command) && failCount < MAX_FAILS) {
      Fail *fail = &fails[failCount++];
      strcpy(fail->call, call);
      fail->code = a;
      fail->left = (int)b;
      fail->command = command;
    }
  } else if (!strcmp(word, "large")) large = 1;
  else if (!strcmp(word, "down")) down = 1;
  else if (!strcmp(word, "up")) { down = 0; restarts++; }
  else if (!strcmp(word, "restart")) restarts++;
  else if (!strcmp(word, "crash")) { if (!done(command)) crashing = command; }
  else if (!strcmp(word, "during") && sscanf(line, "%*s %u", &a) == 1) {
    if (done(command)) writeRecords(0, (int)a);
    else { duringCount = (int)a; duringCommand = command; }
  } else { fprintf(stderr, "fake wevtapi: command %d not understood: %s\n", command, line); ExitProcess(99); }
}

static void takeUp(void) {
  for (;; nextCommand++) {
    char path[MAX_PATH], line[256];
    snprintf(path, sizeof path, "%s\\%d.ctl", folder(), nextCommand);
    FILE *file = fopen(path, "r");
    if (!file) return;
    if (!fgets(line, sizeof line, file)) { fclose(file); return; }
    fclose(file);
    obey(nextCommand, line);
  }
}

/* A thread of ours looks for commands, so that records signal as they do on Windows: without a call of the reader. */
static CRITICAL_SECTION guard;
static DWORD WINAPI look(LPVOID unused) {
  (void)unused;
  for (;;) {
    EnterCriticalSection(&guard);
    takeUp();
    LeaveCriticalSection(&guard);
    Sleep(50);
  }
  return 0;
}

BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved) {
  (void)library; (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) {
    HMODULE self;
    /* Our thread must not outlive the code that it runs. */
    GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCSTR)look, &self);
    InitializeCriticalSection(&guard);
    CreateThread(NULL, 0, look, NULL, 0, NULL);
  }
  return TRUE;
}

static int refused(const char *call) {
  takeUp();
  if (down) { SetLastError(RPC_S_SERVER_UNAVAILABLE); return 1; }
  for (int i = 0; i < failCount; i++) {
    if (fails[i].left > 0 && !strcmp(fails[i].call, call)) {
      if (--fails[i].left == 0) markDone(fails[i].command);
      SetLastError(fails[i].code);
      return 1;
    }
  }
  return 0;
}

static EVT_HANDLE handleFor(Kind kind, Object **object) {
  for (int i = 1; i < MAX_HANDLES; i++) {
    if (objects[i].kind != FREE) continue;
    memset(&objects[i], 0, sizeof objects[i]);
    objects[i].kind = kind;
    *object = &objects[i];
    open_count++;
    return (EVT_HANDLE)(INT_PTR)(0x10000 + i);
  }
  fprintf(stderr, "fake wevtapi: handles leak\n");
  ExitProcess(98);
  return NULL;
}

static Object *objectOf(EVT_HANDLE handle, Kind kind) {
  INT_PTR at = (INT_PTR)handle - 0x10000;
  if (at < 1 || at >= MAX_HANDLES || objects[at].kind != kind) { SetLastError(ERROR_INVALID_HANDLE); return NULL; }
  return &objects[at];
}

static Record *recordWith(DWORD id) {
  for (int i = 0; i < count; i++) if (records[i].id == id) return &records[i];
  return NULL;
}

static int isChannel(LPCWSTR channel) {
  if (channel && (!lstrcmpiW(channel, L"Application") || !lstrcmpiW(channel, L"ForwardedEvents"))) return 1;
  SetLastError(ERROR_EVT_CHANNEL_NOT_FOUND);
  return 0;
}

/* Only the two shapes that we are asked for, and `*`. */
static int isQuery(LPCWSTR query, DWORD *id) {
  *id = 0;
  if (query && (!lstrcmpW(query, L"*") || wcsstr(query, L"@Name='MSExchangeTransport'"))) return 1;
  if (query && swscanf(query, L"*[System[(EventRecordID=%lu)]]", id) == 1) return 1;
  SetLastError(ERROR_EVT_INVALID_QUERY);
  return 0;
}

#define ENTER EnterCriticalSection(&guard)
#define LEAVE(value) do { DWORD error_ = GetLastError(); LeaveCriticalSection(&guard); SetLastError(error_); return (value); } while (0)

EVT_HANDLE WINAPI EvtSubscribe(EVT_HANDLE session, HANDLE signal, LPCWSTR channel, LPCWSTR query, EVT_HANDLE bookmark,
                               PVOID context, EVT_SUBSCRIBE_CALLBACK callback, DWORD flags) {
  Object *subscription, *mark = NULL;
  Record *found = NULL;
  DWORD id, error = 0;
  ENTER;
  DWORD start = flags & EvtSubscribeOriginMask;
  if (refused("EvtSubscribe")) LEAVE(NULL);
  /* Pull: a signal and no callback. */
  if (session || context || callback || !signal) error = ERROR_INVALID_PARAMETER;
  if (flags & ~(DWORD)(EvtSubscribeOriginMask | EvtSubscribeStrict)) error = ERROR_INVALID_PARAMETER;
  if (start != EvtSubscribeStartAtOldestRecord && start != EvtSubscribeStartAfterBookmark) error = ERROR_INVALID_PARAMETER;
  if ((start == EvtSubscribeStartAfterBookmark) != (bookmark != NULL)) error = ERROR_INVALID_PARAMETER;
  if (error) { SetLastError(error); LEAVE(NULL); }
  if (!isChannel(channel) || !isQuery(query, &id)) LEAVE(NULL);
  if (bookmark) {
    if (!(mark = objectOf(bookmark, BOOKMARK))) LEAVE(NULL);
    found = recordWith(mark->id);
    if (!found && (flags & EvtSubscribeStrict)) { SetLastError(ERROR_NOT_FOUND); LEAVE(NULL); }
  }
  EVT_HANDLE handle = handleFor(SUBSCRIPTION, &subscription);
  subscription->signal = signal;
  subscription->serial = found ? found->serial : 0;
  subscription->clears = clears;
  subscription->restarts = restarts;
  SetEvent(signal);
  LEAVE(handle);
}

EVT_HANDLE WINAPI EvtQuery(EVT_HANDLE session, LPCWSTR channel, LPCWSTR query, DWORD flags) {
  Object *results;
  DWORD id;
  ENTER;
  if (refused("EvtQuery")) LEAVE(NULL);
  if (session || flags != (EvtQueryChannelPath | EvtQueryReverseDirection)) {
    SetLastError(ERROR_INVALID_PARAMETER);
    LEAVE(NULL);
  }
  if (!isChannel(channel) || !isQuery(query, &id)) LEAVE(NULL);
  EVT_HANDLE handle = handleFor(QUERY, &results);
  results->reverse = 1;
  results->id = id;
  results->serial = ~0ULL;
  LEAVE(handle);
}

static BOOL give(Record *record, EVT_HANDLE *into) {
  Object *event;
  *into = handleFor(EVENT, &event);
  event->serial = record->serial;
  event->id = record->id;
  event->moved = record->large;
  return TRUE;
}

BOOL WINAPI EvtNext(EVT_HANDLE set, DWORD size, EVT_HANDLE *events, DWORD timeout, DWORD flags, PDWORD returned) {
  Object *from;
  ENTER;
  if (flags || timeout || !events || !returned || !size || size > 1024) { SetLastError(ERROR_INVALID_PARAMETER); LEAVE(FALSE); }
  *returned = 0;
  if ((from = objectOf(set, QUERY))) {
    for (int i = count - 1; i >= 0 && *returned < size; i--) {
      if (from->id && records[i].id != from->id) continue;
      if (records[i].serial >= from->serial) continue;
      give(&records[i], &events[(*returned)++]);
      from->serial = records[i].serial;
    }
    if (!*returned) SetLastError(ERROR_NO_MORE_ITEMS);
    LEAVE(*returned > 0);
  }
  if (!(from = objectOf(set, SUBSCRIPTION))) LEAVE(FALSE);
  if (crashing) { markDone(crashing); TerminateProcess(GetCurrentProcess(), 0xC0000005); }
  int isRefused = refused("EvtNext");
  DWORD failure = GetLastError();
  if (!isRefused && from->clears != clears) { SetLastError(ERROR_EVT_QUERY_RESULT_STALE); LEAVE(FALSE); }
  /* 4317 is not a failure but the way in which a real log says that there is nothing new. */
  int moves = !isRefused || failure != ERROR_INVALID_OPERATION;
  if (from->restarts == restarts && moves) {
    for (int i = 0; i < count && *returned < size; i++) {
      if (records[i].serial <= from->serial) continue;
      from->serial = records[i].serial;
      if (isRefused) { (*returned)++; continue; }
      give(&records[i], &events[(*returned)++]);
    }
  }
  if (isRefused) { *returned = 0; SetLastError(failure); LEAVE(FALSE); }
  if (*returned) LEAVE(TRUE);
  if (duringCount) {
    int howMany = duringCount;
    duringCount = 0;
    markDone(duringCommand);
    writeRecords(0, howMany);
  }
  SetLastError(ERROR_NO_MORE_ITEMS);
  LEAVE(FALSE);
}

static void eventXml(const Object *event, WCHAR *into, size_t room) {
  /* The serial makes the time: a cleared log gives a number again, but never the time. */
  __time64_t at = FIRST_SECOND + event->serial;
  const struct tm *time = _gmtime64(&at);
  WCHAR filler[20001] = L"";
  if (event->moved) for (int i = 0; i < 20000; i++) filler[i] = L'x';
  _snwprintf(into, room,
    L"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='MSExchangeTransport'/>"
    L"<EventID Qualifiers='32772'>2002</EventID><Level>3</Level><Task>2</Task><Keywords>0x80000000000000</Keywords>"
    L"<TimeCreated SystemTime='%04d-%02d-%02dT%02d:%02d:%02d.0000000Z'/><EventRecordID>%lu</EventRecordID>"
    L"<Channel>Application</Channel><Computer>EXCH01.contoso.example</Computer><Security/></System>"
    L"<EventData><Data>Ausgehend f\x00FCr B\x00FCro</Data><Data>203.0.113.25:25</Data><Data>%s</Data></EventData></Event>",
    time->tm_year + 1900, time->tm_mon + 1, time->tm_mday, time->tm_hour, time->tm_min, time->tm_sec,
    (unsigned long)event->id, filler);
}

static WCHAR text[40000];

BOOL WINAPI EvtRender(EVT_HANDLE context, EVT_HANDLE fragment, DWORD flags, DWORD size, PVOID buffer, PDWORD used, PDWORD properties) {
  Object *object;
  ENTER;
  if (context || !used || !properties || (size && !buffer)) { SetLastError(ERROR_INVALID_PARAMETER); LEAVE(FALSE); }
  if (flags == EvtRenderEventXml) {
    if (refused("EvtRender")) LEAVE(FALSE);
    if (!(object = objectOf(fragment, EVENT))) LEAVE(FALSE);
    eventXml(object, text, 40000);
  } else if (flags == EvtRenderBookmark) {
    if (!(object = objectOf(fragment, BOOKMARK))) LEAVE(FALSE);
    _snwprintf(text, 40000, L"<BookmarkList>\r\n  <Bookmark Channel='Application' RecordId='%lu' IsCurrent='true'/>\r\n</BookmarkList>",
               (unsigned long)object->id);
  } else { SetLastError(ERROR_INVALID_PARAMETER); LEAVE(FALSE); }
  DWORD needed = (DWORD)((wcslen(text) + 1) * sizeof(WCHAR));
  *used = needed;
  *properties = 0;
  if (size < needed) { SetLastError(ERROR_INSUFFICIENT_BUFFER); LEAVE(FALSE); }
  memcpy(buffer, text, needed);
  LEAVE(TRUE);
}

EVT_HANDLE WINAPI EvtCreateBookmark(LPCWSTR xml) {
  Object *bookmark;
  unsigned long id = 0;
  ENTER;
  if (xml) {
    LPCWSTR at = wcsstr(xml, L"RecordId='");
    if (!wcsstr(xml, L"<BookmarkList") || !at || swscanf(at, L"RecordId='%lu'", &id) != 1) {
      SetLastError(ERROR_INVALID_PARAMETER);
      LEAVE(NULL);
    }
  }
  EVT_HANDLE handle = handleFor(BOOKMARK, &bookmark);
  bookmark->id = id;
  LEAVE(handle);
}

BOOL WINAPI EvtUpdateBookmark(EVT_HANDLE bookmark, EVT_HANDLE event) {
  Object *mark, *at;
  ENTER;
  if (!(mark = objectOf(bookmark, BOOKMARK)) || !(at = objectOf(event, EVENT))) LEAVE(FALSE);
  mark->id = at->id;
  LEAVE(TRUE);
}

BOOL WINAPI EvtClose(EVT_HANDLE handle) {
  INT_PTR at = (INT_PTR)handle - 0x10000;
  ENTER;
  if (at < 1 || at >= MAX_HANDLES || objects[at].kind == FREE) {
    fprintf(stderr, "fake wevtapi: a handle is closed twice\n");
    ExitProcess(97);
  }
  objects[at].kind = FREE;
  open_count--;
  LEAVE(TRUE);
}
