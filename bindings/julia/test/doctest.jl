# Runs what documents show: `julia> ` and code, and below it what the REPL prints.

"The programs of a text: its blocks fenced as a language."
function blocks(text, language)
    return [found.captures[1] for found in eachmatch(Regex("^```$language\\n(.*?)^```", "sm"), text)]
end

"Pairs of code and expected output."
function sessions(block)
    pairs = Tuple{String,String}[]
    for entry in split(block, r"^julia> "m; keepempty = false)
        lines = split(entry, '\n')
        continued = something(findfirst(line -> !startswith(line, "       "), lines[2:end]), length(lines))
        code = join(lines[1:continued], '\n')
        push!(pairs, (code, rstrip(join(lines[continued+1:end], '\n'))))
    end
    return pairs
end

"What the REPL prints for code, which also may print by itself."
function shown(code, workspace)
    path, io = mktemp()
    value = redirect_stdout(() -> include_string(workspace, code), io)
    close(io)
    printed = read(path, String)
    silent = value === nothing || endswith(rstrip(replace(code, r"#.*"m => "")), ';')
    context = :limit => true, :module => workspace
    text = silent ? "" : sprint((io, v) -> show(IOContext(io, context...), MIME("text/plain"), v), value)
    return current(rstrip(printed * text))
end

# Since Julia 1.6 these types are printed by their short names.
current(text) = replace(replace(text, r"Array\{(\w+),1\}" => s"Vector{\1}"), r"Array\{(\w+),2\}" => s"Matrix{\1}")

function run_doctest(block, workspace = Module())
    Core.eval(workspace, :(using Goursat))
    for (code, expected) in sessions(block)
        @test shown(code, workspace) == expected
    end
end
