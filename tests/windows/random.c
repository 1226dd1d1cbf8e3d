/* bcryptprimitives.dll for releases of wine that lack it (before 9): all that Rust's standard library wants of it. */
#include <windows.h>
#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return RtlGenRandom(data, (ULONG)length);
}
