# The functions of include/goursat.h, one declaration each; test/header.jl compares them with the header.
# A declaration with T stands for the two functions with _f64 and _f32, of which the first argument chooses.

"What was declared: name in C, result and arguments with their types."
const DECLARATIONS = NamedTuple{(:name, :result, :arguments),Tuple{String,Any,Vector{Pair{Symbol,Any}}}}[]

"Where the library has each function, by the name in C; filled when the library is loaded."
const ADDRESSES = Dict{String,Base.RefValue{Ptr{Cvoid}}}()

"Whether the type of an argument is that of the numbers."
mentions_numbers(kind) = kind == :T || (kind isa Expr && any(mentions_numbers, kind.args))

function with_numbers(kind, numbers)
    kind == :T && return numbers
    kind isa Expr ? Expr(kind.head, map(part -> with_numbers(part, numbers), kind.args)...) : kind
end

"A method that calls one C function, and the note that it was declared."
function declared(name, c_name, result, names, kinds, numbers)
    address = Symbol("address_of_", c_name)
    arguments = [:($(QuoteNode(argument)) => $kind) for (argument, kind) in zip(names, kinds)]
    quote
        const $address = ADDRESSES[$c_name] = Ref{Ptr{Cvoid}}(C_NULL)
        push!(DECLARATIONS, (name = $c_name, result = $result, arguments = Pair{Symbol,Any}[$(arguments...)]))
        $name($(numbers...), $(names...)) = ccall($address[], $result, ($(kinds...),), $(names...))
    end
end

macro native(signature)
    call, result = signature.args
    name = call.args[1]
    names = Symbol[argument.args[1] for argument in call.args[2:end]]
    kinds = Any[argument.args[2] for argument in call.args[2:end]]
    any(mentions_numbers, kinds) || return esc(declared(name, String(name), result, names, kinds, ()))
    methods = map((("f64", :Float64), ("f32", :Float32))) do (suffix, numbers)
        of_numbers = map(kind -> with_numbers(kind, numbers), kinds)
        declared(name, "$(name)_$suffix", result, names, of_numbers, (:(::Type{$numbers}),))
    end
    esc(Expr(:block, methods...))
end

@native goursat_signature(path::Ptr{T}, batch::Csize_t, length::Csize_t, dim::Csize_t, degree::Csize_t,
    out::Ptr{T}, out_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sig_backprop(grad::Ptr{T}, grad_len::Csize_t, path::Ptr{T}, batch::Csize_t, length::Csize_t,
    dim::Csize_t, degree::Csize_t, path_grad::Ptr{T}, path_grad_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sigkernel(x::Ptr{T}, x_length::Csize_t, y::Ptr{T}, y_length::Csize_t, batch::Csize_t, dim::Csize_t,
    out::Ptr{T}, out_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sigkernel_backprop(grad::Ptr{T}, grad_len::Csize_t, x::Ptr{T}, x_length::Csize_t, y::Ptr{T},
    y_length::Csize_t, batch::Csize_t, dim::Csize_t, x_grad::Ptr{T}, x_grad_len::Csize_t, y_grad::Ptr{T},
    y_grad_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sigkernel_grid(x::Ptr{T}, x_length::Csize_t, y::Ptr{T}, y_length::Csize_t, batch::Csize_t,
    dim::Csize_t, out::Ptr{T}, out_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sigkernel_grid_backprop(grad::Ptr{T}, grad_len::Csize_t, x::Ptr{T}, x_length::Csize_t, y::Ptr{T},
    y_length::Csize_t, batch::Csize_t, dim::Csize_t, x_grad::Ptr{T}, x_grad_len::Csize_t, y_grad::Ptr{T},
    y_grad_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sigkernel_gram(x::Ptr{T}, x_batch::Csize_t, x_length::Csize_t, y::Ptr{T}, y_batch::Csize_t,
    y_length::Csize_t, dim::Csize_t, out::Ptr{T}, out_len::Csize_t, options::Ref{Options})::Int32
@native goursat_sigkernel_gram_backprop(grad::Ptr{T}, grad_len::Csize_t, x::Ptr{T}, x_batch::Csize_t,
    x_length::Csize_t, y::Ptr{T}, y_batch::Csize_t, y_length::Csize_t, dim::Csize_t, x_grad::Ptr{T},
    x_grad_len::Csize_t, y_grad::Ptr{T}, y_grad_len::Csize_t, options::Ref{Options})::Int32
@native goursat_time_augment(path::Ptr{T}, batch::Csize_t, length::Csize_t, dim::Csize_t, out::Ptr{T},
    out_len::Csize_t, options::Ref{Options})::Int32
@native goursat_time_augment_backprop(grad::Ptr{T}, grad_len::Csize_t, batch::Csize_t, length::Csize_t, dim::Csize_t,
    path_grad::Ptr{T}, path_grad_len::Csize_t, options::Ref{Options})::Int32
@native goursat_lead_lag(path::Ptr{T}, batch::Csize_t, length::Csize_t, dim::Csize_t, out::Ptr{T}, out_len::Csize_t,
    options::Ref{Options})::Int32
@native goursat_lead_lag_backprop(grad::Ptr{T}, grad_len::Csize_t, batch::Csize_t, length::Csize_t, dim::Csize_t,
    path_grad::Ptr{T}, path_grad_len::Csize_t, options::Ref{Options})::Int32
@native goursat_signature_length(dim::Csize_t, degree::Csize_t, options::Ref{Options}, length::Ref{Csize_t})::Int32
@native goursat_grid_shape(x_length::Csize_t, y_length::Csize_t, options::Ref{Options}, rows::Ref{Csize_t},
    columns::Ref{Csize_t})::Int32
@native goursat_version()::Cstring
@native goursat_version_number()::UInt32
@native goursat_simd_level()::Cstring
@native goursat_default_threads()::Int32
@native goursat_status_name(status::Int32)::Cstring
@native goursat_last_error(buffer::Ptr{UInt8}, length::Csize_t)::Csize_t
@native goursat_cuda_available()::Int32
@native goursat_cuda_device_count(count::Ref{Int32})::Int32
@native goursat_cuda_device(index::Int32, info::Ref{CudaDeviceInfo})::Int32
