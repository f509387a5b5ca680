/* Prints the places of the options' fields: name, offset, size. The test compares them with the library's own. */
#include "goursat.h"
#include <stdio.h>

#define FIELD(name) \
    printf("%s %u %u\n", #name, (unsigned)offsetof(goursat_options, name), (unsigned)sizeof(((goursat_options *)0)->name))

int main(void) {
    FIELD(size);
    FIELD(flags);
    FIELD(end_time);
    FIELD(x_order);
    FIELD(y_order);
    FIELD(threads);
    FIELD(memory);
    FIELD(device);
    FIELD(reserved);
    FIELD(stream);
    FIELD(workspace);
    FIELD(workspace_size);
    FIELD(x_lengths);
    FIELD(y_lengths);
    FIELD(x_starts);
    FIELD(y_starts);
    FIELD(x_strides);
    FIELD(y_strides);
    FIELD(x_size);
    FIELD(y_size);
    FIELD(progress);
    FIELD(progress_data);
    FIELD(workspace_query);
    printf("end %u 0\n", (unsigned)sizeof(goursat_options));
    return 0;
}
