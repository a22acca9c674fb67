/* bin\ddns.exe: starts the current version of the program and is, for whoever called it, that program.
 *
 * The program itself belongs to the windowless subsystem, so that a task shows no window; no shell waits for such a
 * program. This one belongs to the console subsystem: it waits, and ends with the program's exit code.
 *
 * It has no C runtime and imports KERNEL32 alone, which Windows never loads from the folder of an exe.
 * docs/design/launcher.md has its contract. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum { USAGE = 2, BAD_CURRENT = 30, NO_PROGRAM = 31, BAD_PROGRAM = 32 };

/* Longest path and longest command line of Windows, with the final zero. */
#define LONGEST 32768
/* `current`: 99999.99999.99999 and CR LF. */
#define LONGEST_CURRENT 19
/* Whoever swaps `current` holds it for an instant. */
#define TRIES 10
#define PAUSE_MS 20

/* Static, for a function's big frame would call the C runtime's stack probe. */
static const WCHAR REPAIR[] = L"Run Deploy-DDNS.ps1 again, or repair the installation in Programs and Features.";
static WCHAR root[LONGEST], current[LONGEST], program[LONGEST], command[LONGEST], message[2 * LONGEST];
static char utf8[3 * 2 * LONGEST];

static int length(const WCHAR *text) {
    int count = 0;
    while (text[count]) count++;
    return count;
}

/* FALSE, and `to` as it was, when it would get longer than `size` with its final zero. */
static BOOL append(WCHAR *to, int size, const WCHAR *text) {
    int at = length(to), more = length(text);
    if (at + more >= size) return FALSE;
    for (int i = 0; i <= more; i++) to[at + i] = text[i];
    return TRUE;
}

static void add(const WCHAR *text) { append(message, 2 * LONGEST, text); }

static void add_number(DWORD number, DWORD base) {
    WCHAR digits[16] = {0};
    int at = 15;
    do digits[--at] = L"0123456789ABCDEF"[number % base];
    while (number /= base);
    add(digits + at);
}

/* Say `what` of `path`, with the number that Windows gave if any, and what to do; end with `code`. */
static void fail(UINT code, const WCHAR *what, const WCHAR *path, DWORD number, const WCHAR *advice) {
    HANDLE to = GetStdHandle(STD_ERROR_HANDLE);
    DWORD mode, written;
    add(L"ddns: ");
    add(what);
    add(path);
    if (number) {
        add(number >= 0xC0000000 ? L" (Windows status 0x" : L" (Windows error ");
        add_number(number, number >= 0xC0000000 ? 16 : 10);
        add(L")");
    }
    add(L"\r\n");
    add(advice);
    add(L"\r\n");
    if (GetConsoleMode(to, &mode)) {
        WriteConsoleW(to, message, (DWORD)length(message), &written, NULL);
    } else {
        int size = WideCharToMultiByte(CP_UTF8, 0, message, length(message), utf8, sizeof utf8, NULL, NULL);
        WriteFile(to, utf8, (DWORD)size, &written, NULL);
    }
    ExitProcess(code);
}

/* Three numbers of one to five digits with dots between them, and at most one line end. Nothing that could name a
 * folder other than one below `root` passes. */
static BOOL is_version(const char *text, DWORD size, WCHAR *version) {
    DWORD at = 0;
    for (int part = 0; part < 3; part++) {
        DWORD first = at + (part > 0);
        if (part > 0 && (at == size || text[at++] != '.')) return FALSE;
        while (at < size && text[at] >= '0' && text[at] <= '9') at++;
        if (at == first || at - first > 5) return FALSE;
    }
    for (DWORD i = 0; i < at; i++) version[i] = (WCHAR)text[i];
    version[at] = 0;
    if (at == size) return TRUE;
    if (text[at] == '\r') at++;
    return at + 1 == size && text[at] == '\n';
}

/* The name of the current version's folder; without a file `current` it is that of the MSI. */
static void find_version(WCHAR *version) {
    char text[LONGEST_CURRENT + 1];
    DWORD size = 0, error = 0, all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE file = INVALID_HANDLE_VALUE;
    for (int tries = 0; tries < TRIES; tries++) {
        if (tries > 0) Sleep(PAUSE_MS);
        file = CreateFileW(current, GENERIC_READ, all, NULL, OPEN_EXISTING, 0, NULL);
        if (file != INVALID_HANDLE_VALUE) break;
        error = GetLastError();
        if (error != ERROR_SHARING_VIOLATION && error != ERROR_ACCESS_DENIED) break;
    }
    if (file == INVALID_HANDLE_VALUE && error == ERROR_FILE_NOT_FOUND) {
        append(version, LONGEST_CURRENT + 1, L"msi");
        return;
    }
    if (file == INVALID_HANDLE_VALUE || !ReadFile(file, text, sizeof text, &size, NULL))
        fail(BAD_CURRENT, L"can't read ", current, GetLastError(),
             L"It names the version to start. Run Deploy-DDNS.ps1 again; it writes the file anew.");
    CloseHandle(file);
    if (size > LONGEST_CURRENT || !is_version(text, size, version))
        fail(BAD_CURRENT, L"this file must hold a version such as 1.2.3 and nothing else: ", current, 0,
             L"Run Deploy-DDNS.ps1 again; it writes the file anew.");
}

/* The command line without the launcher's own name, with the blanks that follow it: what the C runtime takes for
 * the first argument, quotes and all. */
static const WCHAR *arguments(void) {
    const WCHAR *at = GetCommandLineW();
    BOOL quoted = FALSE;
    for (; *at && (quoted || (*at != L' ' && *at != L'\t')); at++)
        if (*at == L'"') quoted = !quoted;
    return at;
}

/* Cut the last part off a path; FALSE when there is only one. */
static BOOL cut(WCHAR *path) {
    int at = length(path);
    while (at > 0 && path[--at] != L'\\') {}
    path[at] = 0;
    return at > 0;
}

/* Fill `root` (the folder above the launcher's), `current` and `program`. */
static void find_program(void) {
    WCHAR version[LONGEST_CURRENT + 1] = {0};
    DWORD size = GetModuleFileNameW(NULL, root, LONGEST);
    BOOL found = size > 0 && size < LONGEST && cut(root) && append(current, LONGEST, root) && cut(root);
    if (!found || !append(current, LONGEST, L"\\current"))
        fail(NO_PROGRAM, L"the launcher does not lie in the folder bin of an installation", L"", 0, REPAIR);
    find_version(version);
    found = append(program, LONGEST, root) && append(program, LONGEST, L"\\") && append(program, LONGEST, version);
    if (!found || !append(program, LONGEST, L"\\app\\ddns.exe"))
        fail(NO_PROGRAM, L"the path is too long: ", root, 0, REPAIR);
}

/* Shells leave Ctrl-C to the program, which has the same console and gets it too. That a console closes is waited
 * for here: to return would end the launcher, and with it the program in the middle of its last write. */
static BOOL WINAPI on_console_event(DWORD event) {
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return TRUE;
}

/* A job that ends its processes when the launcher, however that comes, is no more. */
static HANDLE new_job(void) {
    static JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

static void start_program(PROCESS_INFORMATION *started) {
    static STARTUPINFOW how = {.cb = sizeof how, .dwFlags = STARTF_USESTDHANDLES | STARTF_FORCEOFFFEEDBACK};
    how.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    how.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    how.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    append(command, LONGEST, L"\"");
    append(command, LONGEST, program);
    append(command, LONGEST, L"\"");
    if (!append(command, LONGEST, arguments()))
        fail(USAGE, L"the command line is too long for ", program, 0, L"Give it fewer or shorter arguments.");
    if (CreateProcessW(program, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &how, started)) return;
    DWORD error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
        fail(NO_PROGRAM, L"the program is not there: ", program, 0, REPAIR);
    fail(BAD_PROGRAM, L"Windows does not start ", program, error, REPAIR);
}

/* What Windows ends a process with whose exe or DLLs it can't load: missing, damaged, of another machine. */
static BOOL never_ran(DWORD code) {
    return code == 0xC0000135 || code == 0xC000007B || code == 0xC0000138 || code == 0xC0000139 || code == 0xC0000142;
}

void start(void) {
    static PROCESS_INFORMATION started;
    DWORD code = BAD_PROGRAM;
    SetErrorMode(SEM_FAILCRITICALERRORS); /* inherited: a missing DLL is an exit code, not a box to be clicked away */
    SetConsoleCtrlHandler(on_console_event, TRUE);
    find_program();
    HANDLE job = new_job();
    start_program(&started);
    AssignProcessToJobObject(job, started.hProcess); /* refused in a job that allows no others: then it runs as well */
    ResumeThread(started.hThread);
    WaitForSingleObject(started.hProcess, INFINITE);
    GetExitCodeProcess(started.hProcess, &code);
    if (never_ran(code))
        fail(BAD_PROGRAM, L"it does not start, for a file of it is missing or damaged: ", program, code, REPAIR);
    ExitProcess(code);
}
