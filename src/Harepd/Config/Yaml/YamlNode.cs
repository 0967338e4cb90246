using System.Collections.Immutable;

namespace Harepd.Config.Yaml;

/// <summary>A YAML document as read: three shapes, each with the line it starts on (from 1).</summary>
internal abstract record YamlNode
{
    private YamlNode(int line) => Line = line;

    public int Line { get; }

    /// <summary>What an error message calls this shape.</summary>
    public abstract string Shape { get; }

    /// <summary>A single value, as written, without its quotes.</summary>
    internal sealed record Scalar(int At, string Text, bool IsQuoted) : YamlNode(At)
    {
        public override string Shape => IsNull ? "nothing" : "a single value";

        /// <summary>True for an empty value, <c>~</c> and <c>null</c>: the key counts as not given.</summary>
        public bool IsNull => !IsQuoted && (Text is "" or "~" or "null");
    }

    /// <summary>A list.</summary>
    internal sealed record List(int At, ImmutableArray<YamlNode> Items) : YamlNode(At)
    {
        public override string Shape => "a list";
    }

    /// <summary>Keys and values in the order of the file; a key may occur twice, which the reader reports.</summary>
    internal sealed record Map(int At, ImmutableArray<YamlEntry> Entries) : YamlNode(At)
    {
        public override string Shape => "a group of keys";
    }
}

/// <summary>One key of a group, with the line of the key.</summary>
internal sealed record YamlEntry(string Key, int Line, YamlNode Value);
