// Included before every file of QuickJS. Where it sees WASI, it does not watch the depth of its calls, so that a script that calls
// itself without end would take its cell down instead of getting a RangeError that it can catch. The C library needs to see WASI,
// which it does here; QuickJS then does not.
#include <malloc.h>
#include <wasi/api.h>
#undef __wasi__
