using System.Text.RegularExpressions;
using Xunit;

namespace Harepd.Tests.House;

/// <summary>What a reviewer should not have to look for.</summary>
public sealed partial class TidyTests
{
    // The aim is 160; this is where a line is refused.
    private const int LongestLine = 200;
    private static readonly string[] Sources = [".cs", ".csproj", ".props", ".proto", ".sh", ".yml", ".cfg", ".service"];

    /// <summary>The upstream wire has its own names, and HAProxy calls its parent process "master", and so does Linux a port's bridge; Patroni has an old path of that name.</summary>
    private static readonly string[] OtherPeoplesWords =
    [
        "proto/models/", "src/Harepd/Haproxy/", "src/Harepd/Peers/ClusterInfoDesk.cs", "src/Harepd/Peers/GoInquiry.cs",
        "tests/Harepd.Tests/Haproxy/", "tests/Harepd.Tests/Grpc/", "tests/Harepd.Tests/Peers/ClusterInfoTests.cs", "tests/Harepd.Lab/Servers/HaproxyServer.cs",
        "tests/Harepd.Lab/Machine/MachineNetwork.cs",
        "src/Harepd/Http/HealthRules.cs", "tests/Harepd.Tests/Http/", "tests/Harepd.Tests/House/TidyTests.cs",
    ];

    [Fact]
    public void No_line_of_the_sources_is_longer_than_a_screen()
    {
        var sources = Repository.Files(Sources).Where(path => !path.StartsWith("tests/", StringComparison.Ordinal));

        Repository.AssertNone(Repository.Offences(sources, line => line.Length > LongestLine));
    }

    [Fact]
    public void Nothing_is_left_to_do_in_the_sources()
    {
        var mark = new Regex($@"\b({string.Join('|', "TO" + "DO", "FIX" + "ME", "HA" + "CK", "X" + "XX")})\b");

        Repository.AssertNone(Repository.Offences(Repository.Files([.. Sources, ".md"]), mark.IsMatch));
    }

    [Fact]
    public void One_word_for_one_thing()
    {
        var files = Repository.Files([.. Sources, ".md"]).Where(path => !OtherPeoplesWords.Any(other => path.StartsWith(other, StringComparison.Ordinal)));

        Repository.AssertNone(Repository.Offences(files, line => OldWord().IsMatch(HaproxysMaster().Replace(line, ""))));
    }

    [Fact]
    public void Doc_tags_say_something()
    {
        Repository.AssertNone(Repository.Offences(Repository.Files(".cs"), EmptyTag().IsMatch));
    }

    [Fact]
    public void Every_public_type_and_method_of_core_and_grpc_has_a_summary()
    {
        var offences =
            from path in Repository.Files(".cs")
            where path.StartsWith("src/Harepd.Core/", StringComparison.Ordinal) || path.StartsWith("src/Harepd.Grpc/", StringComparison.Ordinal)
            let lines = Repository.Lines(path)
            from line in lines.Index()
            where NeedsSummary(line.Item) && IsInPublicType(lines, line.Index) && !HasSummary(lines, line.Index)
            select $"{path}:{line.Index + 1}: {line.Item.Trim()}";

        Repository.AssertNone(offences);
    }

    [Fact]
    public void Links_in_the_documents_lead_somewhere()
    {
        var offences =
            from path in Repository.Files(".md")
            from match in Link().Matches(WithoutCode(Repository.Text(path)))
            let target = match.Groups[1].Value
            where !target.Contains("://", StringComparison.Ordinal) && !LeadsSomewhere(path, target)
            select $"{path}: {target}";

        Repository.AssertNone(offences);
    }

    [Fact]
    public void Files_that_the_documents_name_are_there()
    {
        var offences =
            from path in Repository.Files(".md")
            from match in NamedPath().Matches(Repository.Text(path))
            let named = match.Groups[1].Value.TrimEnd('/')
            where !File.Exists(Path.Combine(Repository.Root, named)) && !Directory.Exists(Path.Combine(Repository.Root, named))
            select $"{path}: {named}";

        Repository.AssertNone(offences);
    }

    private static bool NeedsSummary(string line) => PublicMember().IsMatch(line) && !SpeaksForItself().IsMatch(line);

    private static bool IsInPublicType(string[] lines, int index)
    {
        var enclosing = lines.Take(index).LastOrDefault(line => TypeDeclaration().IsMatch(line) && Indentation(line) < Indentation(lines[index]));
        return enclosing is null || enclosing.TrimStart().StartsWith("public", StringComparison.Ordinal);
    }

    private static int Indentation(string line) => line.Length - line.TrimStart().Length;

    private static bool HasSummary(string[] lines, int index)
    {
        for (var above = index - 1; above >= 0; above--)
        {
            var line = lines[above].TrimStart();
            if (line.StartsWith("///", StringComparison.Ordinal))
            {
                return true;
            }

            if (!line.StartsWith('[') && !line.StartsWith('#'))
            {
                return false;
            }
        }

        return false;
    }

    private static bool LeadsSomewhere(string from, string target)
    {
        var parts = target.Split('#', 2);
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, from))!;
        var path = parts[0].Length == 0 ? Path.Combine(Repository.Root, from) : Path.GetFullPath(Path.Combine(folder, parts[0]));
        return (File.Exists(path) || Directory.Exists(path))
            && (parts.Length == 1 || Heading().Matches(WithoutCode(File.ReadAllText(path))).Any(heading => Anchor(heading.Groups[1].Value) == parts[1]));
    }

    // As GitHub makes them: lower case, spaces to dashes, everything else but letters, digits, dash and underscore dropped.
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Replace(' ', '-').Where(c => char.IsLetterOrDigit(c) || c is '-' or '_'));

    private static string WithoutCode(string text) => CodeBlock().Replace(text, "");

    [GeneratedRegex(@"\b(masters?|slaves?|whitelist|blacklist)\b", RegexOptions.IgnoreCase)]
    private static partial Regex OldWord();

    [GeneratedRegex(@"master socket|master:unix|haproxy-master|[Ee]ndpoint\.Master|haproxy\.Master|master process", RegexOptions.IgnoreCase)]
    private static partial Regex HaproxysMaster();

    [GeneratedRegex(@"<(summary|param name=""\w+""|returns|remarks)>\s*</")]
    private static partial Regex EmptyTag();

    [GeneratedRegex(@"^\s*(public|internal|private|file)\b.*\b(class|struct|record|interface|enum)\b")]
    private static partial Regex TypeDeclaration();

    // A type, or a method: something stands between "public" and the name, so constructors do not count.
    [GeneratedRegex(@"^\s*public\s+[\w<>\[\],?.\s()]*?(\b(class|struct|record|interface|enum)\b|[\w>\])?]\s+\w+(<\w+>)?\()")]
    private static partial Regex PublicMember();

    [GeneratedRegex(@"\boverride\b|\boperator\b|\b(CompareTo|Dispose|DisposeAsync)\(")]
    private static partial Regex SpeaksForItself();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|tests|docs|conf|systemd|proto)/[\w./-]+)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
