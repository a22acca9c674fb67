/* Stands for app\ddns.exe where only packing and installing are looked at. TRIAL and SETTINGS are the exit codes of
 * `--version` and `config validate`; `run` waits for the end of its input, as a run in progress would. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static BOOL ends_with(const WCHAR *text, const WCHAR *end) {
    int length = lstrlenW(text), tail = lstrlenW(end);
    return length >= tail && lstrcmpW(text + length - tail, end) == 0;
}

static void say(const char *text) {
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, lstrlenA(text), &written, NULL);
}

void start(void) {
    const WCHAR *line = GetCommandLineW();
    if (ends_with(line, L"--version")) {
        say("ddns " VERSION "\r\n");
        ExitProcess(TRIAL);
    }
    if (ends_with(line, L"config validate")) ExitProcess(SETTINGS);
    if (ends_with(line, L"run")) {
        char byte;
        DWORD read;
        say("running " VERSION "\r\n");
        while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &read, NULL) && read) continue;
        say("ended " VERSION "\r\n");
    }
    ExitProcess(0);
}
