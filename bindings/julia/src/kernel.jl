# Signature kernels of pairs of paths, and their gradients.

"""
    sigkernel(x, y; dyadic_order=0, time_aug=false, end_time=1, lead_lag=false, x_lengths=nothing, y_lengths=nothing,
              return_grid=false, n_threads=0, progress=false)

Signature kernels `k(x_b, y_b)` of pairs of paths: an array `(B...)` for `x` of size `(d, Lx, B...)` and `y` of size
`(d, Ly, B...)`, a number for two matrices. Batch axes broadcast, so that one path can meet a batch; a vector of matrices
is a ragged batch.

The kernel is the solution of the Goursat problem ∂²k/∂s∂t = ⟨x'_s, y'_t⟩ k, k = 1 on both axes, on a refined grid.

- `dyadic_order`: an integer or a tuple `(λ1, λ2)`, at most 16 each: every increment of `x` is cut into `2^λ1` parts, and
  those of `y` into `2^λ2`.
- `return_grid`: the whole solution, as [`sigkernel_grid`](@ref) gives it, whose type the compiler can infer.
- `time_aug`, `end_time`, `lead_lag`, `n_threads`, `progress`: as in [`signature`](@ref).
- `x_lengths`, `y_lengths`: points of each path of a ragged batch.

```jldoctest
julia> x = [0.0 1.0 1.0; 0.0 0.0 1.0]; y = [0.0 1.0; 0.0 1.0];

julia> round(sigkernel(x, y, dyadic_order=3), digits=3)
4.255
```
"""
function sigkernel(x::PathLike, y::PathLike; return_grid::Bool = false, options...)
    return_grid && return sigkernel_grid(x, y; options...)
    return scalar(sigkernel_into(nothing, x, y; options...))
end

"""
    sigkernel!(out, x, y; options...)

[`sigkernel`](@ref), written to `out` of size `(B...)`.
"""
function sigkernel!(out::AbstractArray, x::PathLike, y::PathLike; return_grid::Bool = false, options...)
    return_grid && return sigkernel_grid!(out, x, y; options...)
    return sigkernel_into(out, x, y; options...)
end

function sigkernel_into(out, x, y; x_lengths = nothing, y_lengths = nothing, progress = false, rest...)
    T = number_type(x, y)
    xs, ys = pairs_of(T, x, y, x_lengths, y_lengths, broadcasted)
    options = place_y!(place_x!(settings(; rest...), xs), ys)
    return produce(out, T, xs.axes) do to, count
        work = batch(xs) * pair_work(xs, ys, options)
        GC.@preserve xs ys call(options, work, progress) do options
            goursat_sigkernel(
                T, xs.pointer, xs.length, ys.pointer, ys.length, batch(xs), xs.dim, to, count, options,
            )
        end
    end
end

"Two batches with their common axes, which `widen` (`broadcasted` or `separated`) gives them."
function pairs_of(::Type{T}, x, y, x_lengths, y_lengths, widen) where {T}
    xs, ys = Paths{T}(x, "x", x_lengths), Paths{T}(y, "y", y_lengths)
    axes = common_axes(xs, ys)
    return widen(xs, axes), widen(ys, axes)
end

"""
    sigkernel_backprop(grad, x, y; wrt=:both, return_grid=false, options...)

Gradients `(gx, gy)` of a scalar F with respect to paths, from its gradient `grad` with respect to their kernels: of
size `(B...)`, or a number or an array that broadcasts to it. They are exact: the derivative of what [`sigkernel`](@ref)
computes, whose options these are. `wrt` is `:both`, `:x` or `:y`; one gradient alone is returned as such.

Gradients are shaped as the paths: summed over axes along which these were broadcast, zero beyond the end of a path, a
vector of matrices for a vector.

```jldoctest
julia> x = [0.0 1.0]; y = [0.0 2.0 3.0];

julia> gx, gy = sigkernel_backprop(1.0, x, y);

julia> size(gx), size(gy)
((1, 2), (1, 3))
```
"""
function sigkernel_backprop(grad, x::PathLike, y::PathLike; wrt = :both, options...)
    gradients = sigkernel_backprop!(wanted(wrt)..., grad, x, y; options...)
    return chosen(wrt, gradients)
end

"""
    sigkernel_backprop!(x_grad, y_grad, grad, x, y; return_grid=false, options...)

[`sigkernel_backprop`](@ref), written to `x_grad` and `y_grad`, which are shaped as `x` and `y`. One of them may be
`nothing`. Returns `(x_grad, y_grad)`.
"""
function sigkernel_backprop!(
    x_grad::Wanted, y_grad::Wanted, grad, x::PathLike, y::PathLike; return_grid::Bool = false, x_lengths = nothing,
    y_lengths = nothing, progress = false, rest...,
)
    return_grid && return sigkernel_grid_backprop!(x_grad, y_grad, grad, x, y; x_lengths, y_lengths, progress, rest...)
    T = gradient_type(grad, x, y)
    xs, ys = pairs_of(T, x, y, x_lengths, y_lengths, separated)
    options = place_y!(place_x!(settings(; rest...), xs), ys)
    from = given(grad, T, xs.axes)
    to_x, to_y = buffer(x_grad, xs, "x_grad"), buffer(y_grad, ys, "y_grad")
    work = 5 * batch(xs) * pair_work(xs, ys, options)
    GC.@preserve from xs ys to_x to_y call(options, work, progress) do options
        goursat_sigkernel_backprop(
            T, address(from), length(from), xs.pointer, xs.length, ys.pointer, ys.length, batch(xs), xs.dim,
            pointer_to(to_x, xs), elements(to_x), pointer_to(to_y, ys), elements(to_y), options,
        )
    end
    return deliver(x_grad, to_x, xs), deliver(y_grad, to_y, ys)
end

function wanted(wrt)
    wrt in (:both, "both") && return (New(), New())
    wrt in (:x, "x") && return (New(), nothing)
    wrt in (:y, "y") && return (nothing, New())
    throw(ArgumentError("wrt is $(repr(wrt)); expected :both, :x or :y"))
end

chosen(wrt, gradients) = wrt in (:both, "both") ? gradients : wrt in (:x, "x") ? gradients[1] : gradients[2]
