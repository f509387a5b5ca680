# A reader of JSON, enough for tests/vectors: no package can be had without a registry.

module Json

mutable struct Reader
    text::String
    at::Int
end

"What a text in JSON says, as dictionaries, vectors, strings, numbers, booleans and nothing."
function parse(text::String)
    reader = Reader(text, 1)
    value = read_value(reader)
    next(reader) == '\0' || error("more text after the value, at $(reader.at)")
    return value
end

"The next character that is no space, not taken; a NUL at the end."
function next(r::Reader)
    while r.at <= ncodeunits(r.text) && isspace(Char(codeunit(r.text, r.at)))
        r.at += 1
    end
    return r.at <= ncodeunits(r.text) ? Char(codeunit(r.text, r.at)) : '\0'
end

function take(r::Reader, expected::Char)
    found = next(r)
    found == expected || error("expected $(repr(expected)) at $(r.at), found $(repr(found))")
    r.at += 1
end

function read_value(r::Reader)
    c = next(r)
    c == '{' && return read_object(r)
    c == '[' && return read_array(r)
    c == '"' && return read_string(r)
    for (word, value) in (("true", true), ("false", false), ("null", nothing), ("NaN", NaN))
        if startswith(SubString(r.text, r.at), word)
            r.at += ncodeunits(word)
            return value
        end
    end
    found = match(r"\G-?\d+(\.\d+)?([eE][-+]?\d+)?", r.text, r.at)
    found === nothing && error("no value at $(r.at)")
    r.at += ncodeunits(found.match)
    whole = found.captures[1] === nothing && found.captures[2] === nothing
    return whole ? Base.parse(Int, found.match) : Base.parse(Float64, found.match)
end

"What stands between brackets, comma by comma."
function read_list(f, r::Reader, open::Char, close::Char)
    take(r, open)
    if next(r) != close
        f()
        while next(r) == ','
            take(r, ',')
            f()
        end
    end
    take(r, close)
end

function read_array(r::Reader)
    values = []
    read_list(() -> push!(values, read_value(r)), r, '[', ']')
    return values
end

function read_object(r::Reader)
    values = Dict{String,Any}()
    read_list(r, '{', '}') do
        next(r)
        key = read_string(r)
        take(r, ':')
        values[key] = read_value(r)
    end
    return values
end

function read_string(r::Reader)
    found = match(r"\G\"((?:[^\"\\]|\\.)*)\"", r.text, r.at)
    found === nothing && error("no string at $(r.at)")
    r.at += ncodeunits(found.match)
    return unescape_string(found.captures[1])
end

end
