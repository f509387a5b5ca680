# Where the shared library is.

"Where it was loaded from."
const LIBRARY = Ref("")

"Places where the library may be, best first, as `(what the place is, path)`."
function library_candidates()
    chosen = get(ENV, "GOURSAT_LIBRARY", "")
    # Nothing else is tried then: who names a library must not be given another.
    isempty(chosen) || return [("GOURSAT_LIBRARY", chosen)]
    built = normpath(joinpath(@__DIR__, "..", "deps", "usr", "lib", "libgoursat.$(Libdl.dlext)"))
    return [
        ("built by deps/build.jl, which Pkg.build(\"Goursat\") runs", built),
        ("installed in the system", "libgoursat"),
        ("installed in the system", "libgoursat.so.0"),
    ]
end

"Opens the first library that can be had, and looks up its functions."
function load_library()
    tried = String[]
    for (place, path) in library_candidates()
        handle = try
            Libdl.dlopen(path)
        catch failure
            push!(tried, "  $path ($place): $(failure isa ErrorException ? failure.msg : failure)")
            continue
        end
        look_up(handle, path)
        LIBRARY[] = path
        return
    end
    error("the Goursat library could not be loaded; tried:\n", join(tried, "\n"))
end

function look_up(handle, path)
    for (name, address) in ADDRESSES
        found = Libdl.dlsym(handle, name; throw_error = false)
        found === nothing && error("$path has no function $name: it is not the library of this package")
        address[] = found
    end
end

"""
    Goursat.library_path()

Where the library was loaded from.
"""
library_path() = LIBRARY[]

"""
    Goursat.version()

The library's version.
"""
version() = VersionNumber(unsafe_string(goursat_version()))

"""
    Goursat.simd_level()

The instruction set in use: `"avx512"`, `"avx2"`, `"neon"` or `"portable"`. The environment variable GOURSAT_SIMD can
lower it.
"""
simd_level() = unsafe_string(goursat_simd_level())

"""
    Goursat.default_threads()

Threads of a call that does not say `n_threads`: what the environment variable GOURSAT_NUM_THREADS says, or the cores
that this process may use.
"""
default_threads() = Int(goursat_default_threads())

"""
    Goursat.cuda_reason()

Why CUDA cannot be used, in a sentence of the library; empty where it can.
"""
cuda_reason() = goursat_cuda_available() == OK ? "" : last_error()

"""
    Goursat.cuda_available()

Whether the library found a CUDA driver and a device that are new enough.
"""
cuda_available() = isempty(cuda_reason())

"""
    Goursat.cuda_devices()

The CUDA devices that the driver has, usable or not, as named tuples: `index`, `name`, `memory` in bytes, `capability`
(`v"9.0"` is sm_90), `multiprocessors`, `driver_version` (12080 is CUDA 12.8) and `usable`.
"""
function cuda_devices()
    count = Ref{Int32}(0)
    goursat_cuda_device_count(count)
    return [cuda_device(index) for index in Int32(0):(count[] - Int32(1))]
end

function cuda_device(index)
    info = CudaDeviceInfo()
    check(goursat_cuda_device(index, Ref(info)))
    name = String(collect(Iterators.takewhile(!iszero, info.name)))
    capability = VersionNumber(info.capability_major, info.capability_minor)
    return (
        index = Int(index), name = name, memory = Int(info.total_memory), capability = capability,
        multiprocessors = Int(info.multiprocessors), driver_version = Int(info.driver_version),
        usable = info.status == OK,
    )
end
