/* python.exe of a Windows CPython, as Wine 8 bears it. It is for building only and gets into no package. */
#include <Python.h>

int wmain(int argc, wchar_t **argv) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = PyConfig_SetArgv(&config, argc, argv);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    /* shutil.copy2 calls CopyFile2 where there is one, and that ends the process in Wine 8. */
    PyObject *winapi = PyImport_ImportModule("_winapi");
    if (!winapi || PyObject_DelAttrString(winapi, "CopyFile2")) PyErr_Clear();
    Py_XDECREF(winapi);
    return Py_RunMain();
}
