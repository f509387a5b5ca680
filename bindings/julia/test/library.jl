# How the library is found.

"Loads the package in a process of its own, with other variables; what it prints, and what it complains of."
function loading(variables...)
    environment = filter(variable -> variable.first != "GOURSAT_LIBRARY", ENV) |> Dict{String,String}
    code = "using Goursat; print(Goursat.library_path())"
    command = `$(Base.julia_cmd()) --project=$(Base.active_project()) -e $code`
    out, errors = IOBuffer(), IOBuffer()
    command = setenv(ignorestatus(command), merge(environment, Dict(variables...)))
    process = run(pipeline(command; stdout = out, stderr = errors))
    return success(process), String(take!(out)), String(take!(errors))
end

built = normpath(joinpath(@__DIR__, "..", "deps", "usr", "lib", "libgoursat.so"))

@testset "an environment variable says where" begin
    @test Goursat.library_path() == get(ENV, "GOURSAT_LIBRARY", built)
    fine, _, errors = loading("GOURSAT_LIBRARY" => "/nowhere/libgoursat.so")
    @test !fine
    @test occursin("the Goursat library could not be loaded; tried:", errors)
    @test occursin("/nowhere/libgoursat.so (GOURSAT_LIBRARY)", errors)
    @test !occursin("installed in the system", errors)
end

@testset "a library of something else" begin
    other = Goursat.Libdl.dlpath("libc.so.6")
    fine, _, errors = loading("GOURSAT_LIBRARY" => other)
    @test !fine && occursin("has no function goursat_", errors)
end

@testset "the package's own build, then the system" begin
    places = withenv(Goursat.library_candidates, "GOURSAT_LIBRARY" => nothing)
    @test last.(places) == [built, "libgoursat", "libgoursat.so.0"]
    mktempdir() do folder
        cp(Goursat.library_path(), joinpath(folder, "libgoursat.so.0"))
        fine, path, errors = loading("LD_LIBRARY_PATH" => folder)
        @test fine
        @test path == (isfile(built) ? built : "libgoursat.so.0")
    end
    if !isfile(built)
        fine, _, errors = loading()
        @test !fine
        @test occursin(built, errors) && occursin("libgoursat.so.0 (installed in the system)", errors)
    end
end
