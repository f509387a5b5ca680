# Batch axes, broadcasting, ragged batches.

x, y = walks(Float64, 2, 7, 3), walks(Float64, 2, 9, 3; seed = 5)

@testset "the batch is last" begin
    @test size(signature(x, 3)) == (14, 3)
    @test signature(x, 3)[:, 2] == signature(x[:, :, 2], 3)
    four = reshape(walks(Float64, 2, 7, 6), 2, 7, 3, 2)
    @test size(signature(four, 2)) == (6, 3, 2)
    @test signature(four, 2)[:, 3, 2] == signature(four[:, :, 3, 2], 2)
    @test sigkernel(x, y)[3] === sigkernel(x[:, :, 3], y[:, :, 3])
    @test size(time_augment(four)) == (3, 7, 3, 2)
    @test size(lead_lag(four)) == (4, 13, 3, 2)
end

@testset "K[i, j] = k(x_i, y_j)" begin
    more = walks(Float64, 2, 5, 4; seed = 6)
    for order in (0, 1, (2, 0), (0, 1))
        gram = sigkernel_gram(x, more; dyadic_order = order, time_aug = true)
        @test gram == [sigkernel(x[:, :, i], more[:, :, j]; dyadic_order = order, time_aug = true) for i in 1:3, j in 1:4]
    end
    alone = sigkernel_gram(x)
    @test alone == alone' == sigkernel_gram(x, x)
    gx, gy = sigkernel_gram_backprop(ones(3, 3), x, x)
    @test sigkernel_gram_backprop(1.0, x) ≈ gx + gy
end

@testset "grids" begin
    a, b = x[:, :, 1], y[:, :, 1]
    grid = sigkernel_grid(a, b)
    @test size(grid) == (7, 9)
    @test all(grid[1, :] .== 1) && all(grid[:, 1] .== 1)
    # Only the last node is promised to have the bits of the kernel.
    @test grid ≈ [i == 1 || j == 1 ? 1.0 : sigkernel(a[:, 1:i], b[:, 1:j]) for i in 1:7, j in 1:9] rtol = 1e-13
    @test size(sigkernel_grid(x, y; dyadic_order = (2, 1))) == (25, 17, 3)
    @test sigkernel_grid(x, y; dyadic_order = (2, 1))[end, end, :] == sigkernel(x, y; dyadic_order = (2, 1))
    ragged = sigkernel_grid(x, y; x_lengths = [7, 3, 5], y_lengths = [2, 9, 9])
    @test isnan.(ragged) == [i > (7, 3, 5)[b] || j > (2, 9, 9)[b] for i in 1:7, j in 1:9, b in 1:3]
end

@testset "broadcasting" begin
    @test sigkernel(x[:, :, 1], y) == [sigkernel(x[:, :, 1], y[:, :, b]) for b in 1:3]
    rows, columns = reshape(x, 2, 7, 3, 1), reshape(y, 2, 9, 1, 3)
    @test sigkernel(rows, columns) == sigkernel_gram(x, y)
    weights = randn(MersenneTwister(1), 3, 3)
    gx, gy = sigkernel_backprop(weights, rows, columns)
    expected = sigkernel_gram_backprop(weights, x, y)
    @test reshape(gx, size(x)) ≈ expected[1]
    @test reshape(gy, size(y)) ≈ expected[2]
    @test_throws DimensionMismatch sigkernel(x, y[:, :, 1:2])
end

@testset "vectors of matrices" begin
    paths = [x[:, 1:n, b] for (b, n) in enumerate((7, 1, 4))]
    lengths = [7, 1, 4]
    @test signature(paths, 3) == signature(x, 3; lengths = lengths)
    @test signature(paths, 3)[:, 3] == signature(paths[3], 3)
    @test sigkernel(paths, y) == sigkernel(x, y; x_lengths = lengths)
    @test sigkernel_gram(paths) == sigkernel_gram(x; x_lengths = lengths)
    @test sigkernel_gram(y, paths) == sigkernel_gram(y, x; y_lengths = lengths)
    @test sigkernel(paths, y[:, :, 1]) == [sigkernel(path, y[:, :, 1]) for path in paths]

    alike(ragged, full) = all(1:3) do b
        n = lengths[b]
        ragged[b] == full[:, 1:n, b] && all(iszero, full[:, n+1:end, b])
    end
    @test alike(sig_backprop(1.0, paths, 3), sig_backprop(1.0, x, 3; lengths = lengths))
    gx, gy = sigkernel_backprop([1.0, 2.0, 3.0], paths, y)
    full = sigkernel_backprop([1.0, 2.0, 3.0], x, y; x_lengths = lengths)
    @test alike(gx, full[1]) && gy == full[2]
    @test alike(sigkernel_gram_backprop(1.0, paths), sigkernel_gram_backprop(1.0, x; x_lengths = lengths))
    @test time_augment(paths) == time_augment.(paths)
    @test lead_lag(paths; lag_first = true)[3] == lead_lag(paths[3]; lag_first = true)
    @test lead_lag_backprop(lead_lag(paths))[3] == lead_lag_backprop(lead_lag(paths[3]))
    @test time_augment_backprop(time_augment(paths)) == paths

    # Broadcast against a matrix of pairs, where paths of a vector repeat.
    weights = randn(MersenneTwister(1), 3, 2)
    wide = reshape(y[:, :, 1:2], 2, 9, 1, 2)
    gx, gy = sigkernel_backprop(weights, paths, wide)
    expected = sigkernel_gram_backprop(weights, paths, y[:, :, 1:2])
    @test sigkernel(paths, wide) == sigkernel_gram(paths, y[:, :, 1:2])
    @test all(gx .≈ expected[1])
    @test reshape(gy, 2, 9, 2) ≈ expected[2]
end

@testset "lengths" begin
    spoiled = copy(x)
    spoiled[:, 5:end, 1] .= NaN
    lengths = [4, 7, 7]
    @test signature(spoiled, 2; lengths = lengths)[:, 1] == signature(x[:, 1:4, 1], 2)
    @test time_augment(spoiled; lengths = lengths)[3, :, 1] ≈ [0, 1 / 3, 2 / 3, 1, 0, 0, 0]
    @test all(iszero, lead_lag(spoiled; lengths = lengths)[:, 8:end, 1])
    grad = fill(1.0, 3, 7, 3)
    grad[:, 5:end, 1] .= NaN
    @test time_augment_backprop(grad; lengths = lengths)[:, :, 1] == [ones(2, 4) zeros(2, 3)]
    @test signature(x, 2; lengths = 4) == signature(x[:, 1:4, :], 2)
end

@testset "empty batches and single points" begin
    none = zeros(2, 5, 0)
    @test size(signature(none, 2)) == (6, 0)
    @test size(sigkernel_gram(none, x)) == (0, 3)
    @test size(sigkernel_gram(none)) == (0, 0)
    @test size(sig_backprop(1.0, none, 2)) == (2, 5, 0)
    @test signature(ones(2, 1), 2) == zeros(6)
    @test sigkernel(ones(2, 1), x) == ones(3)
end
