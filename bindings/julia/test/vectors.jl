# The committed cases of tests/vectors: what other people's libraries compute.

const VECTORS = joinpath(ROOT, "tests", "vectors")

# Relative to the largest entry: the promise of the library in double precision, and twice its promise in single
# precision, because the inputs are rounded too.
const TOLERANCES = (Float64 => 1e-12, Float32 => 2e-5)

"A stored array with its axes reversed: C's order read as Julia's."
function stored(T, array)
    shape = Int.(array["shape"])
    return reshape(T.(array["data"]), reverse(shape)...)
end

# Gram matrices and grids are K[i, j], and not K[j, i] as the file's memory reads in Julia.
upright(array::AbstractMatrix) = permutedims(array, (2, 1))
upright(array::AbstractArray{<:Any,3}) = permutedims(array, (2, 1, 3))

pairs_of(gradients::Tuple) = Dict("x_grad" => gradients[1], "y_grad" => gradients[2])

"Calls the function that a file is named after; the results as the file calls them."
function results(name, options, given)
    grad = get(given, "grad", nothing)
    get(given, "path", nothing) === nothing || (path = given["path"])
    get(given, "x", nothing) === nothing || (x = given["x"])
    get(given, "y", nothing) === nothing || (y = given["y"])
    if name == "time_augment"
        return Dict("transformed" => time_augment(path; options...), "path_grad" => time_augment_backprop(grad))
    elseif name == "lead_lag"
        first = options[:lead_lag] == "lag_first"
        back = lead_lag_backprop(grad; lag_first = first)
        return Dict("transformed" => lead_lag(path; lag_first = first), "path_grad" => back)
    end
    degree = get(options, :degree, 0)
    rest = filter(option -> option.first != :degree, options)
    name == "signature" && return Dict("signature" => signature(path, degree; rest...))
    name == "sig_backprop" && return Dict("path_grad" => sig_backprop(grad, path, degree; rest...))
    name == "sigkernel" && return Dict("kernel" => sigkernel(x, y; rest...))
    name == "sigkernel_grid" && return Dict("grid" => sigkernel(x, y; return_grid = true, rest...))
    name == "sigkernel_backprop" && return pairs_of(sigkernel_backprop(grad, x, y; rest...))
    if name == "sigkernel_grid_backprop"
        return pairs_of(sigkernel_backprop(upright(grad), x, y; return_grid = true, rest...))
    end
    alone = !haskey(given, "y")
    name == "sigkernel_gram" && return Dict("gram" => alone ? sigkernel_gram(x; rest...) : sigkernel_gram(x, y; rest...))
    @assert name == "sigkernel_gram_backprop"
    alone && return Dict("x_grad" => sigkernel_gram_backprop(upright(grad), x; rest...))
    return pairs_of(sigkernel_gram_backprop(upright(grad), x, y; rest...))
end

"Levels of signatures, whose coefficients are of one size each; anything else is one piece."
function pieces(values, name, options, given)
    name == "signature" || return [values]
    dim = size(given["path"], 1)
    begins = options[:scalar_term] ? [0, 1] : [0]
    for degree in 1:options[:degree]
        push!(begins, signature_length(dim, degree; (k => options[k] for k in (:scalar_term, :time_aug, :lead_lag))...))
    end
    return [values[a+1:b, :] for (a, b) in zip(begins, begins[2:end])]
end

"The largest error over all cases of a file, relative to the largest entry of each piece."
function worst(T, name, cases)
    errors = map(cases) do case
        options = Dict{Symbol,Any}(Symbol(key) => value for (key, value) in case["options"])
        haskey(options, :dyadic_order) && (options[:dyadic_order] = Tuple(options[:dyadic_order]))
        given = Dict(key => stored(T, array) for (key, array) in case["inputs"])
        found = results(name, options, given)
        @test keys(found) == keys(case["expected"])
        maximum(keys(found)) do key
            expected = stored(Float64, case["expected"][key])
            key in ("gram", "grid") && (expected = upright(expected))
            @test eltype(found[key]) == T
            @test size(found[key]) == size(expected)
            maximum(zip(pieces(found[key], name, options, given), pieces(expected, name, options, given))) do (ours, theirs)
                scale = maximum(abs, theirs)
                maximum(abs, ours .- theirs) / max(scale, T == Float32 ? 1e-6 : 1e-12)
            end
        end
    end
    return maximum(errors)
end

files = sort(filter(endswith(".json"), readdir(VECTORS)))
@test splitext.(files) .|> first == [
    "lead_lag", "sig_backprop", "sigkernel", "sigkernel_backprop", "sigkernel_gram", "sigkernel_gram_backprop",
    "sigkernel_grid", "sigkernel_grid_backprop", "signature", "time_augment",
]

@testset "$file" for file in files
    content = Json.parse(read(joinpath(VECTORS, file), String))
    @test !isempty(content["cases"])
    for (T, tolerance) in TOLERANCES
        @test worst(T, content["function"], content["cases"]) < tolerance
    end
end
