# Calls into the library: long ones report, let the garbage collector of other threads run, and can be interrupted.

"Multiplications from which on a call listens to Ctrl-C: some hundredths of a second."
const LONG = 2.0e7

mutable struct Watch
    report::Any
    failure::Any
    total::UInt64
end

# Called by the library on the calling thread. No exception may leave it: the frames below are Rust's. What is thrown,
# by the report or by Ctrl-C, which is held back outside the `try`, is kept and thrown after the call.
function on_progress(data::Ptr{Cvoid}, done::UInt64, total::UInt64)::Cint
    watch = unsafe_pointer_to_objref(data)::Watch
    watch.total = total
    watch.failure === nothing || return 1
    try
        reenable_sigint() do
            GC.safepoint()
            watch.report === nothing || watch.report(Int(done), Int(total))
        end
    catch failure
        watch.failure = failure
    end
    return watch.failure !== nothing
end

"""
Calls `f(options)`, which returns a status and takes roughly `work` multiplications. `progress` is as the public functions
document it; `swapped` tells that the library was given x as y and y as x.
"""
function call(f, options::Options, work::Real, progress, swapped::Bool = false)
    progress === false && work < LONG && return check(f(options), swapped)
    bar = progress === true ? Bar(stderr, -1) : nothing
    watch = Watch(bar !== nothing ? bar : progress === false ? nothing : progress, nothing, 1)
    status = try
        watched(f, options, watch)
    finally
        bar === nothing || close(bar)
    end
    check(status, swapped)
end

function watched(f, options::Options, watch::Watch)
    options.progress = @cfunction(on_progress, Cint, (Ptr{Cvoid}, UInt64, UInt64))
    options.progress_data = pointer_from_objref(watch)
    # A report may wait, for output say; but its task must go on where the library's frames are.
    task = current_task()
    sticky = task.sticky
    task.sticky = true
    status = GC.@preserve watch try
        disable_sigint(() -> f(options))
    finally
        task.sticky = sticky
    end
    watch.failure === nothing || throw(watch.failure)
    status == OK && watch.report !== nothing && watch.report(Int(watch.total), Int(watch.total))
    return status
end

"A bar of fifty characters."
mutable struct Bar
    io::IO
    shown::Int
end

function (bar::Bar)(done::Int, total::Int)
    percent = total > 0 ? 100 * done ÷ total : 100
    percent == bar.shown && return
    bar.shown = percent
    print(bar.io, "\r[", rpad("="^(percent ÷ 2), 50), "] ", lpad(percent, 3), " %")
end

Base.close(bar::Bar) = bar.shown < 0 || println(bar.io)
