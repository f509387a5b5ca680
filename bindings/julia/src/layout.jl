# Where the numbers of an array lie, so that views of any kind are read in place.

"Element `(i, j, ...)` is at `pointer(root) + offset + (i - 1) * strides[1] + (j - 1) * strides[2] + ...`, in elements."
struct Layout{R,N}
    root::R
    offset::Int
    strides::NTuple{N,Int}
end

layout(array::DenseArray) = Layout(array, 0, dense_strides(size(array)))

dense_strides(size::NTuple{N,Int}) where {N} = ntuple(k -> prod(size[1:k-1]), Val(N))

# Wrappers take the layout of what they wrap. `nothing` where there is none.
layout(array::AbstractArray) = nothing

function layout(array::Union{Adjoint{<:Real},Transpose{<:Real}})
    inner = layout(parent(array))
    inner === nothing && return nothing
    # The adjoint of a vector is a matrix of one row.
    strides = ndims(parent(array)) == 1 ? (1, inner.strides[1]) : reverse(inner.strides)
    return Layout(inner.root, inner.offset, strides)
end

function layout(array::PermutedDimsArray{<:Any,N,permutation}) where {N,permutation}
    inner = layout(parent(array))
    inner === nothing && return nothing
    return Layout(inner.root, inner.offset, ntuple(k -> inner.strides[permutation[k]], Val(N)))
end

# A reshape keeps the memory of what is dense, and so do numbers that are read as others.
function layout(array::Base.ReshapedArray)
    inner = layout(parent(array))
    inner === nothing && return nothing
    is_packed(size(parent(array)), inner.strides) || return nothing
    return Layout(inner.root, inner.offset, dense_strides(size(array)))
end

layout(array::Base.ReinterpretArray) =
    parent(array) isa DenseArray ? Layout(array, 0, dense_strides(size(array))) : nothing

function layout(array::SubArray{<:Any,<:Any,<:AbstractArray,<:Tuple{Vararg{Union{Int,AbstractRange{Int}}}}})
    indices = parentindices(array)
    length(indices) == ndims(parent(array)) || return nothing
    inner = layout(parent(array))
    inner === nothing && return nothing
    offset = inner.offset + sum(map((index, stride) -> (first(index) - 1) * stride, indices, inner.strides))
    return Layout(inner.root, offset, kept(indices, inner.strides))
end

# Strides of the axes that ranges keep and integers drop.
kept(::Tuple{}, ::Tuple{}) = ()
kept(indices::Tuple{Int,Vararg{Any}}, strides) = kept(Base.tail(indices), Base.tail(strides))
kept(indices::Tuple{AbstractRange,Vararg{Any}}, strides) =
    (step(indices[1]) * strides[1], kept(Base.tail(indices), Base.tail(strides))...)

"Whether an array is dense, column-major memory of numbers of type T."
function is_dense(array::AbstractArray{T}, ::Type{T}) where {T}
    place = layout(array)
    return place !== nothing && is_packed(size(array), place.strides)
end
is_dense(::AbstractArray, ::Type) = false

"Whether these strides are those of a dense array; the stride of an axis with one entry is free."
function is_packed(size::Dims, strides)
    0 in size && return true
    expected = 1
    for (n, stride) in zip(size, strides)
        n == 1 || stride == expected || return false
        expected *= n
    end
    return true
end
