# Arrays of every kind are read where they lie.

using LinearAlgebra: transpose

cube = walks(Float64, 3, 40, 6)
address(array) = Goursat.Paths{Float64}(array, "path", nothing).pointer

kinds = (
    "points" => view(cube, :, 3:17, :),
    "every second point" => view(cube, :, 1:2:39, 2:5),
    "reversed in time" => view(cube, :, 40:-1:1, :),
    "reversed batch" => view(cube, :, :, 6:-1:1),
    "channels" => view(cube, 2:3, :, :),
    "one channel" => view(cube, 2:2, :, 1:3),
    "a channel reversed" => view(cube, 3:-2:1, :, 1),
    "one path" => view(cube, :, :, 4),
    "view of a view" => view(view(cube, 1:2, 5:2:39, :), :, 9:-1:2, 2:3:5),
    "transposed" => transpose(permutedims(cube[:, :, 1])),
    "adjoint" => permutedims(cube[:, :, 2])',
    "view of a transposed" => view(permutedims(cube[:, :, 2])', 2:3, 4:3:30),
    "permuted" => PermutedDimsArray(permutedims(cube, (2, 3, 1)), (3, 1, 2)),
    "reshaped" => reshape(view(cube, :, :, 2:5), 3, 40, 2, 2),
    "several batch axes" => view(reshape(cube, 3, 40, 3, 2), :, :, 1:2, :),
    "reinterpreted" => reinterpret(Float64, [(1.0, 2.0), (0.5, 3.0), (0.0, -1.0)]) |> a -> reshape(a, 2, 3),
)

@testset "$kind" for (kind, array) in kinds
    dense = Array(array)
    paths = Goursat.Paths{Float64}(array, "path", nothing)
    @test paths.source === array
    # Within the memory of the array: nothing was copied.
    @test pointer(paths.root) == pointer(Goursat.layout(array).root)
    @test pointer(paths.root) <= paths.pointer
    @test signature(array, 3) == signature(dense, 3)
    @test sig_backprop(1.0, array, 3) == sig_backprop(1.0, dense, 3)
    @test sigkernel(array, dense) == sigkernel(dense, dense)
    @test sigkernel_backprop(1.0, array, dense) == sigkernel_backprop(1.0, dense, dense)
    @test time_augment(array) == time_augment(dense)
    if ndims(array) == 3
        @test sigkernel_gram(array) == sigkernel_gram(dense)
        @test sigkernel_gram(array, dense) == sigkernel_gram(dense, dense)
        @test sigkernel_gram_backprop(1.0, array, dense) == sigkernel_gram_backprop(1.0, dense, dense)
    end
end

@testset "large views do not allocate as much" begin
    large = walks(Float64, 4, 2000, 50)
    part = view(large, 1:3, 2:2:2000, 50:-1:1)
    signature(part, 1)
    @test @allocated(signature(part, 1)) < sizeof(part) / 50
    gram = zeros(50, 50)
    short = view(large, 2:3, 1:20, :)
    sigkernel_gram!(gram, short)
    @test @allocated(sigkernel_gram!(gram, short)) < 5000
end

@testset "other arrays and numbers are converted" begin
    steps = reshape(range(0, 1; length = 12), 2, 6)
    @test signature(steps, 2) == signature(Array(steps), 2)
    @test signature(view(cube, [3, 1], :, 2), 2) == signature(cube[[3, 1], :, 2], 2)
    apart = reshape(view(cube, :, 1:2:39, 1:4), 3, 20, 2, 2)
    @test Goursat.layout(apart) === nothing
    @test signature(apart, 2) == signature(Array(apart), 2)
    @test signature([0 1 1; 0 0 1], 2) == [1, 1, 0.5, 1, 0, 0.5]
    @test signature(Float16[0 1 1; 0 0 1], 2) isa Vector{Float64}
    @test signature(big.([0 1 1; 0 0 1]), 2) isa Vector{Float64}
end

@testset "types of results" begin
    single, double = walks(Float32, 2, 9, 3), walks(Float64, 2, 9, 3)
    @test eltype(signature(single, 2)) == eltype(sigkernel(single, single)) == Float32
    @test eltype(sigkernel_gram(single, double)) == Float64
    @test sigkernel(single[:, :, 1], single[:, :, 2]) isa Float32
    @test eltype(sig_backprop(1.0, single, 2)) == Float32
    @test eltype(sig_backprop(zeros(6, 3), single, 2)) == Float64
    @test eltype(signature([single[:, :, 1], single[:, 1:3, 2]], 2)) == Float32
    @test eltype(signature(AbstractMatrix[single[:, :, 1], double[:, :, 2]], 2)) == Float64
    @test (@inferred signature(double, 2)) isa Matrix{Float64}
    @test (@inferred sigkernel_grid(single, single)) isa Array{Float32,3}
    @test (@inferred sigkernel_gram(double)) isa Matrix{Float64}
end
