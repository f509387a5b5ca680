# Statuses of the library as exceptions.

"""
    GoursatError(status, message)

What the library could not do although the arguments were right: no memory, no support, or a fault of its own. `status`
is the name that include/goursat.h has for it. Wrong arguments are an `ArgumentError`, results and gradients of a wrong
size a `DimensionMismatch`.
"""
struct GoursatError <: Exception
    status::String
    message::String
end

Base.showerror(io::IO, failure::GoursatError) = print(io, "GoursatError: ", failure.message, " (", failure.status, ")")

"The sentence of the calling thread's last failed call."
function last_error()
    text = zeros(UInt8, MESSAGE_SIZE)
    GC.@preserve text begin
        goursat_last_error(pointer(text), length(text))
        unsafe_string(pointer(text))
    end
end

# Matrices and grids come out in column-major order by a call with x and y swapped: so are the names in its sentence.
swap_names(sentence) = replace(sentence, r"\b[xy](?=_|\b)" => name -> name == "x" ? "y" : "x")

function check(status::Int32, swapped::Bool = false)
    status == OK && return
    sentence = swapped ? swap_names(last_error()) : last_error()
    status in (INVALID_ARGUMENT, LENGTH_MISMATCH, OVERLAP) && throw(ArgumentError(sentence))
    throw(GoursatError(unsafe_string(goursat_status_name(status)), sentence))
end
