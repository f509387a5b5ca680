# Truncated signatures and their gradient.

"""
    signature_length(dim, degree; scalar_term=false, time_aug=false, lead_lag=false)

Number of coefficients of the signature of a path of `dim` channels.

```jldoctest
julia> signature_length(3, 4)       # 3 + 9 + 27 + 81
120
```
"""
function signature_length(dim::Integer, degree::Integer; scalar_term = false, time_aug = false, lead_lag = false)
    options = settings(; extra = scalar_flag(scalar_term), time_aug = time_aug, lead_lag = lead_lag)
    return coefficients(dim, degree, options)
end

scalar_flag(scalar_term) = scalar_term ? SCALAR_TERM : UInt64(0)

function coefficients(dim, degree, options::Options)
    number = Ref{Csize_t}(0)
    check(goursat_signature_length(count_of(dim, "dim"), count_of(degree, "degree"), options, number))
    return Int(number[])
end

"""
    signature(path, degree; scalar_term=false, time_aug=false, end_time=1, lead_lag=false, lengths=nothing,
              n_threads=0, progress=false, direct=false)

Truncated signatures of piecewise-linear paths: an array `(S, B...)` for `path` of size `(d, L, B...)`, with `S` of
[`signature_length`](@ref); `(S, B)` for a vector of `B` matrices `(d, L_b)`.

Level `k` of a signature has `d^k` coefficients, the iterated integrals of the path; the levels follow one another, each
in the order of words: the coefficient of `(i1, ..., ik)`, counted from 0, is number `i1 * d^(k-1) + ... + ik` of its
level, counted from 0 too: the last letter is the fastest index.

- `scalar_term`: begin with level 0, the number 1.
- `time_aug`: append time as the last channel, from 0 to `end_time` at a path's last point.
- `lead_lag`: take the lead-lag path of `2L - 1` points in `2d` channels, `(lead, lag)` if `true`, `(lag, lead)` if
  `:lag_first`. Time is appended after that.
- `lengths`: points of each path of a ragged batch, an array of size `(B...)`; what lies behind them is not read.
- `n_threads`: threads to use at most; 0 means GOURSAT_NUM_THREADS, or all cores.
- `progress`: `true` for a bar on stderr, or a function of `(done, total)`, which is called some 20 times a second on the
  calling thread, and when all is done. An exception that it throws ends the call.
- `direct`: compute every coefficient along the path. Without it, some of the last level of long `Float64` paths follow
  from others, up to twice as fast: errors are then up to 3e-14 of the level's largest coefficient instead of 1e-15.

Arrays are read where they lie, views, transposes and permutations of them too; those of other numbers than `Float64` and
`Float32` are converted, and the matrices of a vector are packed, which copies.

```jldoctest
julia> path = [0.0 1.0 1.0; 0.0 0.0 1.0];

julia> println(signature(path, 2))
[1.0, 1.0, 0.5, 1.0, 0.0, 0.5]

julia> signature([path, path[:, 1:2]], 1)       # paths of different lengths
2×2 Matrix{Float64}:
 1.0  1.0
 1.0  0.0
```
"""
signature(path::PathLike, degree::Integer; options...) = signature_into(nothing, path, degree; options...)

"""
    signature!(out, path, degree; options...)

[`signature`](@ref), written to `out` of size `(S, B...)`: in place where `out` is dense and has the type of the paths.
"""
signature!(out::AbstractArray, path::PathLike, degree::Integer; options...) =
    signature_into(out, path, degree; options...)

function signature_into(
    out, path, degree; scalar_term = false, lengths = nothing, progress = false, time_aug = false, end_time = 1,
    lead_lag = false, n_threads = 0, direct = false,
)
    T = number_type(path)
    paths = Paths{T}(path, "path", lengths)
    extra = scalar_flag(scalar_term) | (direct ? DIRECT : UInt64(0))
    options = settings(; extra, time_aug, end_time, lead_lag, n_threads)
    place_x!(options, paths)
    dims = (coefficients(paths.dim, degree, options), paths.axes...)
    return produce(out, T, dims) do to, count
        GC.@preserve paths call(options, float(paths.length) * count, progress) do options
            goursat_signature(T, paths.pointer, batch(paths), paths.length, paths.dim, degree, to, count, options)
        end
    end
end

"""
    sig_backprop(grad, path, degree; options...)

Gradient of a scalar F with respect to paths, from its gradient `grad` with respect to their signatures: of size
`(S, B...)`, or a number or an array that broadcasts to it. The options are those of [`signature`](@ref); without
`direct`, errors are up to 1e-14 of the largest gradient, for long paths in nine channels or more.

Returns an array like `path`, zero beyond the end of a path with `lengths`; a vector of matrices for a vector.

```jldoctest
julia> path = [0.0 1.0 1.0; 0.0 0.0 1.0];

julia> sig_backprop([0, 0, 0, 0.5, -0.5, 0], path, 2)       # gradient of the signed area
2×3 Matrix{Float64}:
 -0.5   0.5  0.0
  0.0  -0.5  0.5
```
"""
sig_backprop(grad, path::PathLike, degree::Integer; options...) =
    sig_backprop_into(New(), grad, path, degree; options...)

"""
    sig_backprop!(path_grad, grad, path, degree; options...)

[`sig_backprop`](@ref), written to `path_grad`, which is shaped as `path`.
"""
sig_backprop!(path_grad::AbstractArray, grad, path::PathLike, degree::Integer; options...) =
    sig_backprop_into(path_grad, grad, path, degree; options...)

function sig_backprop_into(
    out, grad, path, degree; scalar_term = false, lengths = nothing, progress = false, time_aug = false, end_time = 1,
    lead_lag = false, n_threads = 0, direct = false,
)
    T = gradient_type(grad, path)
    first = Paths{T}(path, "path", lengths)
    paths = separated(first, first.axes)
    extra = scalar_flag(scalar_term) | (direct ? DIRECT : UInt64(0))
    options = settings(; extra, time_aug, end_time, lead_lag, n_threads)
    place_x!(options, paths)
    from = given(grad, T, (coefficients(paths.dim, degree, options), paths.axes...))
    to = buffer(out, paths, "path_grad")
    GC.@preserve from to paths call(options, 3.0 * paths.length * length(from), progress) do options
        goursat_sig_backprop(
            T, address(from), length(from), paths.pointer, batch(paths), paths.length, paths.dim, degree,
            pointer_to(to, paths), elements(to), options,
        )
    end
    return deliver(out, to, paths)
end

"A number that is given as a gradient has the type of the paths."
gradient_type(grad::Number, paths...) = number_type(paths...)
gradient_type(grad, paths...) = number_type(grad, paths...)
