/* flat CALLS [SLACK]: so many calls of each function, right, wrong and cancelled, on one thread and on two, leave the resident
   memory as it was after a tenth of them. */
#include "functions.h"
#include <stdlib.h>

/* What may come and go by itself: pages of a stack, of the C library. A leak of 64 bytes a call is 640 kB in 10^4. */
enum { DEFAULT_SLACK = 256 * 1024 };

static struct work w;

static int rounds(const struct function *f, long calls, int threads) {
    for (long i = 0; i < calls; i++) {
        goursat_options *options = &w.options;
        options->threads = threads;
        if (f->call(&w, options) != 0) {
            char message[GOURSAT_MESSAGE_SIZE];
            goursat_last_error(message, sizeof message);
            return fprintf(stderr, "%s: %s\n", f->name, message), 1;
        }
        options->memory = 7; /* there is none such: an error of every function that reads options */
        f->call(&w, options);
        options->memory = 0;
        options->progress = cancel; /* may come or not: calls are short */
        f->call(&w, options);
        options->progress = NULL;
    }
    return 0;
}

int main(int count, char **arguments) {
    long calls = count > 1 ? atol(arguments[1]) : 1000;
    long slack = count > 2 ? atol(arguments[2]) : DEFAULT_SLACK;
    for (int i = 0; i < COUNT; i++)
        for (int threads = 1; threads <= 2; threads++) {
            prepare(&w, threads);
            if (rounds(&FUNCTIONS[i], calls / 10 + 1, threads)) return 1;
            long before = resident();
            if (rounds(&FUNCTIONS[i], calls, threads)) return 1;
            long grown = resident() - before;
            if (before <= 0 || grown > slack)
                return fprintf(stderr, "%s: %ld calls on %d threads took %ld bytes\n", FUNCTIONS[i].name, calls, threads,
                               grown),
                       1;
            if (threads == 2) printf("%s\n", FUNCTIONS[i].name);
        }
    return 0;
}
