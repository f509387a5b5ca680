# Gradients and pullbacks against central differences in double precision.

using LinearAlgebra: dot

"Derivative of `f` at arrays, in a direction, to 1e-9: the error of a central difference is of the order of h^2."
slope(f, at, direction; h = 1e-5) = (f(at .+ h .* direction) - f(at .- h .* direction)) / 2h

"Holds a gradient of `path -> dot(weights, f(path))` to the slopes in some directions."
function follows(f, back, path)
    value = f(path)
    rng = MersenneTwister(3)
    weights = value isa Number ? randn(rng) : randn(rng, size(value)...)
    gradient = back(weights)
    return all(1:4) do _
        direction = randn(rng, size(path)...)
        # Tolerance: truncation and rounding of the difference, at values of up to some hundreds.
        isapprox(dot(gradient, direction), slope(p -> dot(weights, f(p)), path, direction); rtol = 1e-6, atol = 1e-6)
    end
end

x, y = walks(Float64, 2, 6, 3), walks(Float64, 2, 5, 3; seed = 8)
one, other = x[:, :, 1], y[:, :, 2]
variants = (
    NamedTuple(), (time_aug = true, end_time = 2.5), (lead_lag = true,), (lead_lag = :lag_first, time_aug = true),
)

@testset "signature, $options" for options in variants
    for path in (one, x), scalar_term in (false, true)
        _, back = Goursat.pullback(signature, path, 3; scalar_term = scalar_term, options...)
        @test follows(p -> signature(p, 3; scalar_term = scalar_term, options...), back, path)
    end
end

@testset "kernels, $options" for options in variants
    for (a, b) in ((x, y), (one, other), (one, y), (x, other), (reshape(x, 2, 6, 3, 1), reshape(y, 2, 5, 1, 3)))
        for f in (sigkernel, sigkernel_grid)
            k, back = Goursat.pullback(f, a, b; dyadic_order = (1, 0), options...)
            @test k == f(a, b; dyadic_order = (1, 0), options...)
            @test follows(p -> f(p, b; dyadic_order = (1, 0), options...), first ∘ back, a)
            @test follows(p -> f(a, p; dyadic_order = (1, 0), options...), last ∘ back, b)
        end
    end
end

@testset "Gram matrices, $options" for options in variants
    _, back = Goursat.pullback(sigkernel_gram, x, y; dyadic_order = (0, 1), options...)
    @test follows(p -> sigkernel_gram(p, y; dyadic_order = (0, 1), options...), first ∘ back, x)
    @test follows(p -> sigkernel_gram(x, p; dyadic_order = (0, 1), options...), last ∘ back, y)
    _, back = Goursat.pullback(sigkernel_gram, x; dyadic_order = 1, options...)
    @test follows(p -> sigkernel_gram(p; dyadic_order = 1, options...), back, x)
end

@testset "transforms" begin
    _, back = Goursat.pullback(time_augment, x; end_time = 3)
    @test follows(p -> time_augment(p; end_time = 3), back, x)
    for lag_first in (false, true)
        _, back = Goursat.pullback(lead_lag, x; lag_first = lag_first)
        @test follows(p -> lead_lag(p; lag_first = lag_first), back, x)
    end
end
