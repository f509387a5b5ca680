# What README.md and the documentation of functions show is what happens.

@testset "README.md" begin
    sessions_shown = blocks(read(joinpath(@__DIR__, "..", "README.md"), String), "julia-repl")
    @test !isempty(sessions_shown)
    workspace = Module()
    foreach(block -> run_doctest(block, workspace), sessions_shown)
end

@testset "documentation of functions" begin
    source = joinpath(@__DIR__, "..", "src")
    shown_there = [block for file in readdir(source) for block in blocks(read(joinpath(source, file), String), "jldoctest")]
    @test length(shown_there) > 10
    foreach(run_doctest, shown_there)
    undocumented = filter(name -> !haskey(Docs.meta(Goursat), Docs.Binding(Goursat, name)), names(Goursat))
    @test isempty(undocumented)
end

@testset "the repository's README" begin
    readme = read(joinpath(ROOT, "README.md"), String)
    program = read(joinpath(ROOT, "examples", "minimal.jl"), String)
    @test only(blocks(readme, "julia")) == program
    code = "include($(repr(joinpath(ROOT, "examples", "minimal.jl"))))"
    printed = read(`$(Base.julia_cmd()) --project=$(Base.active_project()) -e $code`, String)
    @test printed == only(blocks(readme, "text"))
end
