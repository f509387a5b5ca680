# Values together with their pullbacks, as frameworks of automatic differentiation want them.

"""
    Goursat.pullback(f, arguments...; options...)

The value of `f(arguments...; options...)` and its pullback, for `f` one of [`signature`](@ref), [`sigkernel`](@ref),
[`sigkernel_grid`](@ref), [`sigkernel_gram`](@ref), [`time_augment`](@ref) and [`lead_lag`](@ref). The pullback takes the
gradient of a scalar with respect to the value, and returns that with respect to the path, or a tuple of those with respect
to `x` and `y`.

```jldoctest
julia> k, back = Goursat.pullback(sigkernel, [0.0 1.0], [0.0 2.0 3.0]);

julia> gx, gy = back(1.0);

julia> (gx, gy) == sigkernel_backprop(1.0, [0.0 1.0], [0.0 2.0 3.0])
true
```
"""
pullback(::typeof(signature), path::PathLike, degree::Integer; options...) =
    signature(path, degree; options...), grad -> sig_backprop(grad, path, degree; options...)

function pullback(::typeof(sigkernel), x::PathLike, y::PathLike; options...)
    return sigkernel(x, y; options...), grad -> sigkernel_backprop(grad, x, y; options...)
end

pullback(::typeof(sigkernel_grid), x::PathLike, y::PathLike; options...) =
    sigkernel_grid(x, y; options...), grad -> sigkernel_grid_backprop(grad, x, y; options...)

pullback(::typeof(sigkernel_gram), x::PathLike, y::PathLike; options...) =
    sigkernel_gram(x, y; options...), grad -> sigkernel_gram_backprop(grad, x, y; options...)

pullback(::typeof(sigkernel_gram), x::PathLike; options...) =
    sigkernel_gram(x; options...), grad -> sigkernel_gram_backprop(grad, x; options...)

# Time has no gradient.
pullback(::typeof(time_augment), path::PathLike; end_time = 1, options...) =
    time_augment(path; end_time = end_time, options...), grad -> time_augment_backprop(grad; options...)

pullback(::typeof(lead_lag), path::PathLike; options...) =
    lead_lag(path; options...), grad -> lead_lag_backprop(grad; options...)
