/* Starts programs as a test wants them started. Each line of standard input: a word, a program's path and its whole
 * command line, both in hex of UTF-16. The program's output comes first, then a line "\x1e" and the result.
 *   run   wait for it; the result is its exit code
 *   kill  end it while its child works (child.c, wait); the result tells whether the child is gone
 *   hold  keep the file whose path is given as the program open, shared with nobody, to the end of this driver */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

static char line[4 * 70000];
static wchar_t program[33000], command[66000];

static void from_hex(const char *hex, wchar_t *text) {
    unsigned unit;
    for (; sscanf(hex, "%4x", &unit) == 1; hex += 4) *text++ = (wchar_t)unit;
    *text = 0;
}

static void act(const char *word) {
    STARTUPINFOW how = {.cb = sizeof how};
    PROCESS_INFORMATION started;
    DWORD code = 0;
    HANDLE ready = CreateEventW(NULL, TRUE, FALSE, L"ddns-ready");
    if (!strcmp(word, "hold")) {
        HANDLE file = CreateFileW(program, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
        printf("\x1e%s\n", file == INVALID_HANDLE_VALUE ? "failed" : "held");
        return;
    }
    if (!CreateProcessW(program, command, NULL, NULL, TRUE, 0, NULL, NULL, &how, &started)) {
        printf("\x1enot started %lu\n", GetLastError());
        return;
    }
    if (strcmp(word, "run")) {
        HANDLE both[2] = {ready, started.hProcess};
        if (WaitForMultipleObjects(2, both, FALSE, 30000) != WAIT_OBJECT_0) {
            printf("\x1enever ready\n");
            return;
        }
    }
    if (!strcmp(word, "kill")) {
        HANDLE child = OpenMutexW(SYNCHRONIZE, FALSE, L"ddns-child");
        TerminateProcess(started.hProcess, 1);
        printf("\x1e%s\n", WaitForSingleObject(child, 30000) == WAIT_ABANDONED ? "gone" : "alive");
        return;
    }
    WaitForSingleObject(started.hProcess, 60000);
    GetExitCodeProcess(started.hProcess, &code);
    printf("\x1e%lu\n", code);
}

int main(void) {
    char word[8];
    while (fgets(line, sizeof line, stdin)) {
        char *second = strchr(line, ' '), *third = second ? strchr(second + 1, ' ') : NULL;
        if (!third || sscanf(line, "%7s", word) != 1) return 2;
        *third = 0;
        from_hex(second + 1, program);
        from_hex(third + 1, command);
        act(word);
        fflush(stdout);
    }
    return 0;
}
