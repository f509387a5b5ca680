/* Kernels and signatures in long double (64 bits of mantissa on x86-64), straight from the equations of README.md: what
 * accuracy.py measures errors against. Built as a shared library; every function is for one pair or one path. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef long double real;

static real *increments(const double *path, size_t points, size_t dim) {
    real *dx = malloc(sizeof(real) * points * dim + 1);
    for (size_t e = 0; e + dim < points * dim; ++e) {
        dx[e] = (real)path[e + dim] - path[e];
    }
    return dx;
}

static real product(const real *a, const real *b, size_t dim) {
    real sum = 0;
    for (size_t c = 0; c < dim; ++c) {
        sum += a[c] * b[c];
    }
    return sum;
}

/* k(x, y) with dyadic orders, and its derivative along v, a direction of x (NULL: not wanted), in two rows.
 * k' = (p - d) + D/2 p + D^2/12 (p + d), p = l + u: the scheme sorted by powers of D. */
void judge_kernel(const double *x, size_t m, const double *y, size_t n, size_t dim, unsigned x_order, unsigned y_order,
                  const double *v, double *k, double *slope) {
    const size_t columns = (n - 1) << y_order;
    const real scale = ldexpl(1, -(int)(x_order + y_order));
    real *dx = increments(x, m, dim), *dy = increments(y, n, dim), *dv = v ? increments(v, m, dim) : NULL;
    real *row = malloc(sizeof(real) * (columns + 1)), *along = calloc(columns + 1, sizeof(real));
    real *half = malloc(sizeof(real) * n), *twelfth = malloc(sizeof(real) * n);
    real *half_v = calloc(n, sizeof(real)), *twelfth_v = calloc(n, sizeof(real));
    for (size_t j = 0; j <= columns; ++j) {
        row[j] = 1;
    }
    for (size_t i = 0; i + 1 < m; ++i) {
        for (size_t j = 0; j + 1 < n; ++j) {
            const real delta = product(dx + i * dim, dy + j * dim, dim) * scale;
            half[j] = delta / 2;
            twelfth[j] = delta * delta / 12;
            if (v) {
                const real dot = product(dv + i * dim, dy + j * dim, dim) * scale;
                half_v[j] = dot / 2;
                twelfth_v[j] = delta * dot / 6;
            }
        }
        for (size_t s = 0; s < (size_t)1 << x_order; ++s) {
            real corner = row[0], corner_v = along[0];
            for (size_t t = 0; t < columns; ++t) {
                const size_t j = t >> y_order;
                const real p = row[t] + row[t + 1], d = corner;
                corner = row[t + 1];
                row[t + 1] = (p - d) + half[j] * p + twelfth[j] * (p + d);
                if (v) {
                    const real pv = along[t] + along[t + 1], dd = corner_v;
                    corner_v = along[t + 1];
                    along[t + 1] = (pv - dd) + half[j] * pv + twelfth[j] * (pv + dd) + half_v[j] * p + twelfth_v[j] * (p + d);
                }
            }
        }
    }
    *k = (double)row[columns];
    *slope = (double)along[columns];
    free(dx), free(dy), free(dv), free(row), free(along), free(half), free(twelfth), free(half_v), free(twelfth_v);
}

static void add_increment(double *gradient, real *sums, size_t points, size_t dim) {
    for (size_t i = 0; i < points; ++i) {
        for (size_t c = 0; c < dim; ++c) {
            const real before = i > 0 ? sums[(i - 1) * dim + c] : 0, after = i + 1 < points ? sums[i * dim + c] : 0;
            gradient[i * dim + c] = (double)(before - after);
        }
    }
}

/* All of dk/dx and dk/dy, without refinement, by reversing the recurrence over the whole grid. */
int judge_gradients(const double *x, size_t m, const double *y, size_t n, size_t dim, double *gx, double *gy) {
    real *dx = increments(x, m, dim), *dy = increments(y, n, dim);
    real *k = malloc(sizeof(real) * m * n), *sx = calloc(m * dim, sizeof(real)), *sy = calloc(n * dim, sizeof(real));
    real *below = calloc(n, sizeof(real)), *here = calloc(n, sizeof(real));
    if (!k) {
        return 1;
    }
    for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
            if (i == 0 || j == 0) {
                k[i * n + j] = 1;
                continue;
            }
            const real delta = product(dx + (i - 1) * dim, dy + (j - 1) * dim, dim);
            const real p = k[(i - 1) * n + j] + k[i * n + j - 1], d = k[(i - 1) * n + j - 1];
            k[i * n + j] = (p - d) + delta / 2 * p + delta * delta / 12 * (p + d);
        }
    }
    below[n - 1] = 1;
    for (size_t i = m - 1; i > 0; --i) {
        memset(here, 0, sizeof(real) * n);
        for (size_t j = n - 1; j > 0; --j) {
            const real delta = product(dx + (i - 1) * dim, dy + (j - 1) * dim, dim), v = below[j];
            const real p = k[(i - 1) * n + j] + k[i * n + j - 1], d = k[(i - 1) * n + j - 1];
            const real a = 1 + delta / 2 + delta * delta / 12, share = v * (p / 2 + delta / 6 * (p + d));
            below[j - 1] += v * a;
            here[j] += v * a;
            here[j - 1] -= v * (1 - delta * delta / 12);
            for (size_t c = 0; c < dim; ++c) {
                sx[(i - 1) * dim + c] += share * dy[(j - 1) * dim + c];
                sy[(j - 1) * dim + c] += share * dx[(i - 1) * dim + c];
            }
        }
        real *swap = below;
        below = here;
        here = swap;
    }
    add_increment(gx, sx, m, dim);
    add_increment(gy, sy, n, dim);
    free(dx), free(dy), free(k), free(sx), free(sy), free(below), free(here);
    return 0;
}

/* One step of a signature and of its derivative: level k gains ((z/k + S_1) z/(k-1) + ... + S_(k-1)) z (Horner). */
static void step(real *s, real *sv, const size_t *begin, const real *z, const real *zv, size_t dim, size_t degree,
                 real *h, real *hv, real *g, real *gv) {
    for (size_t k = degree; k >= 1; --k) {
        size_t size = 1;
        h[0] = 1;
        hv[0] = 0;
        for (size_t j = 1; j <= k; ++j) {
            const real part = 1 / (real)(k - j + 1);
            for (size_t w = 0; w < size; ++w) {
                for (size_t c = 0; c < dim; ++c) {
                    g[w * dim + c] = h[w] * z[c] * part;
                    gv[w * dim + c] = (hv[w] * z[c] + h[w] * zv[c]) * part;
                }
            }
            size *= dim;
            for (size_t w = 0; w < size; ++w) {
                h[w] = s[begin[j] + w] + g[w];
                hv[w] = sv[begin[j] + w] + gv[w];
            }
        }
        memcpy(s + begin[k], h, sizeof(real) * size);
        memcpy(sv + begin[k], hv, sizeof(real) * size);
    }
}

/* The signature without level 0, and its derivative along v. */
void judge_signature(const double *path, size_t points, size_t dim, size_t degree, const double *v, double *out,
                     double *slope) {
    size_t begin[64] = {0}, size = 1, total = 0, i;
    for (i = 1; i <= degree; ++i) {
        begin[i] = total;
        size *= dim;
        total += size;
    }
    real *dx = increments(path, points, dim), *dv = increments(v, points, dim);
    real *s = calloc(total, sizeof(real)), *sv = calloc(total, sizeof(real)), *work = malloc(4 * size * sizeof(real));
    for (i = 0; i + 1 < points; ++i) {
        step(s, sv, begin, dx + i * dim, dv + i * dim, dim, degree, work, work + size, work + 2 * size, work + 3 * size);
    }
    for (i = 0; i < total; ++i) {
        out[i] = (double)s[i];
        slope[i] = (double)sv[i];
    }
    free(dx), free(dv), free(s), free(sv), free(work);
}
