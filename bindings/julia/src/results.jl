# Where results and gradients go: into new arrays, or into those of a caller.

"""
Gives `f(pointer, length)` dense memory for a result of this size, and returns the result: `out`, which is written in
place if it is dense and of type T and copied to otherwise; a new array if it is nothing.
"""
function produce(f, out::Nothing, ::Type{T}, size::Dims, name = "out") where {T}
    made = Array{T}(undef, size)
    GC.@preserve made f(pointer(made), length(made))
    return made
end

function produce(f, out::AbstractArray, ::Type{T}, dims::Dims, name = "out") where {T}
    size(out) == dims || throw(DimensionMismatch("$name has size $(size(out)); expected $dims"))
    is_dense(out, T) || return copyto!(out, produce(f, nothing, T, dims))
    place = layout(out)
    GC.@preserve out f(pointer(place.root) + place.offset * sizeof(T), length(out))
    return out
end

"A number where there are no batch axes."
scalar(made::AbstractArray{<:Any,0}) = made[]
scalar(made) = made

"""
Dense memory for a gradient that is given: shaped as asked, of type T. A number, and axes of one entry, are repeated.
"""
given(grad::Number, ::Type{T}, dims::Dims) where {T} = fill(T(grad), dims)
function given(grad::AbstractArray{<:Real}, ::Type{T}, dims::Dims) where {T}
    if size(grad) == dims
        return is_dense(grad, T) ? grad : copied(T, grad)
    end
    fits = ndims(grad) <= length(dims) && all(k -> size(grad, k) in (1, dims[k]), 1:length(dims))
    fits || throw(DimensionMismatch("grad has size $(size(grad)); expected $dims"))
    made = Array{T}(undef, dims)
    made .= grad
    return made
end

"Address of a dense array."
function address(array::AbstractArray)
    place = layout(array)
    return pointer(place.root) + place.offset * sizeof(eltype(array))
end

# Gradients with respect to paths. `nothing` as an argument means not wanted, `New()` means a new array.

struct New end
const Wanted = Union{Nothing,New,AbstractArray}

"What the library writes the gradient of separated paths to: `out` itself where that will do."
buffer(out::Nothing, paths::Paths, name) = nothing
buffer(out::New, paths::Paths{T}, name) where {T} = new_buffer(paths)
function buffer(out::AbstractArray, paths::Paths{T}, name) where {T}
    check_shape(out, paths, name)
    direct = paths.counts === nothing && paths.axes == paths.own && is_dense(out, T)
    return direct ? out : new_buffer(paths)
end

new_buffer(paths::Paths{T}) where {T} =
    is_packed(paths) ? Vector{T}(undef, paths.size) : Array{T}(undef, paths.dim, paths.length, paths.axes...)

function check_shape(out, paths::Paths, name)
    if paths.counts === nothing
        expected = (paths.dim, paths.length, paths.own...)
        size(out) == expected || throw(DimensionMismatch("$name has size $(size(out)); expected $expected"))
        return
    end
    out isa Ragged && length(out) == length(paths.counts) ||
        throw(DimensionMismatch("$name is no vector of $(length(paths.counts)) matrices, as its paths are"))
    for (b, n) in enumerate(paths.counts)
        size(out[b]) == (paths.dim, n) ||
            throw(DimensionMismatch("$name[$b] has size $(size(out[b])); expected $((paths.dim, n))"))
    end
end

pointer_to(buffer::Nothing, ::Paths{T}) where {T} = Ptr{T}(C_NULL)
pointer_to(buffer::AbstractArray, ::Paths) = address(buffer)
elements(buffer) = buffer === nothing ? 0 : length(buffer)

"Hands a gradient over in the shape in which the paths were given, summed over broadcast axes."
deliver(out::Nothing, buffer, paths::Paths) = nothing
function deliver(out::New, buffer, paths::Paths{T}) where {T}
    if paths.counts === nothing
        return paths.axes == paths.own ? buffer : summed(buffer, paths)
    end
    return deliver([Matrix{T}(undef, paths.dim, n) for n in paths.counts], buffer, paths)
end
function deliver(out::AbstractArray, buffer, paths::Paths)
    out === buffer && return out
    paths.counts === nothing && return copyto!(out, paths.axes == paths.own ? buffer : summed(buffer, paths))
    if is_packed(paths)
        for (gradient, start) in zip(out, paths.starts)
            copyto!(gradient, firstindex(gradient), buffer, start + 1, length(gradient))
        end
    else
        whole = summed(buffer, paths)
        for (b, n) in enumerate(paths.counts)
            copyto!(out[b], view(whole, :, 1:n, b))
        end
    end
    return out
end

function summed(buffer, paths::Paths{T}) where {T}
    whole = Array{T}(undef, paths.dim, paths.length, paths.own...)
    sum!(with_batch(whole, paths.dim, paths.length, paths.own, paths.axes), buffer)
    return whole
end
