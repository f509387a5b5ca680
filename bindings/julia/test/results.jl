# The forms with `!`: results go where the caller says, in place where that is dense.

x, y = walks(Float64, 2, 7, 3), walks(Float64, 2, 9, 3; seed = 5)
ragged = [x[:, 1:5, 1], x[:, :, 2]]
junk(size...) = fill(NaN, size...)

"Holds f! to f for a dense result, for one with strides, and for one of another type."
function same(write!, expected)
    dense = junk(size(expected)...)
    @test write!(dense) === dense
    @test dense == expected
    wide = junk(2, size(expected)...)
    strided = selectdim(wide, 1, 2)
    write!(strided)
    @test strided == expected && all(isnan, selectdim(wide, 1, 1))
    single = Array{Float32}(undef, size(expected))
    write!(single)
    @test single == Float32.(expected)
    @test_throws DimensionMismatch write!(junk(size(expected)..., 2))
end

@testset "forward" begin
    same(out -> signature!(out, x, 3; time_aug = true), signature(x, 3; time_aug = true))
    same(out -> signature!(out, ragged, 3), signature(ragged, 3))
    same(out -> sigkernel!(out, x, y), sigkernel(x, y))
    same(out -> sigkernel!(out, x, y; return_grid = true), sigkernel_grid(x, y))
    same(out -> sigkernel_grid!(out, x, y; dyadic_order = 1), sigkernel_grid(x, y; dyadic_order = 1))
    same(out -> sigkernel_gram!(out, x, y), sigkernel_gram(x, y))
    same(out -> sigkernel_gram!(out, x), sigkernel_gram(x))
    same(out -> time_augment!(out, x; end_time = 2), time_augment(x; end_time = 2))
    same(out -> lead_lag!(out, x; lag_first = true), lead_lag(x; lag_first = true))
    single = fill(NaN)
    @test sigkernel!(single, x[:, :, 1], y[:, :, 1])[] == sigkernel(x[:, :, 1], y[:, :, 1])
end

@testset "backward" begin
    same(out -> sig_backprop!(out, 1.0, x, 3), sig_backprop(1.0, x, 3))
    same(out -> sigkernel_gram_backprop!(out, 1.0, x), sigkernel_gram_backprop(1.0, x))
    same(out -> time_augment_backprop!(out, time_augment(x)), x)
    same(out -> lead_lag_backprop!(out, lead_lag(x)), lead_lag_backprop(lead_lag(x)))
    for (backprop!, backprop) in (
        sigkernel_backprop! => sigkernel_backprop,
        sigkernel_grid_backprop! => sigkernel_grid_backprop,
        sigkernel_gram_backprop! => sigkernel_gram_backprop,
    )
        gx, gy = backprop(1.0, x, y)
        same(out -> backprop!(out, nothing, 1.0, x, y)[1], gx)
        same(out -> backprop!(nothing, out, 1.0, x, y)[2], gy)
        @test backprop(1.0, x, y; wrt = :x) ≈ gx
        @test backprop(1.0, x, y; wrt = :y) ≈ gy
        to_x, to_y = junk(size(x)...), junk(size(y)...)
        @test backprop!(to_x, to_y, 1.0, x, y) === (to_x, to_y)
        @test (to_x, to_y) == (gx, gy)
        # One path for the whole batch: its gradient is the sum over its uses.
        if backprop! !== sigkernel_gram_backprop!
            same(out -> backprop!(out, nothing, 1.0, x[:, :, 1], y)[1], backprop(1.0, x[:, :, 1], y; wrt = :x))
        end
    end
end

@testset "vectors of matrices" begin
    out = [junk(2, 5), junk(2, 7)]
    @test sig_backprop!(out, 1.0, ragged, 3) === out
    @test out == sig_backprop(1.0, ragged, 3)
    sigkernel_backprop!(out, nothing, 1.0, ragged, y[:, :, 1])
    @test out == sigkernel_backprop(1.0, ragged, y[:, :, 1]; wrt = :x)
    @test_throws DimensionMismatch sig_backprop!(junk(2, 7, 2), 1.0, ragged, 3)
    @test_throws DimensionMismatch sig_backprop!(reverse(out), 1.0, ragged, 3)
    out = [junk(3, 5), junk(3, 7)]
    @test time_augment!(out, ragged) === out
    @test out == time_augment(ragged)
end

@testset "columns of a larger array" begin
    table = junk(14, 5)
    signature!(view(table, :, 2:4), x, 3)
    @test table[:, 2:4] == signature(x, 3)
    @test all(isnan, table[:, [1, 5]])
    signature!(view(table, :, 5), x[:, :, 1], 3)
    @test table[:, 5] == table[:, 2]
    signature!(view(table, :, 1), x[:, :, 1], 3)
end

@testset "direct" begin
    path = walks(Float64, 8, 500, 1)[:, :, 1]
    some, all_words = signature(path, 4), signature(path, 4; direct = true)
    @test some != all_words
    @test maximum(abs, some - all_words) < 3e-14 * maximum(abs, all_words)
    path = walks(Float64, 12, 260, 1)[:, :, 1]
    grad = cos.(1:signature_length(12, 4))
    some, all_words = sig_backprop(grad, path, 4), sig_backprop(grad, path, 4; direct = true)
    @test some != all_words
    @test maximum(abs, some - all_words) < 1e-14 * maximum(abs, all_words)
end
