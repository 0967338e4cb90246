using System.Collections.Immutable;
using Harepd.Config.Yaml;

namespace Harepd.Config;

/// <summary>
/// One group of keys while it is read. Every question names its key once, so the set of known keys is the set of keys asked for;
/// <see cref="Close"/> reports the rest. After an error a question answers its fallback, so that reading goes on to the next error.
/// </summary>
internal sealed class Section
{
    private const int MaxItems = 64;
    private readonly Dictionary<string, YamlEntry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly ErrorList _errors;

    private Section(string path, int line, YamlNode.Map? map, ErrorList errors)
    {
        Path = path;
        Line = line;
        _errors = errors;
        foreach (var entry in map?.Entries ?? [])
        {
            if (!_entries.TryAdd(entry.Key, entry))
            {
                errors.Add(entry.Line, PathOf(entry.Key), null, $"given twice, first in line {_entries[entry.Key].Line}", "keep one of the two");
            }
        }
    }

    /// <summary>Key path from the root; empty for the root.</summary>
    public string Path { get; }

    /// <summary>Where the group begins; for a missing group, where its parent does.</summary>
    public int Line { get; }

    /// <summary>The whole document as a group.</summary>
    public static Section Root(YamlNode root, ErrorList errors)
    {
        if (root is not YamlNode.Map)
        {
            errors.Add(root.Line, "", null, $"the file holds {root.Shape}", "start with the line   harepd:   and indent the keys below it");
        }

        return new Section("", root.Line, root as YamlNode.Map, errors);
    }

    /// <summary>True when the key is given with a value.</summary>
    public bool Has(string key) => _entries.TryGetValue(key, out var entry) && entry.Value is not YamlNode.Scalar { IsNull: true };

    /// <summary>True when the key is given, and is not an empty list.</summary>
    public bool HasItems(string key) => Has(key) && _entries[key].Value is not YamlNode.List { Items.IsEmpty: true };

    /// <summary>The line of the key, or of the group where the key is missing.</summary>
    public int LineOf(string key) => _entries.TryGetValue(key, out var entry) ? entry.Line : Line;

    /// <summary>The key's full path.</summary>
    public string PathOf(string key) => Path.Length == 0 ? key : key.Length == 0 ? Path : $"{Path}.{key}";

    /// <summary>A group below this one; an empty one where it is missing or something else.</summary>
    public Section Child(string key)
    {
        _known.Add(key);
        if (!Has(key))
        {
            return new Section(PathOf(key), LineOf(key), null, _errors);
        }

        var value = _entries[key].Value;
        if (value is not YamlNode.Map)
        {
            var mend = $"write each key of {key} on its own line below it, indented by two more spaces";
            _errors.Add(value.Line, PathOf(key), (value as YamlNode.Scalar)?.Text, $"{value.Shape} where a group of keys belongs", mend);
        }

        return new Section(PathOf(key), LineOf(key), value as YamlNode.Map, _errors);
    }

    /// <summary>A value with a default.</summary>
    public T Value<T>(string key, Func<string, Parsed<T>> parse, T fallback)
    {
        _known.Add(key);
        return Has(key) ? Read(PathOf(key), _entries[key].Value, parse, fallback) : fallback;
    }

    /// <summary>A value without a default; its absence is an error, and then the answer is the placeholder.</summary>
    public T Required<T>(string key, Func<string, Parsed<T>> parse, T placeholder, string example)
    {
        _known.Add(key);
        if (Has(key))
        {
            return Read(PathOf(key), _entries[key].Value, parse, placeholder);
        }

        _errors.Add(LineOf(key), PathOf(key), null, "missing", $"add   {key}: {example}");
        return placeholder;
    }

    /// <summary>A list of values, at most 64; a missing key is an empty list. Bad items are left out after their error.</summary>
    public ImmutableArray<Item<T>> List<T>(string key, Func<string, Parsed<T>> parse)
        where T : notnull
    {
        _known.Add(key);
        if (!Has(key))
        {
            return [];
        }

        if (_entries[key].Value is not YamlNode.List list)
        {
            var text = (_entries[key].Value as YamlNode.Scalar)?.Text;
            _errors.Add(LineOf(key), PathOf(key), text, $"{_entries[key].Value.Shape} where a list belongs", $"{key}: [\"{text ?? "…"}\"]");
            return [];
        }

        if (list.Items.Length > MaxItems)
        {
            _errors.Add(list.Line, PathOf(key), null, $"{list.Items.Length} items where at most {MaxItems} are allowed", "shorten the list");
        }

        return [.. list.Items.Take(MaxItems).Select((node, index) => Entry(key, index, node, parse)).OfType<Item<T>>()];
    }

    /// <summary>Reports an error at a key of this group.</summary>
    public void Error(string key, string? value, string problem, string mend) => _errors.Add(LineOf(key), PathOf(key), value, problem, mend);

    /// <summary>Reports an error at an item of a list.</summary>
    public void Error<T>(Item<T> item, string problem, string mend)
        where T : notnull =>
        _errors.Add(item.Line, item.Path, item.Value.ToString(), problem, mend);

    /// <summary>Reports every item of a list that is there already.</summary>
    public void ReportTwice<T, TKey>(ImmutableArray<Item<T>> items, Func<T, TKey> key)
        where T : notnull
    {
        var seen = new HashSet<TKey>();
        foreach (var item in items.Where(item => !seen.Add(key(item.Value))))
        {
            Error(item, "listed twice", "keep it once");
        }
    }

    /// <summary>Marks keys as dealt with elsewhere.</summary>
    public void Ignore(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            _known.Add(key);
        }
    }

    /// <summary>Reports every key that nobody asked for.</summary>
    public void Close()
    {
        foreach (var entry in _entries.Values.Where(entry => !_known.Contains(entry.Key)))
        {
            var nearest = NearestName.Of(entry.Key, _known);
            var mend = nearest is null ? $"remove it; known here: {string.Join(", ", _known.Order(StringComparer.Ordinal))}" : $"did you mean {nearest}?";
            _errors.Add(entry.Line, PathOf(entry.Key), null, "unknown key", mend);
        }
    }

    private Item<T>? Entry<T>(string key, int index, YamlNode node, Func<string, Parsed<T>> parse)
        where T : notnull
    {
        var path = $"{PathOf(key)}[{index}]";
        var good = true;
        var value = Read(path, node, text => Note(parse(text), ref good), default!);
        return good && node is YamlNode.Scalar ? new Item<T>(value, node.Line, path) : null;
    }

    private static Parsed<T> Note<T>(Parsed<T> parsed, ref bool good)
    {
        good = parsed.Problem is null;
        return parsed;
    }

    private T Read<T>(string path, YamlNode node, Func<string, Parsed<T>> parse, T fallback)
    {
        if (node is not YamlNode.Scalar scalar)
        {
            _errors.Add(node.Line, path, null, $"{node.Shape} where a single value belongs", "write one value behind the colon");
            return fallback;
        }

        var parsed = parse(scalar.Text);
        if (parsed.Problem is null)
        {
            return parsed.Value!;
        }

        _errors.Add(scalar.Line, path, scalar.Text, parsed.Problem, parsed.Mend!);
        return fallback;
    }
}

/// <summary>A good item of a list and where it stands.</summary>
internal sealed record Item<T>(T Value, int Line, string Path)
    where T : notnull;
