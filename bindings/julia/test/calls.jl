# Progress, interrupts, threads.

# Gram matrices that take some tenths of a second, and ones that take many seconds.
slow = walks(Float64, 2, 200, 40)
endless = walks(Float64, 2, 400, 256) ./ 10

@testset "progress" begin
    seen = Tuple{Int,Int,UInt}[]
    thread = ccall(:pthread_self, UInt, ())
    gram = sigkernel_gram(slow; dyadic_order = 2, n_threads = 1, progress = (done, total) -> push!(seen, (done, total, ccall(:pthread_self, UInt, ()))))
    @test gram == sigkernel_gram(slow; dyadic_order = 2)
    @test length(seen) >= 2
    @test issorted(first.(seen)) && all(0 <= done <= total for (done, total, _) in seen)
    @test seen[end][1] == seen[end][2]
    @test all(last.(seen) .== thread)
end

@testset "a bar" begin
    io = IOBuffer()
    bar = Goursat.Bar(io, -1)
    bar(0, 10)
    bar(5, 10)
    bar(5, 10)
    close(bar)
    @test String(take!(io)) == "\r[" * " "^50 * "]   0 %\r[" * "="^25 * " "^25 * "]  50 %\n"
end

@testset "an exception ends the call" begin
    calls = Ref(0)
    function report(done, total)
        calls[] += 1
        error("enough")
    end
    elapsed = @elapsed @test_throws ErrorException("enough") sigkernel_gram(endless; dyadic_order = 4, progress = report)
    @test calls[] == 1
    @test elapsed < 20 # and not the minutes that the call takes
    @test sigkernel_gram(slow) == sigkernel_gram(slow) # nothing is left behind
end

@testset "a report may wait, collect garbage and call the library" begin
    inner = Float64[]
    function report(done, total)
        sleep(0.001)
        GC.gc(false)
        push!(inner, sigkernel(slow[:, :, 1], slow[:, :, 2]))
    end
    other = @async [sigkernel(slow[:, :, 1], slow[:, :, 2]) for _ in 1:3]
    gram = sigkernel_gram(slow; dyadic_order = 2, progress = report)
    @test gram == sigkernel_gram(slow; dyadic_order = 2)
    @test !isempty(inner) && all(inner .== sigkernel(slow[:, :, 1], slow[:, :, 2]))
    @test fetch(other) == fill(inner[1], 3)
end

# In a process of its own: what a Ctrl-C in the REPL does.
@testset "Ctrl-C, $call" for call in (
    "sigkernel_gram(endless; dyadic_order = 4)",
    "sigkernel_gram(endless; dyadic_order = 4, n_threads = 1, progress = (done, total) -> nothing)",
    "sig_backprop(1.0, wide, 7)",
)
    code = """
        using Goursat
        Base.exit_on_sigint(false)
        endless = cumsum(randn(2, 400, 256) ./ 20, dims = 2)
        wide = cumsum(randn(8, 4000, 64) ./ 20, dims = 2)
        sigkernel(wide[:, 1:3, 1], wide[:, 1:3, 1])
        println("ready")
        try
            $call
        catch failure
            println(failure isa InterruptException ? "interrupted" : failure)
            println(sigkernel([0.0 1.0], [0.0 1.0]))
        end
    """
    process = open(`$(Base.julia_cmd()) --project=$(Base.active_project()) -e $code`, "r+")
    alarm = Timer(_ -> kill(process, Base.SIGKILL), 120)
    @test readline(process) == "ready"
    sleep(0.5)
    kill(process, Base.SIGINT)
    @test readline(process) == "interrupted"
    @test readline(process) == "2.25"
    wait(process)
    close(alarm)
    @test success(process)
end

@testset "threads" begin
    grad = randn(MersenneTwister(2), 40, 40)
    for f in (
        n -> signature(slow, 5; n_threads = n),
        n -> sigkernel_gram(slow; n_threads = n),
        n -> sigkernel_gram_backprop(grad, slow, slow; n_threads = n),
    )
        @test f(1) == f(2) == f(3) == f(0)
    end
    @test Goursat.default_threads() >= 1
    @test Goursat.cuda_available() == any(device -> device.usable, Goursat.cuda_devices())
    if isempty(Goursat.Libdl.find_library(["libcuda.so.1", "libcuda"]))
        @test !Goursat.cuda_available() && isempty(Goursat.cuda_devices())
        @test occursin("no CUDA driver: libcuda was not found", Goursat.cuda_reason())
    end
    @test Goursat.simd_level() in ("avx512", "avx2", "neon", "portable")
end

# Many threads of Julia at once, each with errors of its own, while the garbage collector runs.
@testset "threads of Julia" begin
    code = """
        using Goursat, Test
        x = cumsum(randn(2, 60, 20) ./ 5, dims = 2)
        expected = sigkernel_gram(x; dyadic_order = 2), signature(x, 4)
        sentences = fill("", 40)
        same = fill(false, 40)
        Threads.@threads for turn in 1:40
            same[turn] = (sigkernel_gram(x; dyadic_order = 2, progress = (done, total) -> GC.gc(false)), signature(x, 4)) == expected
            try
                sigkernel(x, x; dyadic_order = 16 + turn)
            catch failure
                sentences[turn] = failure.msg
            end
        end
        @test Threads.nthreads() == min(4, Sys.CPU_THREADS)
        @test all(same)
        @test all(occursin("is \$(16 + turn);", sentences[turn]) for turn in 1:40)
    """
    command = `$(Base.julia_cmd()) --project=$(Base.active_project()) -e $code`
    @test success(pipeline(setenv(command, merge(ENV, Dict("JULIA_NUM_THREADS" => "4"))); stderr = stderr))
end
