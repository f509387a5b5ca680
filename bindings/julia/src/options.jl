# The library's options and constants, as include/goursat.h has them; test/header.jl compares.

"goursat_options: zeros after `size` mean the defaults."
mutable struct Options
    size::Csize_t
    flags::UInt64
    end_time::Float64
    x_order::UInt32
    y_order::UInt32
    threads::Int32
    memory::Int32
    device::Int32
    reserved::Int32
    stream::Ptr{Cvoid}
    workspace::Ptr{Cvoid}
    workspace_size::Csize_t
    x_lengths::Ptr{Int64}
    y_lengths::Ptr{Int64}
    x_starts::Ptr{Int64}
    y_starts::Ptr{Int64}
    x_strides::NTuple{3,Int64}
    y_strides::NTuple{3,Int64}
    x_size::Csize_t
    y_size::Csize_t
    progress::Ptr{Cvoid}
    progress_data::Ptr{Cvoid}
    workspace_query::Ptr{Csize_t}
end

Options(; flags = 0, end_time = 0, x_order = 0, y_order = 0, threads = 0) = Options(
    sizeof(Options), flags, end_time, x_order, y_order, threads, 0, 0, 0,
    C_NULL, C_NULL, 0, C_NULL, C_NULL, C_NULL, C_NULL, (0, 0, 0), (0, 0, 0), 0, 0, C_NULL, C_NULL, C_NULL,
)

"goursat_cuda_device_info."
mutable struct CudaDeviceInfo
    size::Csize_t
    total_memory::Csize_t
    capability_major::Int32
    capability_minor::Int32
    driver_version::Int32
    multiprocessors::Int32
    status::Int32
    reserved::Int32
    name::NTuple{256,UInt8}
end

CudaDeviceInfo() = CudaDeviceInfo(sizeof(CudaDeviceInfo), 0, 0, 0, 0, 0, 0, 0, ntuple(_ -> 0x00, 256))

const TIME_AUG = UInt64(1)
const LEAD_LAG = UInt64(2)
const LAG_FIRST = UInt64(4)
const SCALAR_TERM = UInt64(8)
const SYMMETRIC = UInt64(16)
const DIRECT = UInt64(32)

const OK = Int32(0)
const INVALID_ARGUMENT = Int32(2)
const LENGTH_MISMATCH = Int32(3)
const OVERLAP = Int32(5)
const CANCELLED = Int32(8)

const MESSAGE_SIZE = 384
