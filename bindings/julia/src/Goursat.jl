"""
Path signatures and signature kernels, with exact gradients.

A path is a matrix `(d, L)` of `L` points in `d` channels, read as its piecewise-linear interpolation; a batch is an
array `(d, L, B...)`, a ragged batch a vector of matrices. Results have the batch last, and the element type of the
paths: `Float32` where all are, else `Float64`. Arrays are read where they lie, views, transposes and permutations
too. Every function has a form with `!` that writes to a given result.

```jldoctest
julia> x = [0.0 1.0 1.0; 0.0 0.0 1.0];       # 3 points in 2 channels

julia> signature(x, 2)
6-element Vector{Float64}:
 1.0
 1.0
 0.5
 1.0
 0.0
 0.5
```
"""
module Goursat

using LinearAlgebra: Adjoint, Transpose
import Libdl

export signature, signature!, sig_backprop, sig_backprop!, signature_length
export sigkernel, sigkernel!, sigkernel_backprop, sigkernel_backprop!
export sigkernel_grid, sigkernel_grid!, sigkernel_grid_backprop, sigkernel_grid_backprop!
export sigkernel_gram, sigkernel_gram!, sigkernel_gram_backprop, sigkernel_gram_backprop!
export time_augment, time_augment!, time_augment_backprop, time_augment_backprop!
export lead_lag, lead_lag!, lead_lag_backprop, lead_lag_backprop!
export GoursatError

include("options.jl")
include("native.jl")
include("library.jl")
include("errors.jl")
include("call.jl")
include("layout.jl")
include("paths.jl")
include("results.jl")
include("settings.jl")
include("signature.jl")
include("kernel.jl")
include("grid.jl")
include("gram.jl")
include("transforms.jl")
include("pullback.jl")

__init__() = load_library()

end
