# The whole solution of the Goursat problem, and its gradients. The library's grids are row-major, Julia's column-major:
# the grid of (y, x) in the one is that of (x, y) in the other, bit for bit, so x and y are given to it swapped.

function grid_size(x::Paths, y::Paths, options::Options)
    rows, columns = Ref{Csize_t}(0), Ref{Csize_t}(0)
    check(goursat_grid_shape(x.length, y.length, options, rows, columns))
    return Int(rows[]), Int(columns[])
end

"""
    sigkernel_grid(x, y; options...)

The solution of the Goursat problem at every node of the refined grid of each pair: an array `(rows, columns, B...)`.
Entry `[i, j]` is the kernel of `x` up to node `i` and `y` up to node `j`; the first row and column are 1, the last entry
is [`sigkernel`](@ref), whose options these are. `rows = 2^λ1 * Tx + 1` and `columns = 2^λ2 * Ty + 1` for T increments
after the transforms. Entries beyond the end of a ragged pair are NaN.

```jldoctest
julia> sigkernel_grid([0.0 1.0], [0.0 1.0 2.0])
2×3 Matrix{Float64}:
 1.0  1.0   1.0
 1.0  2.25  4.22917
```
"""
sigkernel_grid(x::PathLike, y::PathLike; options...) = sigkernel_grid_into(nothing, x, y; options...)

"""
    sigkernel_grid!(out, x, y; options...)

[`sigkernel_grid`](@ref), written to `out` of size `(rows, columns, B...)`.
"""
sigkernel_grid!(out::AbstractArray, x::PathLike, y::PathLike; options...) =
    sigkernel_grid_into(out, x, y; options...)

function sigkernel_grid_into(out, x, y; x_lengths = nothing, y_lengths = nothing, progress = false, rest...)
    T = number_type(x, y)
    xs, ys = pairs_of(T, x, y, x_lengths, y_lengths, broadcasted)
    options = settings(; rest...)
    dims = (grid_size(xs, ys, options)..., xs.axes...)
    place_y!(place_x!(swap_orders!(options), ys), xs)
    return produce(out, T, dims) do to, count
        work = batch(xs) * pair_work(xs, ys, options)
        GC.@preserve xs ys call(options, work, progress, true) do options
            goursat_sigkernel_grid(
                T, ys.pointer, ys.length, xs.pointer, xs.length, batch(xs), xs.dim, to, count, options,
            )
        end
    end
end

"""
    sigkernel_grid_backprop(grad, x, y; wrt=:both, options...)

[`sigkernel_backprop`](@ref) for a function of the whole grid: `grad` is of size `(rows, columns, B...)`, or a number or an
array that broadcasts to it. Entries beyond the end of either path are not read.
"""
sigkernel_grid_backprop(grad, x::PathLike, y::PathLike; wrt = :both, options...) =
    chosen(wrt, sigkernel_grid_backprop!(wanted(wrt)..., grad, x, y; options...))

"""
    sigkernel_grid_backprop!(x_grad, y_grad, grad, x, y; options...)

[`sigkernel_grid_backprop`](@ref), written to `x_grad` and `y_grad`, of which one may be `nothing`.
"""
function sigkernel_grid_backprop!(
    x_grad::Wanted, y_grad::Wanted, grad, x::PathLike, y::PathLike; x_lengths = nothing, y_lengths = nothing,
    progress = false, rest...,
)
    T = gradient_type(grad, x, y)
    xs, ys = pairs_of(T, x, y, x_lengths, y_lengths, separated)
    options = settings(; rest...)
    from = given(grad, T, (grid_size(xs, ys, options)..., xs.axes...))
    place_y!(place_x!(swap_orders!(options), ys), xs)
    to_x, to_y = buffer(x_grad, xs, "x_grad"), buffer(y_grad, ys, "y_grad")
    work = 5 * batch(xs) * pair_work(xs, ys, options)
    GC.@preserve from xs ys to_x to_y call(options, work, progress, true) do options
        goursat_sigkernel_grid_backprop(
            T, address(from), length(from), ys.pointer, ys.length, xs.pointer, xs.length, batch(xs), xs.dim,
            pointer_to(to_y, ys), elements(to_y), pointer_to(to_x, xs), elements(to_x), options,
        )
    end
    return deliver(x_grad, to_x, xs), deliver(y_grad, to_y, ys)
end
