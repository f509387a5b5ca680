# Bad input gets a sentence that names argument, value and expectation.

x, y = walks(Float64, 2, 7, 3), walks(Float64, 2, 9, 3; seed = 5)

"The sentence of what `f` throws, which is of a type."
function sentence(f, kind)
    try
        f()
    catch failure
        failure isa kind || rethrow()
        return sprint(showerror, failure)
    end
    return "nothing was thrown"
end

cases = (
    (() -> signature(x, 0), ArgumentError, r"degree is 0; expected"),
    (() -> signature(x, -1), ArgumentError, "degree is -1; expected 0 or more"),
    (() -> signature(x, 60), ArgumentError, r"degree"),
    (() -> signature(zeros(2, 0), 2), ArgumentError, "length is 0; a path has at least one point"),
    (() -> signature(zeros(0, 4), 2), ArgumentError, "dim is 0; a path has at least one channel"),
    (() -> signature(x, 2; n_threads = -1), ArgumentError, "n_threads is -1; expected 0 or more"),
    (() -> signature(x, 2; lead_lag = :lagfirst), ArgumentError, "lead_lag is :lagfirst; expected false, true or :lag_first"),
    (() -> signature(x, 2; time_aug = true, end_time = 0), ArgumentError, "end_time is 0; expected time that runs"),
    (() -> signature(x, 2; time_aug = true, end_time = Inf), ArgumentError, r"end_time is inf"i),
    (() -> signature(x, 2; lengths = [7, 8, 1]), ArgumentError, "lengths[2] is 8; expected 1 to 7"),
    (() -> signature(x, 2; lengths = [7, 7, 0]), ArgumentError, "lengths[3] is 0; expected 1 to 7"),
    (() -> signature(x, 2; lengths = [7, 7]), DimensionMismatch, "lengths has size (2,); expected (3,)"),
    (() -> signature(x, 2; lengths = [7.0, 7.0, 7.0]), ArgumentError, "expected integers"),
    (() -> signature([x[:, :, 1]], 2; lengths = [7]), ArgumentError, "have lengths of their own"),
    (() -> signature(Matrix{Float64}[], 2), ArgumentError, "path is empty"),
    (() -> signature([zeros(2, 3), zeros(3, 3)], 2), DimensionMismatch, "path[2] has size (3, 3); expected 2 channels"),
    (() -> signature([zeros(2, 3), zeros(2, 0)], 2), DimensionMismatch, "path[2] has no points"),
    (() -> signature(zeros(3), 2), DimensionMismatch, "path has size (3,); expected (channels, points, batch...)"),
    (() -> signature!(zeros(5, 3), x, 2), DimensionMismatch, "out has size (5, 3); expected (6, 3)"),
    (() -> sigkernel(x, zeros(3, 4, 3)), DimensionMismatch, "y has 3 channels and x has 2"),
    (() -> sigkernel(x, y[:, :, 1:2]), DimensionMismatch, "the batch axes of x, (3,), and of y, (2,), do not fit"),
    (() -> sigkernel(x, y; dyadic_order = 17), ArgumentError, r"x_order is 17; expected"),
    (() -> sigkernel(x, y; dyadic_order = (0, 17)), ArgumentError, r"y_order is 17; expected"),
    (() -> sigkernel(x, y; dyadic_order = -1), ArgumentError, "dyadic_order[1] is -1; expected 0 or more"),
    (() -> sigkernel(x, y; dyadic_order = (1, 2, 3)), ArgumentError, "dyadic_order is (1, 2, 3); expected an integer or a tuple"),
    (() -> sigkernel(x, y; y_lengths = [9, 10, 9]), ArgumentError, "y_lengths[2] is 10; expected 1 to 9"),
    # In swapped calls too, arguments have the names that the caller knows.
    (() -> sigkernel_gram(x, y; dyadic_order = (17, 0)), ArgumentError, r"x_order is 17; expected"),
    (() -> sigkernel_grid(x, y; dyadic_order = (0, 17)), ArgumentError, r"y_order is 17; expected"),
    (() -> sigkernel_gram(zeros(2, 0, 1), y), ArgumentError, "x_length is 0; a path"),
    (() -> sigkernel_gram(x, zeros(2, 0, 1)), ArgumentError, "y_length is 0; a path"),
    (() -> sigkernel_gram(x; dyadic_order = (1, 2)), ArgumentError, r"x_order is 1 .*y_order|y_order is 2"),
    (() -> sigkernel_gram(x; y_lengths = [1]), ArgumentError, "y_lengths are given without y"),
    (() -> sigkernel_gram(x[:, :, 1]), DimensionMismatch, "x has size (2, 7); expected (channels, points, batch)"),
    (() -> sigkernel_backprop(ones(2), x, y), DimensionMismatch, "grad has size (2,); expected (3,)"),
    (() -> sigkernel_backprop(1.0, x, y; wrt = :z), ArgumentError, "wrt is :z; expected :both, :x or :y"),
    (() -> sigkernel_backprop!(nothing, nothing, 1.0, x, y), GoursatError, r"x_grad"),
    (() -> sigkernel_backprop!(zeros(2, 7), nothing, 1.0, x, y), DimensionMismatch, "x_grad has size (2, 7); expected (2, 7, 3)"),
    (() -> sigkernel_gram!(view(x, :, :, 1), x, y), DimensionMismatch, "out has size"),
    (() -> time_augment_backprop(zeros(1, 4)), DimensionMismatch, "grad has 1 channels; expected at least 2"),
    (() -> lead_lag_backprop(zeros(2, 4)), DimensionMismatch, "grad has 4 points of 2 channels; expected 2L - 1 of 2d"),
)

@testset "$expected" for (f, kind, expected) in cases
    @test occursin(expected, sentence(f, kind))
end

@testset "outputs that overlap inputs" begin
    memory = walks(Float64, 2, 7, 3)
    before = copy(memory)
    @test occursin(r"overlaps?|shares?", sentence(() -> sig_backprop!(memory, 1.0, memory, 2), ArgumentError))
    @test memory == before
end

@testset "unknown words and wrong types" begin
    @test_throws MethodError signature(x, 2; degrees = 3)
    @test_throws MethodError sigkernel(x, y; time_augment = true)
    @test_throws MethodError signature("path", 2)
    @test_throws MethodError signature(x .+ im, 2)
end

@testset "faults of the library" begin
    failure = GoursatError("GOURSAT_OUT_OF_MEMORY", "no room")
    @test sprint(showerror, failure) == "GoursatError: no room (GOURSAT_OUT_OF_MEMORY)"
    # A flag that this version does not know, through the raw layer.
    options = Goursat.Options()
    options.flags = UInt64(1) << 40
    out = zeros(6)
    status = GC.@preserve x out Goursat.goursat_signature(Float64, pointer(x), 1, 7, 2, 2, pointer(out), 6, options)
    failure = try
        Goursat.check(status)
    catch caught
        caught
    end
    @test failure isa GoursatError && failure.status == "GOURSAT_UNSUPPORTED"
    @test occursin("options.flags has 0x10000000000", failure.message)
end
