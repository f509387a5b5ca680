# Batches of paths as Julia holds them, described to the library where they lie; copied only where they must be.

"A ragged batch: a vector of matrices `(d, L_b)`."
const Ragged = AbstractVector{<:AbstractMatrix}

"What can be a path or a batch of them."
const PathLike = Union{AbstractArray{<:Real},Ragged}

number_type(::Type{Float32}) = Float32
number_type(::Type{<:Real}) = Float64
number_type(array::AbstractArray{<:Real}) = number_type(eltype(array))
function number_type(paths::Ragged)
    kind = eltype(eltype(paths))
    kind isa DataType && isconcretetype(kind) && return number_type(kind)
    return all(path -> eltype(path) === Float32, paths) && !isempty(paths) ? Float32 : Float64
end
"Float32 where everything is, else Float64."
number_type(values...) = all(value -> number_type(value) === Float32, values) ? Float32 : Float64

"""
A batch of paths where it lies.

- `root` keeps the memory alive; `pointer` is the lowest address of the paths; `source` is the array given, if it was one.
- `own` are the batch axes as they were given, `axes` those after broadcasting.
- `length`, `dim`: the most points of a path, and its channels.
- `strides` from path to path, point to point, channel to channel; zeros where the batch is dense.
- `starts`, `lengths`: one entry a path, or nothing; `size`: elements that the paths span, 0 where the batch is dense.
- `counts`: points of the paths of a vector, which are packed one after the other or, for broadcasting, padded.
"""
struct Paths{T,M,N}
    root::Any
    pointer::Ptr{T}
    source::Any
    own::NTuple{M,Int}
    axes::NTuple{N,Int}
    length::Int
    dim::Int
    strides::NTuple{3,Int}
    starts::Union{Nothing,Vector{Int64}}
    lengths::Union{Nothing,Vector{Int64}}
    size::Int
    counts::Union{Nothing,Vector{Int}}
end

batch(paths::Paths) = prod(paths.axes)
is_packed(paths::Paths) = paths.counts !== nothing && paths.source === nothing

function Paths{T}(array::AbstractArray{<:Real}, name, lengths) where {T}
    ndims(array) >= 2 || throw(DimensionMismatch("$name has size $(size(array)); expected (channels, points, batch...)"))
    own = size(array)[3:end]
    return located(T, array, own, whole_numbers(lengths, name, own, size(array, 2)))
end

function Paths{T}(paths::Ragged, name, lengths) where {T}
    lengths === nothing ||
        throw(ArgumentError("$name is a vector of paths, which have lengths of their own; expected no others"))
    isempty(paths) && throw(ArgumentError("$name is empty; expected paths, or an array of size (channels, points, 0)"))
    dim = size(first(paths), 1)
    for (b, path) in enumerate(paths)
        size(path, 1) == dim ||
            throw(DimensionMismatch("$name[$b] has size $(size(path)); expected $dim channels, as $name[1] has"))
        size(path, 2) > 0 || throw(DimensionMismatch("$name[$b] has no points; expected 1 or more"))
    end
    counts = Int[size(path, 2) for path in paths]
    starts = cumsum([0; dim .* counts[1:end-1]])
    memory = Vector{T}(undef, dim * sum(counts))
    for (start, path) in zip(starts, paths)
        copyto!(memory, start + 1, path, firstindex(path), length(path))
    end
    own = (length(counts),)
    return Paths{T,1,1}(
        memory, pointer(memory), nothing, own, own, maximum(counts), dim, (0, 0, 0), starts, counts, length(memory), counts,
    )
end

"Lengths given for the paths of an array, one a path."
whole_numbers(::Nothing, name, own, most) = nothing
function whole_numbers(lengths, name, own, most)
    given = lengths isa Integer ? fill(lengths, own) : lengths
    key = name == "path" || name == "grad" ? "lengths" : "$(name)_lengths"
    given isa AbstractArray{<:Integer} ||
        throw(ArgumentError("$key is a $(typeof(lengths)); expected integers, one a path"))
    size(given) == own || throw(DimensionMismatch("$key has size $(size(given)); expected $own, the batch axes of $name"))
    for (b, n) in enumerate(given)
        1 <= n <= most || throw(ArgumentError("$key[$b] is $n; expected 1 to $most, the points of $name"))
    end
    return collect(Int64, vec(collect(given)))
end

"Describes an array `(d, L, own...)`, whose batch axes `own` are repeated where `axes` are longer."
function located(::Type{T}, array::AbstractArray, own::NTuple{M,Int}, lengths, axes::NTuple{N,Int} = own) where {T,M,N}
    d, L = size(array, 1), size(array, 2)
    place = eltype(array) === T ? layout(array) : nothing
    if place === nothing
        array = copied(T, array)
        place = layout(array)
    end
    start = pointer(place.root) + place.offset * sizeof(T)
    described(strides, starts, lowest, extent) = Paths{T,M,N}(
        place.root, start + lowest * sizeof(T), array, own, axes, L, d, strides, starts, lengths, extent, nothing,
    )
    extents = (d, L, axes...)
    repeated = ntuple(k -> k > M || own[k] == 1 ? 0 : place.strides[k+2], Val(N))
    is_packed(extents, (place.strides[1], place.strides[2], repeated...)) && return described((0, 0, 0), nothing, 0, 0)

    # An axis with one entry has no stride of its own.
    strides = map((n, stride) -> n == 1 ? 0 : stride, extents, (place.strides[1], place.strides[2], repeated...))
    reach = map((n, stride) -> (n - 1) * stride, extents, strides)
    lowest = sum(min.(reach, 0))
    path, starts = one_stride(axes, strides[3:end]), nothing
    if path === nothing || lowest < 0
        away(at) = mapreduce((i, stride) -> (i - 1) * stride, +, Tuple(at), strides[3:end]; init = 0)
        starts = Int64[away(at) - lowest for at in vec(CartesianIndices(axes))]
        path = 1
    end
    free(n, stride) = n == 1 ? 1 : stride # and all three 0 would mean dense
    three = (free(prod(axes), path), free(L, strides[2]), free(d, strides[1]))
    return described(three, starts, lowest, sum(abs, reach) + 1)
end

copied(::Type{T}, array::AbstractArray) where {T} = copyto!(Array{T}(undef, size(array)), array)

"The stride that walks over all axes, the first of them fastest, or nothing where there is none."
function one_stride(axes::Dims, strides)
    stride, expected = 0, nothing
    for (n, each) in zip(axes, strides)
        n == 1 && continue
        expected === nothing ? (stride = each) : each == expected || return nothing
        expected = n * each
    end
    return stride
end

# Broadcasting of batch axes, as Julia's: missing axes are 1, and 1 fits anything.

common_axes(x::Tuple{}, y::Tuple{}, whole) = ()
common_axes(x::Tuple{}, y::Dims, whole) = y
common_axes(x::Dims, y::Tuple{}, whole) = x
function common_axes(x::Dims, y::Dims, whole)
    a, b = x[1], y[1]
    a == b || a == 1 || b == 1 ||
        throw(DimensionMismatch("the batch axes of x, $(whole[1]), and of y, $(whole[2]), do not fit each other"))
    return (a == 1 ? b : a, common_axes(Base.tail(x), Base.tail(y), whole)...)
end

function common_axes(x::Paths, y::Paths)
    same_channels(x, y)
    return common_axes(x.own, y.own, (x.own, y.own))
end

same_channels(x::Paths, y::Paths) =
    x.dim == y.dim || throw(DimensionMismatch("y has $(y.dim) channels and x has $(x.dim); expected the same number"))

"Repeats the values of a batch along broadcast axes."
function spread(values::Vector{Int64}, own::Dims, axes::Dims)
    shaped = reshape(values, ntuple(k -> k <= length(own) ? own[k] : 1, length(axes)))
    return vec(shaped .+ zeros(Int64, axes))
end

"Repeats the paths along broadcast axes, without a copy."
function broadcasted(paths::Paths{T,M}, axes::NTuple{N,Int}) where {T,M,N}
    axes == paths.axes && return paths
    lengths = paths.lengths === nothing ? nothing : spread(paths.lengths, paths.own, axes)
    is_packed(paths) || return counted(located(T, paths.source, paths.own, lengths, axes), paths.counts)
    return Paths{T,M,N}(
        paths.root, paths.pointer, nothing, paths.own, axes, paths.length, paths.dim, paths.strides,
        spread(paths.starts, paths.own, axes), lengths, paths.size, paths.counts,
    )
end

counted(p::Paths{T,M,N}, counts) where {T,M,N} = Paths{T,M,N}(
    p.root, p.pointer, p.source, p.own, p.axes, p.length, p.dim, p.strides, p.starts, p.lengths, p.size, counts,
)

"""
Broadcasts so that every path has a place of its own in a gradient, which lies as its paths do: dense, or packed where
they are a vector. That takes a copy where views have several batch strides, or a negative one.
"""
function separated(paths::Paths{T,M}, axes::NTuple{N,Int}) where {T,M,N}
    is_packed(paths) && axes == paths.own && return paths
    repeated = broadcasted(is_packed(paths) ? padded(paths) : paths, axes)
    repeated.starts === nothing && return repeated
    dense = Array{T}(undef, paths.dim, paths.length, axes...)
    dense .= with_batch(repeated.source, paths.dim, paths.length, paths.own, axes)
    return Paths{T,M,N}(
        dense, pointer(dense), dense, paths.own, axes, paths.length, paths.dim, (0, 0, 0), nothing, repeated.lengths, 0,
        paths.counts,
    )
end

"An array `(d, L, own...)` as one of as many axes as `(d, L, axes...)` has."
with_batch(array, d, L, own::Dims, axes::Dims) =
    reshape(array, (d, L, ntuple(k -> k <= length(own) ? own[k] : 1, length(axes))...))

"Packed paths as an array, with zeros behind the shorter ones."
function padded(paths::Paths{T}) where {T}
    array = zeros(T, paths.dim, paths.length, paths.own...)
    for (b, (start, n)) in enumerate(zip(paths.starts, paths.counts))
        copyto!(view(array, :, 1:n, b), reshape(view(paths.root, start+1:start+n*paths.dim), paths.dim, n))
    end
    return counted(located(T, array, paths.own, paths.lengths), paths.counts)
end
