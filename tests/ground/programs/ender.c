/* ender NAME CODE: ends the program of that name with that exit code, as the task scheduler ends a task. Where one such
 * program has started another, as a launcher does, only the one that was started is ended. */
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>
#include <tlhelp32.h>

static DWORD ids[256], parents[256];
static int count;

static int is_ours(DWORD id) {
    for (int i = 0; i < count; i++)
        if (ids[i] == id) return 1;
    return 0;
}

int wmain(int argc, wchar_t **argv) {
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0), process;
    DWORD last = 0;
    if (argc != 3) return 2;
    for (BOOL more = Process32FirstW(all, &entry); more && count < 256; more = Process32NextW(all, &entry))
        if (!_wcsicmp(entry.szExeFile, argv[1])) {
            ids[count] = entry.th32ProcessID;
            parents[count++] = entry.th32ParentProcessID;
        }
    for (int i = 0; i < count; i++)
        if (!last || is_ours(parents[i])) last = ids[i];
    process = OpenProcess(PROCESS_TERMINATE, FALSE, last);
    return process && TerminateProcess(process, (UINT)_wtoi(argv[2])) ? 0 : 1;
}
