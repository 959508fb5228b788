/* Prices an order. */
#include "hotcell.h"

static cJSON *price(const cJSON *order) {
    const char *id = hotcell_string(order, "id");
    const char *coupon = hotcell_optional_string(order, "coupon");
    const cJSON *lines = hotcell_list(order, "lines");
    if (cJSON_GetArraySize(lines) == 0) {
        char detail[200];
        snprintf(detail, sizeof detail, "order %s has no lines", id);
        cJSON *refused = hotcell_problem_details(NULL, 422, "Order refused", detail);
        cJSON_AddStringToObject(refused, "order", id);
        hotcell_problem(refused);
    }
    hotcell_log("%s: %d lines", id, cJSON_GetArraySize(lines));

    cJSON *receipt = cJSON_CreateObject();
    cJSON_AddStringToObject(receipt, "order", id);
    cJSON *priced = cJSON_AddArrayToObject(receipt, "lines");
    double subtotal = 0;
    const cJSON *line;
    cJSON_ArrayForEach(line, lines) {
        double cents = (double)hotcell_integer(line, "quantity") * (double)hotcell_integer(line, "cents");
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "sku", hotcell_string(line, "sku"));
        cJSON_AddNumberToObject(entry, "cents", cents);
        cJSON_AddItemToArray(priced, entry);
        subtotal += cents;
    }
    double discount = coupon != NULL && strcmp(coupon, "TENTH") == 0 ? floor(subtotal / 10) : 0;
    cJSON_AddNumberToObject(receipt, "subtotal", subtotal);
    cJSON_AddNumberToObject(receipt, "discount", discount);
    cJSON_AddNumberToObject(receipt, "total", subtotal - discount);
    return receipt;
}

HOTCELL_TASK(price)
