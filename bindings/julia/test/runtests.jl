# julia --project=bindings/julia bindings/julia/test/runtests.jl, with GOURSAT_LIBRARY or after deps/build.jl.

using Goursat, Random, Test

const ROOT = normpath(joinpath(@__DIR__, "..", "..", ".."))

include("json.jl")
include("doctest.jl")

"Random walks of a size, in steps of some tenths."
walks(T, size...; seed = 7) = cumsum(T(0.3) .* randn(MersenneTwister(seed), T, size...), dims = 2)

@testset "Goursat" begin
    @testset "$file" for file in (
        "header.jl", "vectors.jl", "gradients.jl", "arrays.jl", "batches.jl", "results.jl", "errors.jl", "calls.jl",
        "library.jl", "readme.jl",
    )
        seconds = @elapsed include(file)
        println(rpad(file, 14), round(seconds; digits = 1), " s")
    end
end
