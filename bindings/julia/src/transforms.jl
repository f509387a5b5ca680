# Time augmentation and lead-lag as functions of their own, and their adjoints. The other functions apply them on the
# fly: these are for looking at, and for what comes in between.

"""
    time_augment(path; end_time=1, lengths=nothing)

Appends time as the last channel: `i * end_time / (L - 1)` at point `i`, counted from 0. `path` of size `(d, L, B...)`
gives `(d + 1, L, B...)`; a vector of matrices gives a vector. With `lengths`, time runs over each path's own points, and
the rest is zero.

```jldoctest
julia> time_augment([5.0 7.0 6.0])
2×3 Matrix{Float64}:
 5.0  7.0  6.0
 0.0  0.5  1.0
```
"""
time_augment(path::PathLike; options...) = apply(goursat_time_augment, with_time, path; options...)

"""
    time_augment!(out, path; end_time=1, lengths=nothing)

[`time_augment`](@ref), written to `out`.
"""
time_augment!(out::AbstractArray, path::PathLike; options...) =
    apply!(out, goursat_time_augment, with_time, path; options...)

"""
    time_augment_backprop(grad; lengths=nothing)

Gradient with respect to paths, `(d, L, B...)`, from that with respect to the result of [`time_augment`](@ref),
`(d + 1, L, B...)`. A vector of matrices gives a vector.

```jldoctest
julia> time_augment_backprop([1.0 2.0; 10.0 20.0])
1×2 Matrix{Float64}:
 1.0  2.0
```
"""
time_augment_backprop(grad::PathLike; options...) =
    pull_back(goursat_time_augment_backprop, without_time, grad; options...)

"""
    time_augment_backprop!(path_grad, grad; lengths=nothing)

[`time_augment_backprop`](@ref), written to `path_grad`.
"""
time_augment_backprop!(path_grad::AbstractArray, grad::PathLike; options...) =
    pull_back!(path_grad, goursat_time_augment_backprop, without_time, grad; options...)

"""
    lead_lag(path; lag_first=false, lengths=nothing)

Lead-lag paths: point `2k` is `(x_k, x_k)`, point `2k + 1` is `(x_{k+1}, x_k)`, counted from 0, as `(lead, lag)` or, with
`lag_first`, as `(lag, lead)`. `path` of size `(d, L, B...)` gives `(2d, 2L - 1, B...)`; a vector of matrices gives a
vector. With `lengths`, the rest is zero.

```jldoctest
julia> lead_lag([5.0 7.0 6.0])
2×5 Matrix{Float64}:
 5.0  7.0  7.0  6.0  6.0
 5.0  5.0  7.0  7.0  6.0
```
"""
lead_lag(path::PathLike; lag_first::Bool = false, options...) =
    apply(goursat_lead_lag, with_lag, path; flags = lag_flag(lag_first), options...)

"""
    lead_lag!(out, path; lag_first=false, lengths=nothing)

[`lead_lag`](@ref), written to `out`.
"""
lead_lag!(out::AbstractArray, path::PathLike; lag_first::Bool = false, options...) =
    apply!(out, goursat_lead_lag, with_lag, path; flags = lag_flag(lag_first), options...)

"""
    lead_lag_backprop(grad; lag_first=false, lengths=nothing)

Gradient with respect to paths, `(d, L, B...)`, from that with respect to the result of [`lead_lag`](@ref),
`(2d, 2L - 1, B...)`. A vector of matrices gives a vector.

```jldoctest
julia> lead_lag_backprop([1.0 2.0 3.0; 10.0 20.0 30.0])
1×2 Matrix{Float64}:
 31.0  35.0
```
"""
lead_lag_backprop(grad::PathLike; lag_first::Bool = false, options...) =
    pull_back(goursat_lead_lag_backprop, without_lag, grad; flags = lag_flag(lag_first), options...)

"""
    lead_lag_backprop!(path_grad, grad; lag_first=false, lengths=nothing)

[`lead_lag_backprop`](@ref), written to `path_grad`.
"""
lead_lag_backprop!(path_grad::AbstractArray, grad::PathLike; lag_first::Bool = false, options...) =
    pull_back!(path_grad, goursat_lead_lag_backprop, without_lag, grad; flags = lag_flag(lag_first), options...)

# (channels, points) after a transform, and before it.

lag_flag(lag_first) = lag_first ? LAG_FIRST : UInt64(0)
with_time(d, L) = (d + 1, L)
with_lag(d, L) = (2d, max(2L - 1, 0))
function without_time(d, L)
    d >= 2 || throw(DimensionMismatch("grad has $d channels; expected at least 2, the last of them time"))
    return (d - 1, L)
end
function without_lag(d, L)
    iseven(d) && isodd(L) || throw(DimensionMismatch("grad has $L points of $d channels; expected 2L - 1 of 2d"))
    return (d ÷ 2, (L + 1) ÷ 2)
end

apply(f, shape, path::AbstractArray{<:Real}; options...) = apply_into(nothing, f, shape, path; options...)
apply(f, shape, paths::Ragged; lengths = nothing, options...) =
    no_lengths(lengths, "path", [apply(f, shape, path; options...) for path in paths])
apply!(out, f, shape, path::AbstractArray{<:Real}; options...) = apply_into(out, f, shape, path; options...)
apply!(out, f, shape, paths::Ragged; lengths = nothing, options...) =
    no_lengths(lengths, "path", each!((o, path) -> apply!(o, f, shape, path; options...), out, paths))

function apply_into(out, f, shape, path; flags = UInt64(0), end_time = 1, lengths = nothing)
    T = number_type(path)
    paths = Paths{T}(path, "path", lengths)
    options = place_x!(settings(; extra = flags, end_time = end_time), paths)
    return produce(out, T, (shape(paths.dim, paths.length)..., paths.axes...)) do to, count
        GC.@preserve paths check(f(T, paths.pointer, batch(paths), paths.length, paths.dim, to, count, options))
    end
end

pull_back(f, shape, grad::AbstractArray{<:Real}; options...) = pull_back_into(nothing, f, shape, grad; options...)
pull_back(f, shape, grads::Ragged; lengths = nothing, options...) =
    no_lengths(lengths, "grad", [pull_back(f, shape, grad; options...) for grad in grads])
pull_back!(out, f, shape, grad::AbstractArray{<:Real}; options...) = pull_back_into(out, f, shape, grad; options...)
pull_back!(out, f, shape, grads::Ragged; lengths = nothing, options...) =
    no_lengths(lengths, "grad", each!((o, grad) -> pull_back!(o, f, shape, grad; options...), out, grads))

function pull_back_into(out, f, shape, grad; flags = UInt64(0), lengths = nothing)
    ndims(grad) >= 2 || throw(DimensionMismatch("grad has size $(size(grad)); expected (channels, points, batch...)"))
    T = number_type(grad)
    own = size(grad)[3:end]
    d, L = shape(size(grad, 1), size(grad, 2))
    counts = whole_numbers(lengths, "grad", own, L)
    from = given(grad, T, size(grad))
    options = settings(; extra = flags)
    options.x_lengths = list_pointer(counts)
    return produce(out, T, (d, L, own...), "path_grad") do to, count
        GC.@preserve from counts check(f(T, address(from), length(from), prod(own), L, d, to, count, options))
    end
end

function no_lengths(lengths, name, result)
    lengths === nothing && return result
    throw(ArgumentError("$name is a vector of paths, which have lengths of their own; expected no others"))
end

function each!(f, out, paths)
    length(out) == length(paths) ||
        throw(DimensionMismatch("out has $(length(out)) entries; expected $(length(paths)), one a path"))
    foreach(f, out, paths)
    return out
end
