# The declarations against include/goursat.h, which is parsed here without a word from the package.

header = read(joinpath(ROOT, "include", "goursat.h"), String)
header = replace(replace(header, r"/\*.*?\*/"s => " "), r"//.*" => " ")

tidy(text) = join(split(replace(replace(text, "*" => " * "), "struct goursat_" => "goursat_")), ' ')

const C_TYPES = Dict(
    "size_t" => Csize_t, "int32_t" => Int32, "uint32_t" => UInt32, "uint64_t" => UInt64, "double" => Float64,
    "const double *" => Ptr{Float64}, "double *" => Ptr{Float64}, "const float *" => Ptr{Float32},
    "float *" => Ptr{Float32}, "char *" => Ptr{UInt8}, "const char *" => Cstring, "size_t *" => Ref{Csize_t},
    "const goursat_options *" => Ref{Goursat.Options}, "int32_t *" => Ref{Int32},
    "goursat_cuda_device_info *" => Ref{Goursat.CudaDeviceInfo}, "void *" => Ptr{Cvoid}, "const int64_t *" => Ptr{Int64},
    "goursat_progress" => Ptr{Cvoid},
)

"Type and name of a declaration such as `const double *x`."
function split_declaration(text)
    found = match(r"^(.*?)(\w+)\s*(\[3\])?$"s, strip(text))
    kind = C_TYPES[tidy(found.captures[1])]
    return Symbol(found.captures[2]) => kind
end

code = replace(header, r"^\s*#.*$"m => "")
functions = Dict(
    found.captures[2] => (C_TYPES[tidy(found.captures[1])], found.captures[3]) for
    found in eachmatch(r"((?:const\s+)?\w+[\s*]+)(goursat_\w+)\s*\(([^()]*)\)\s*;", code)
)

@testset "functions" begin
    @test length(functions) > 25
    @test Set(keys(functions)) == Set(d.name for d in Goursat.DECLARATIONS)
    for declaration in Goursat.DECLARATIONS
        result, arguments = functions[declaration.name]
        theirs = strip(arguments) == "void" ? [] : map(split_declaration, split(arguments, ','))
        @test (declaration.name, declaration.result, declaration.arguments) == (declaration.name, result, theirs)
    end
end

@testset "options" begin
    body = match(r"typedef struct goursat_options \{(.*?)\} goursat_options;"s, header).captures[1]
    fields = filter(!isempty, strip.(split(body, ';')))
    @test collect(fieldnames(Goursat.Options)) == [split_declaration(replace(f, r"int64_t (\w+)\[3\]" => s"const int64_t *\1")).first for f in fields]
    for (field, kind) in zip(fields, fieldtypes(Goursat.Options))
        expected = endswith(field, "[3]") ? NTuple{3,Int64} : split_declaration(field).second
        expected === Ref{Csize_t} && (expected = Ptr{Csize_t}) # a field is no argument
        @test (field, kind) == (field, expected)
    end
    # No padding, so the offsets are the sums of the sizes, in C as here.
    @test sizeof(Goursat.Options) == sum(sizeof, fieldtypes(Goursat.Options))
end

@testset "devices" begin
    body = match(r"typedef struct goursat_cuda_device_info \{(.*?)\} goursat_cuda_device_info;"s, header).captures[1]
    fields = filter(!isempty, strip.(split(body, ';')))
    @test [string(name) for name in fieldnames(Goursat.CudaDeviceInfo)] == [match(r"(\w+)(\[256\])?$", f).captures[1] for f in fields]
    for (field, kind) in zip(fields, fieldtypes(Goursat.CudaDeviceInfo))
        @test kind == (endswith(field, "[256]") ? NTuple{256,UInt8} : split_declaration(field).second)
    end
    @test sizeof(Goursat.CudaDeviceInfo) == sum(sizeof, fieldtypes(Goursat.CudaDeviceInfo))
end

@testset "progress callback" begin
    declared = match(r"typedef\s+int\s*\(\*goursat_progress\)\s*\(([^()]*)\)", header).captures[1]
    @test map(last ∘ split_declaration, split(declared, ',')) == [Ptr{Cvoid}, UInt64, UInt64]
    @test hasmethod(Goursat.on_progress, Tuple{Ptr{Cvoid},UInt64,UInt64})
end

@testset "constants" begin
    value(name) = parse(Int, match(Regex("GOURSAT_$name\\s*=?\\s*(\\d+)"), header).captures[1])
    for name in ("TIME_AUG", "LEAD_LAG", "LAG_FIRST", "SCALAR_TERM", "SYMMETRIC", "DIRECT")
        @test getfield(Goursat, Symbol(name)) == value(name)
    end
    for name in ("OK", "INVALID_ARGUMENT", "LENGTH_MISMATCH", "OVERLAP", "CANCELLED")
        @test getfield(Goursat, Symbol(name)) == value(name)
        @test unsafe_string(Goursat.goursat_status_name(Int32(value(name)))) == "GOURSAT_$name"
    end
    @test Goursat.MESSAGE_SIZE == value("MESSAGE_SIZE")
end

@testset "version" begin
    in_file(file) = VersionNumber(match(r"^version = \"(.+)\""m, read(file, String)).captures[1])
    @test in_file(joinpath(ROOT, "Cargo.toml")) == in_file(joinpath(@__DIR__, "..", "Project.toml")) == Goursat.version()
    v = Goursat.version()
    @test Goursat.goursat_version_number() == 10000 * v.major + 100 * v.minor + v.patch
end
