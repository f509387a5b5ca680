/* The header alone, first and twice, is a program's whole need of it: C99, and C++17 by way of header_only.cpp. */
#include "goursat.h"
#include "goursat.h"

int main(void) {
    const goursat_options options = {sizeof options, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0, 0}, {0, 0, 0}, 0, 0, 0, 0, 0};
    return options.size == sizeof(goursat_options) ? 0 : 1;
}
