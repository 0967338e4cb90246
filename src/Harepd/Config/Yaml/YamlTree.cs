using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Harepd.Config.Yaml;

/// <summary>
/// Builds the tree from the parser's events. Own nodes rather than YamlDotNet's, which stop at the first duplicate key and hide its line.
/// Anchors, aliases and tags are refused: nothing here needs them, and they make a short file mean a long one.
/// </summary>
internal sealed class YamlTree
{
    private const int MaxDepth = 12;
    private readonly IParser _parser;
    private readonly ErrorList _errors;

    private YamlTree(IParser parser, ErrorList errors)
    {
        _parser = parser;
        _errors = errors;
    }

    /// <summary>The document's root; null after an error was added.</summary>
    public static YamlNode? Parse(string text, ErrorList errors)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            return new YamlTree(parser, errors).Document();
        }
        catch (YamlException e)
        {
            errors.Add((int)e.Start.Line, "", null, $"not YAML: {e.Message}", Hint(e.Message));
            return null;
        }
        catch (InvalidOperationException e)
        {
            // The scanner throws this for some malformed input instead of its own exception.
            errors.Add((int)(parser.Current?.Start.Line ?? 0), "", null, $"not YAML: {e.Message}", Hint(e.Message));
            return null;
        }
    }

    private YamlNode? Document()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _))
        {
            _errors.Add(1, "", null, "the file is empty", "start with the line   harepd:");
            return null;
        }

        var root = Node(0);
        _parser.Consume<DocumentEnd>();
        if (_parser.TryConsume<DocumentStart>(out var second))
        {
            _errors.Add((int)second.Start.Line, "", null, "a second YAML document begins here", "keep one document: remove the line ---");
        }

        return root;
    }

    private YamlNode Node(int depth)
    {
        if (depth > MaxDepth)
        {
            throw new YamlException(_parser.Current!.Start, _parser.Current.End, "nested too deeply");
        }

        switch (_parser.Consume<ParsingEvent>())
        {
            case Scalar scalar:
                RefuseExtras(scalar);
                return new YamlNode.Scalar((int)scalar.Start.Line, scalar.Value, scalar.Style != ScalarStyle.Plain);
            case SequenceStart start:
                RefuseExtras(start);
                return new YamlNode.List((int)start.Start.Line, Items(depth));
            case MappingStart start:
                RefuseExtras(start);
                return new YamlNode.Map((int)start.Start.Line, Entries(depth));
            case AnchorAlias alias:
                throw new YamlException(alias.Start, alias.End, $"the alias *{alias.Value} is not supported");
            case var other:
                throw new YamlException(other.Start, other.End, "unexpected content");
        }
    }

    private ImmutableArray<YamlNode> Items(int depth)
    {
        var items = ImmutableArray.CreateBuilder<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node(depth + 1));
        }

        return items.ToImmutable();
    }

    private ImmutableArray<YamlEntry> Entries(int depth)
    {
        var entries = ImmutableArray.CreateBuilder<YamlEntry>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            var value = Node(depth + 1);
            if (key is YamlNode.Scalar scalar)
            {
                entries.Add(new YamlEntry(scalar.Text, scalar.Line, value));
            }
            else
            {
                _errors.Add(key.Line, "", null, $"a key is {key.Shape}", "write keys as plain words");
            }
        }

        return entries.ToImmutable();
    }

    private void RefuseExtras(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
        {
            _errors.Add((int)node.Start.Line, "", $"&{node.Anchor.Value}", "anchors are not supported", "write the value out");
        }

        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
        {
            _errors.Add((int)node.Start.Line, "", node.Tag.Value, "tags are not supported", "remove the tag; put text into quotes");
        }
    }

    private static string Hint(string message) =>
        message.Contains("mapping values are not allowed", StringComparison.OrdinalIgnoreCase)
            ? "put text that contains \": \" into quotes, and check the indentation of this line and the one above"
            : "check quotes, brackets and the indentation of this line and the one above";
}
