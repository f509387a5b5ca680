# Matrices of signature kernels, and their gradients. Row-major for (y, x) is column-major for (x, y): x and y are given
# to the library swapped, and nothing is transposed.

"""
    sigkernel_gram(x, y; dyadic_order=0, time_aug=false, end_time=1, lead_lag=false, x_lengths=nothing,
                   y_lengths=nothing, n_threads=0, progress=false)
    sigkernel_gram(x; ...)

The matrix `K[i, j] = sigkernel(x_i, y_j)` of all pairs of paths of two batches `(d, Lx, Bx)` and `(d, Ly, By)`, or
vectors of matrices `(d, L_b)`. Without `y`, that of `x` with itself, at half the cost and symmetric to the last bit; it
needs one dyadic order for both sides. The options are those of [`sigkernel`](@ref).

```jldoctest
julia> x = cat([0.0 1.0], [0.0 2.0], dims=3);

julia> round.(sigkernel_gram(x, dyadic_order=5), digits=2)
2×2 Matrix{Float64}:
 2.28   4.25
 4.25  11.31
```
"""
sigkernel_gram(x::PathLike, y::Union{Nothing,PathLike} = nothing; options...) =
    sigkernel_gram_into(nothing, x, y; options...)

"""
    sigkernel_gram!(out, x, y; options...)
    sigkernel_gram!(out, x; options...)

[`sigkernel_gram`](@ref), written to the matrix `out`.
"""
sigkernel_gram!(out::AbstractArray, x::PathLike, y::Union{Nothing,PathLike} = nothing; options...) =
    sigkernel_gram_into(out, x, y; options...)

function sigkernel_gram_into(out, x, y; x_lengths = nothing, y_lengths = nothing, progress = false, rest...)
    T = y === nothing ? number_type(x) : number_type(x, y)
    xs, ys = sides(T, x, y, x_lengths, y_lengths)
    options = gram_settings(xs, ys; rest...)
    dims = (batch(xs), batch(ys === nothing ? xs : ys))
    return produce(out, T, dims) do to, count
        work = (ys === nothing ? count / 2 : float(count)) * pair_work(xs, ys === nothing ? xs : ys, options)
        GC.@preserve xs ys call(options, work, progress, ys !== nothing) do options
            goursat_sigkernel_gram(T, gram_sides(xs, ys)..., xs.dim, to, count, options)
        end
    end
end

function sides(::Type{T}, x, y, x_lengths, y_lengths) where {T}
    xs = one_axis(Paths{T}(x, "x", x_lengths), "x")
    if y === nothing
        y_lengths === nothing || throw(ArgumentError("y_lengths are given without y"))
        return xs, nothing
    end
    ys = one_axis(Paths{T}(y, "y", y_lengths), "y")
    same_channels(xs, ys)
    return xs, ys
end

function one_axis(paths::Paths, name)
    length(paths.own) == 1 && return paths
    shape = (paths.dim, paths.length, paths.own...)
    throw(DimensionMismatch("$name has size $shape; expected (channels, points, batch)"))
end

# The library's options: of x alone, or of x and y swapped.
function gram_settings(xs, ys; rest...)
    ys === nothing && return place_x!(settings(; extra = SYMMETRIC, rest...), xs)
    return place_y!(place_x!(swap_orders!(settings(; rest...)), ys), xs)
end

gram_sides(xs::Paths{T}, ::Nothing) where {T} = (xs.pointer, batch(xs), xs.length, Ptr{T}(C_NULL), 0, 0)
gram_sides(xs::Paths, ys::Paths) = (ys.pointer, batch(ys), ys.length, xs.pointer, batch(xs), xs.length)

"""
    sigkernel_gram_backprop(grad, x, y; wrt=:both, options...)
    sigkernel_gram_backprop(grad, x; options...)

Gradients `(gx, gy)` of a scalar F with respect to paths, from its gradient `grad` with respect to their Gram matrix: a
matrix `(Bx, By)`, or a number or an array that broadcasts to it. `wrt` is `:both`, `:x` or `:y`; one gradient alone is
returned as such. Without `y`, the total derivative with respect to `x`: F depends on it through both sides of the matrix.

```jldoctest
julia> x = cat([0.0 1.0], [0.0 2.0], dims=3);

julia> size(sigkernel_gram_backprop(ones(2, 2), x))
(1, 2, 2)
```
"""
function sigkernel_gram_backprop(grad, x::PathLike, y::PathLike; wrt = :both, options...)
    return chosen(wrt, sigkernel_gram_backprop!(wanted(wrt)..., grad, x, y; options...))
end
sigkernel_gram_backprop(grad, x::PathLike; options...) = sigkernel_gram_backprop!(New(), grad, x; options...)

"""
    sigkernel_gram_backprop!(x_grad, y_grad, grad, x, y; options...)
    sigkernel_gram_backprop!(x_grad, grad, x; options...)

[`sigkernel_gram_backprop`](@ref), written to `x_grad` and `y_grad`, which are shaped as `x` and `y`. One of two may be
`nothing`.
"""
sigkernel_gram_backprop!(x_grad::Wanted, y_grad::Wanted, grad, x::PathLike, y::PathLike; options...) =
    gram_backprop_into(x_grad, y_grad, grad, x, y; options...)
sigkernel_gram_backprop!(x_grad::Union{New,AbstractArray}, grad, x::PathLike; options...) =
    gram_backprop_into(x_grad, nothing, grad, x, nothing; options...)[1]

function gram_backprop_into(
    x_grad, y_grad, grad, x, y; x_lengths = nothing, y_lengths = nothing, progress = false, rest...,
)
    T = y === nothing ? gradient_type(grad, x) : gradient_type(grad, x, y)
    xs, ys = sides(T, x, y, x_lengths, y_lengths)
    xs = separated(xs, xs.own)
    ys = ys === nothing ? nothing : separated(ys, ys.own)
    options = gram_settings(xs, ys; rest...)
    from = given(grad, T, (batch(xs), batch(ys === nothing ? xs : ys)))
    to_x, to_y = buffer(x_grad, xs, "x_grad"), ys === nothing ? nothing : buffer(y_grad, ys, "y_grad")
    outputs = (pointer_to(to_x, xs), elements(to_x)), (pointer_to(to_y, xs), elements(to_y))
    outputs = ys === nothing ? outputs : reverse(outputs)
    work = 5 * length(from) * pair_work(xs, ys === nothing ? xs : ys, options)
    GC.@preserve from xs ys to_x to_y call(options, work, progress, ys !== nothing) do options
        goursat_sigkernel_gram_backprop(
            T, address(from), length(from), gram_sides(xs, ys)..., xs.dim, outputs[1]..., outputs[2]..., options,
        )
    end
    return deliver(x_grad, to_x, xs), ys === nothing ? nothing : deliver(y_grad, to_y, ys)
end
