/* Stands for the program that the launcher starts: of the windowless subsystem, with its caller's console if there is
 * one. Its first argument says what it does; with any other it prints the command line that it was given, in hex. */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

static void print_hex(const wchar_t *text) {
    while (*text) printf("%04x", *text++);
    putchar('\n');
    fflush(stdout);
}

/* Tell driver.c that this process is here, and let it see the end of it. */
static void show_up(void) {
    CreateMutexW(NULL, TRUE, L"ddns-child");
    SetEvent(CreateEventW(NULL, TRUE, FALSE, L"ddns-ready"));
}

static BOOL WINAPI on_event(DWORD event) {
    ExitProcess(100 + event);
}

int wmain(int count, wchar_t **arguments) {
    const wchar_t *what = count > 1 ? arguments[1] : L"";
    wchar_t path[4096];
    char bytes[4096];
    int size;
    if (!wcscmp(what, L"exit")) return (int)wcstoul(arguments[2], NULL, 10);
    if (!wcscmp(what, L"where")) {
        GetModuleFileNameW(NULL, path, 4096);
        print_hex(path);
        return 0;
    }
    if (!wcscmp(what, L"echo")) {
        _setmode(0, _O_BINARY);
        _setmode(1, _O_BINARY);
        fputs("ready\n", stderr);
        fflush(stderr);
        while ((size = _read(0, bytes, sizeof bytes)) > 0) _write(1, bytes, (unsigned)size);
        fputs("done\n", stderr);
        return 3;
    }
    if (!wcscmp(what, L"wait")) {
        AttachConsole(ATTACH_PARENT_PROCESS);
        SetConsoleCtrlHandler(on_event, TRUE);
        puts("ready");
        fflush(stdout); /* before the event: who hears of it may end us at once */
        show_up();
        Sleep(INFINITE);
    }
    print_hex(GetCommandLineW());
    return 0;
}
