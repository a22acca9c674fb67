/* trust FILE...: puts certificates (DER) among the root authorities of this Windows, as a policy of the domain does. */
#include <stdio.h>
#include <windows.h>
#include <wincrypt.h>
int wmain(int argc, wchar_t **argv) {
    static BYTE der[65536];
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, L"Root");
    for (int i = 1; i < argc; i++) {
        FILE *file = _wfopen(argv[i], L"rb");
        DWORD size = file ? (DWORD)fread(der, 1, sizeof der, file) : 0;
        DWORD how = CERT_STORE_ADD_REPLACE_EXISTING;
        if (!size || !CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, size, how, 0)) return 1;
        fclose(file);
    }
    return CertCloseStore(store, 0) ? 0 : 1;
}
