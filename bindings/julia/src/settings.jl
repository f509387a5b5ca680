# Keyword arguments as the library's options.

function lead_lag_flags(lead_lag)
    lead_lag === false && return UInt64(0)
    lead_lag in (true, :lead_first, "lead_first") && return LEAD_LAG
    lead_lag in (:lag_first, "lag_first") && return LEAD_LAG | LAG_FIRST
    throw(ArgumentError("lead_lag is $(repr(lead_lag)); expected false, true or :lag_first"))
end

function orders(dyadic_order)
    dyadic_order isa Integer && return orders((dyadic_order, dyadic_order))
    dyadic_order isa Union{Tuple{Integer,Integer},Pair{<:Integer,<:Integer}} ||
        throw(ArgumentError("dyadic_order is $(repr(dyadic_order)); expected an integer or a tuple of two"))
    return count_of.(Tuple(dyadic_order), ("dyadic_order[1]", "dyadic_order[2]"), typemax(Int32))
end

"A whole number that the C interface can carry; what it means is the library's to say."
function count_of(value, name, most = typemax(Int))
    value isa Integer || throw(ArgumentError("$name is $(repr(value)); expected an integer"))
    0 <= value <= most || throw(ArgumentError("$name is $value; expected 0 or more, at most $most"))
    return Int(value)
end

"An end time that does not stand for the default."
function time_of_end(end_time)
    end_time isa Real || throw(ArgumentError("end_time is $(repr(end_time)); expected a number"))
    iszero(end_time) && throw(ArgumentError("end_time is 0; expected time that runs"))
    return Float64(end_time)
end

"Options of a function, but for where the paths lie."
function settings(; extra = UInt64(0), time_aug = false, end_time = 1, lead_lag = false, dyadic_order = 0, n_threads = 0)
    x_order, y_order = orders(dyadic_order)
    return Options(
        flags = (time_aug ? TIME_AUG : UInt64(0)) | lead_lag_flags(lead_lag) | extra,
        end_time = time_of_end(end_time),
        x_order = x_order,
        y_order = y_order,
        threads = count_of(n_threads, "n_threads", typemax(Int32)),
    )
end

"The options with x and y swapped."
function swap_orders!(options::Options)
    options.x_order, options.y_order = options.y_order, options.x_order
    return options
end

list_pointer(list::Nothing) = Ptr{Int64}(C_NULL)
list_pointer(list::Vector{Int64}) = pointer(list)

"Tells the options where paths lie, which must be preserved during the call."
function place_x!(options::Options, x::Paths)
    options.x_lengths, options.x_starts = list_pointer(x.lengths), list_pointer(x.starts)
    options.x_strides, options.x_size = x.strides, x.size
    return options
end

function place_y!(options::Options, y::Paths)
    options.y_lengths, options.y_starts = list_pointer(y.lengths), list_pointer(y.starts)
    options.y_strides, options.y_size = y.strides, y.size
    return options
end

"Roughly how many multiplications the kernel of one pair takes."
function pair_work(x::Paths, y::Paths, options::Options)
    cells = (options.flags & LEAD_LAG != 0 ? 4.0 : 1.0) * 2.0^(options.x_order + options.y_order)
    return float(x.length) * y.length * (x.dim + 8 * cells)
end
