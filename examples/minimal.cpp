#include <cstdio>
#include <goursat.hpp>

static void print(const char *name, const std::vector<double> &values) {
    std::printf("%s", name);
    for (double value : values) {
        std::printf(" %.4f", value);
    }
    std::printf("\n");
}

int main() {
    const std::vector<double> x_points{0, 0, 1, 0, 1, 1}; // 3 points in 2 channels
    const std::vector<double> y_points{0, 0, 1, 1};       // 2 points
    const goursat::paths<double> x(x_points, 3, 2), y(y_points, 2, 2);
    const auto options = goursat::options().dyadic_order(2);

    print("signature", goursat::signature(x, 2));
    print("kernel", goursat::sigkernel(x, y, options));
    print("gradient", goursat::sigkernel_backprop({1.0}, x, y, options, goursat::wrt::x).x);
}
