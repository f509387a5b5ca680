#include <goursat.h>
#include <stdio.h>

static void print(const char *name, const double *values, size_t count) {
    printf("%s", name);
    for (size_t i = 0; i < count; ++i) {
        printf(" %.4f", values[i]);
    }
    printf("\n");
}

static int failed(int32_t status) {
    char message[GOURSAT_MESSAGE_SIZE];
    if (status == GOURSAT_OK) {
        return 0;
    }
    goursat_last_error(message, sizeof message);
    fprintf(stderr, "%s\n", message);
    return 1;
}

int main(void) {
    const double x[] = {0, 0,  1, 0,  1, 1}; /* 3 points in 2 channels */
    const double y[] = {0, 0,  1, 1};        /* 2 points */
    const double one = 1;
    double s[6], k, x_grad[6];
    goursat_options options = {.size = sizeof options, .x_order = 2, .y_order = 2};

    if (failed(goursat_signature_f64(x, 1, 3, 2, 2, s, 6, NULL)) ||
        failed(goursat_sigkernel_f64(x, 3, y, 2, 1, 2, &k, 1, &options)) ||
        failed(goursat_sigkernel_backprop_f64(&one, 1, x, 3, y, 2, 1, 2, x_grad, 6, NULL, 0, &options))) {
        return 1;
    }
    print("signature", s, 6);
    print("kernel", &k, 1);
    print("gradient", x_grad, 6);
    return 0;
}
