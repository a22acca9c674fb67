/* zig.exe for Wine: hands folder and arguments to bridge.py over loopback, prints what comes back, ends with its code.

   ZIG_BRIDGE is "PORT:KEY". Paths become those of this machine here, because only Wine knows its drives and its 8.3
   names. Numbers are 4 bytes, big endian; a text is its length and its UTF-8. */
#include <winsock2.h>
#include <windows.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = 123, UNTOLD = 124, BROKEN_OFF = 125 };

typedef char *(__cdecl *unix_name_function)(const wchar_t *);
static unix_name_function unix_name;
static SOCKET bridge;

static void give_up(int code, const char *reason) {
    fprintf(stderr, "zig bridge: %s\n", reason);
    exit(code);
}

static void send_all(const char *bytes, size_t count) {
    while (count > 0) {
        int sent = send(bridge, bytes, (int)count, 0);
        if (sent <= 0) give_up(BROKEN_OFF, "the bridge stopped listening");
        bytes += sent;
        count -= (size_t)sent;
    }
}

static void receive_all(char *bytes, size_t count) {
    while (count > 0) {
        int got = recv(bridge, bytes, (int)count, 0);
        if (got <= 0) give_up(BROKEN_OFF, "the bridge stopped answering");
        bytes += got;
        count -= (size_t)got;
    }
}

static void send_number(uint32_t number) {
    number = htonl(number);
    send_all((char *)&number, sizeof number);
}

static uint32_t receive_number(void) {
    uint32_t number;
    receive_all((char *)&number, sizeof number);
    return ntohl(number);
}

static void send_text(const char *text) {
    send_number((uint32_t)strlen(text));
    send_all(text, strlen(text));
}

static char *memory(size_t size) {
    char *bytes = malloc(size);
    if (!bytes) give_up(BROKEN_OFF, "no memory");
    return bytes;
}

static char *utf8(const wchar_t *wide) {
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = memory((size_t)size);
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    return text;
}

static int is_drive(const wchar_t *p) {
    return ((p[0] | 32) >= 'a' && (p[0] | 32) <= 'z') && p[1] == ':' && (p[2] == '\\' || p[2] == '/');
}

/* "-IZ:\x\y" -> "-I/x/y". Definitions (-D) stay: what looks like a path there is text of the program. */
static void send_argument(wchar_t *argument) {
    wchar_t *path = argument;
    if (wcsncmp(argument, L"-D", 2) == 0) path += wcslen(path);
    while (*path && !is_drive(path)) path++;
    char *found = *path ? unix_name(path) : NULL;
    if (!found) {
        send_text(utf8(argument));
        return;
    }
    *path = 0;
    char *before = utf8(argument), *whole = memory(strlen(before) + strlen(found) + 1);
    strcat(strcpy(whole, before), found);
    send_text(whole);
}

static void connect_to_bridge(void) {
    WSADATA data;
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *where = getenv("ZIG_BRIDGE"), *key = where ? strchr(where, ':') : NULL;
    if (!key) give_up(UNTOLD, "ZIG_BRIDGE is not set");
    WSAStartup(MAKEWORD(2, 2), &data);
    bridge = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = htons((u_short)atoi(where));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(bridge, (struct sockaddr *)&address, sizeof address)) give_up(NOBODY, "nobody answers");
    send_text(key + 1);
}

int wmain(int argc, wchar_t **argv) {
    static wchar_t folder[4096];
    unix_name = (unix_name_function)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "wine_get_unix_file_name");
    if (!unix_name) give_up(NOBODY, "this is not Wine");
    connect_to_bridge();
    GetCurrentDirectoryW(4096, folder);
    send_number((uint32_t)argc);
    send_argument(folder);
    for (int i = 1; i < argc; i++) send_argument(argv[i]);
    for (int stream = 0; stream < 2; stream++) {
        uint32_t size = receive_number();
        char *text = memory(size + 1u);
        receive_all(text, size);
        fwrite(text, 1, size, stream ? stderr : stdout);
    }
    fflush(NULL);
    return (int)receive_number();
}
