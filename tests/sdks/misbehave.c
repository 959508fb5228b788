/* Does what it should not: `{"crime": "memory" | "spin" | "log"}`. */
#include "hotcell.h"

static cJSON *misbehave(const cJSON *plan) {
    const char *crime = hotcell_string(plan, "crime");
    /* What nobody could see, the compiler leaves out. */
    static volatile char *kept;
    while (strcmp(crime, "memory") == 0) kept = memset(hotcell_allocate(1 << 20), 1, 1 << 20);
    (void)kept;
    volatile int spinning = strcmp(crime, "spin") == 0;
    while (spinning) continue;
    for (int line = 0; line < 20000; line++) hotcell_log("line %d of a flood that nobody reads", line);
    return cJSON_CreateString(crime);
}

HOTCELL_TASK(misbehave)
