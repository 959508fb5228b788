/* hotcell for C: a task is a function from JSON to JSON.
 *
 *     #include "hotcell.h"
 *
 *     static cJSON *price(const cJSON *order) {
 *         int64_t quantity = hotcell_integer(order, "quantity");
 *         if (quantity == 0) hotcell_refuse(422, "Order refused", "an order needs at least one piece");
 *         hotcell_log("%" PRId64 " pieces", quantity);
 *         cJSON *priced = cJSON_CreateObject();
 *         cJSON_AddNumberToObject(priced, "cents", 1999.0 * quantity);
 *         return priced;
 *     }
 *
 *     HOTCELL_TASK(price)
 *
 * Built by clang for wasm32-wasi, the program is a WASI command: hotcell runs it in a fresh cell for every call, gives it the input
 * on standard input, and takes the output, or the problem, from standard output and the exit code. Standard output belongs to this
 * header; write to standard error, or with hotcell_log. A cell lives for one call: nothing has to be freed.
 *
 * JSON is read and made with cJSON (MIT licence), in cjson/. Its numbers are doubles: integers are exact up to 2^53.
 */
#ifndef HOTCELL_H
#define HOTCELL_H

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cjson/cJSON.h"

/* The kinds of problems that the specification names. A task may use any other URI reference for kinds of its own. */
#define HOTCELL_KIND(name) "https://open-workflow-specification.org/spec/1.0.0/errors/" name
#define HOTCELL_VALIDATION HOTCELL_KIND("validation")
#define HOTCELL_RUNTIME HOTCELL_KIND("runtime")

#define HOTCELL_FORMAT(text, first) __attribute__((format(printf, text, first)))

/* Writes a log line. */
HOTCELL_FORMAT(1, 2) static inline void hotcell_log(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

/* Memory, or the end: an abort after memory was refused is the problem "Memory limit". JSON that is missing a part, because nobody
 * looked whether there was memory for it, would be worse. */
static inline void *hotcell_allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL) {
        hotcell_log("there is no memory for %zu more bytes", size);
        abort();
    }
    return memory;
}

/* Ends the task with this JSON as its output and this exit code. */
_Noreturn static inline void hotcell_end(const cJSON *answer, int code) {
    char *text = cJSON_PrintUnformatted(answer);
    if (text == NULL) {
        hotcell_log("the output cannot be told in JSON");
        exit(EXIT_FAILURE);
    }
    fputs(text, stdout);
    exit(fflush(stdout) == 0 ? code : EXIT_FAILURE);
}

/* Ends the task with problem details (RFC 9457): any members, of which `type`, `status`, `title` and `detail` are the usual ones. The
 * workflow can catch it by any of them. */
_Noreturn static inline void hotcell_problem(const cJSON *members) { hotcell_end(members, EXIT_FAILURE); }

/* Problem details to which members can be added before hotcell_problem ends the task. A `type` of NULL is HOTCELL_RUNTIME. */
static inline cJSON *hotcell_problem_details(const char *type, int status, const char *title, const char *detail) {
    cJSON *members = cJSON_CreateObject();
    cJSON_AddStringToObject(members, "type", type != NULL ? type : HOTCELL_RUNTIME);
    cJSON_AddNumberToObject(members, "status", status);
    if (title != NULL) cJSON_AddStringToObject(members, "title", title);
    if (detail != NULL) cJSON_AddStringToObject(members, "detail", detail);
    return members;
}

_Noreturn static inline void hotcell_refuse_as(const char *type, int status, const char *title, const char *format,
                                               va_list values) {
    char detail[1024];
    vsnprintf(detail, sizeof detail, format, values);
    hotcell_problem(hotcell_problem_details(type, status, title, detail));
}

/* Ends the task with a problem: a status, a title that is the same for every problem of the kind, and what happened this time. */
HOTCELL_FORMAT(3, 4) _Noreturn static inline void hotcell_refuse(int status, const char *title, const char *format, ...) {
    va_list values;
    va_start(values, format);
    hotcell_refuse_as(NULL, status, title, format, values);
}

/* Ends the task because the input does not fit: a problem of the kind HOTCELL_VALIDATION, status 400. */
HOTCELL_FORMAT(1, 2) _Noreturn static inline void hotcell_invalid(const char *format, ...) {
    va_list values;
    va_start(values, format);
    hotcell_refuse_as(HOTCELL_VALIDATION, 400, "The input does not fit the task", format, values);
}

/* A member of an object, or NULL if it is missing or null. Ends the task if `object` is none. */
static inline const cJSON *hotcell_member(const cJSON *object, const char *name) {
    if (!cJSON_IsObject(object)) hotcell_invalid("expected an object with the member `%s`", name);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(member) ? NULL : member;
}

/* A member that is a string. Ends the task if it is not. */
static inline const char *hotcell_string(const cJSON *object, const char *name) {
    const cJSON *member = hotcell_member(object, name);
    if (!cJSON_IsString(member)) hotcell_invalid("`%s`: expected a string", name);
    return member->valuestring;
}

/* A member that is a string, or NULL if there is none. Ends the task if it is anything else. */
static inline const char *hotcell_optional_string(const cJSON *object, const char *name) {
    return hotcell_member(object, name) == NULL ? NULL : hotcell_string(object, name);
}

/* A member that is a number. Ends the task if it is not. */
static inline double hotcell_number(const cJSON *object, const char *name) {
    const cJSON *member = hotcell_member(object, name);
    if (!cJSON_IsNumber(member)) hotcell_invalid("`%s`: expected a number", name);
    return member->valuedouble;
}

/* A member that is an integer which a double holds exactly. Ends the task if it is not. */
static inline int64_t hotcell_integer(const cJSON *object, const char *name) {
    double number = hotcell_number(object, name);
    if (number != trunc(number) || fabs(number) > 9007199254740992.0) hotcell_invalid("`%s`: expected an integer", name);
    return (int64_t)number;
}

/* A member that is a list, for cJSON_ArrayForEach. Ends the task if it is not. */
static inline const cJSON *hotcell_list(const cJSON *object, const char *name) {
    const cJSON *member = hotcell_member(object, name);
    if (!cJSON_IsArray(member)) hotcell_invalid("`%s`: expected a list", name);
    return member;
}

/* All of standard input: the input as text, with a NUL behind it. */
static inline char *hotcell_read(size_t *length) {
    size_t room = 4096;
    char *text = hotcell_allocate(room);
    *length = 0;
    for (;;) {
        *length += fread(text + *length, 1, room - *length - 1, stdin);
        if (*length < room - 1) {
            text[*length] = '\0';
            return text;
        }
        char *larger = hotcell_allocate(room * 2);
        memcpy(larger, text, room);
        free(text);
        text = larger;
        room *= 2;
    }
}

/* Performs a task: reads the input, calls the function, writes what it returns. NULL becomes null. */
_Noreturn static inline void hotcell_run(cJSON *(*task)(const cJSON *input)) {
    size_t length;
    cJSON_InitHooks(&(cJSON_Hooks){hotcell_allocate, free});
    const char *text = hotcell_read(&length);
    const cJSON *input = cJSON_ParseWithLength(text, length);
    if (input == NULL) hotcell_invalid("the input is not JSON, or is nested too deep");
    const cJSON *output = task(input);
    hotcell_end(output != NULL ? output : cJSON_CreateNull(), EXIT_SUCCESS);
}

/* Makes a function the task of the program. It stands alone, outside of any function. */
#define HOTCELL_TASK(task)  \
    int main(void) {        \
        hotcell_run(task);  \
    }

#endif
