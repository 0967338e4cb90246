using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace Harepd.Core.Tests.Diagram;

/// <summary>The pictures in docs/LEASE.md are what the product's functions do; <c>HAREPD_REWRITE=1</c> writes them anew.</summary>
public sealed class LeaseDiagramTests
{
    private const string Begin = "<!-- what follows is written by LeaseDiagramTests -->\n";
    private const string End = "<!-- end of what is written -->\n";

    [Fact]
    public void The_pictures_are_what_the_functions_do()
    {
        var text = File.ReadAllText(Document());
        var from = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var to = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(from >= Begin.Length && to >= from, "docs/LEASE.md has no place for the pictures");
        var pictures = Pictures();
        if (Environment.GetEnvironmentVariable("HAREPD_REWRITE") == "1")
        {
            text = text[..from] + pictures + text[to..];
            File.WriteAllText(Document(), text);
            to = text.IndexOf(End, StringComparison.Ordinal);
        }

        Assert.Equal(pictures, text[from..to]);
    }

    private static string Pictures()
    {
        var text = new StringBuilder("```mermaid\nstateDiagram-v2\n    [*] --> Idle\n");
        foreach (var passage in CandidateWalk.All())
        {
            var does = passage.Does.Length == 0 ? "" : $" / {passage.Does}";
            text.Append(CultureInfo.InvariantCulture, $"    {passage.From} --> {passage.To}: {passage.On}{does}\n");
        }

        text.Append("```\n\nWhat a voter answers, by what it knows:\n\n");
        var rows = VoterWalk.Table().Select(row => $"| {string.Join(" | ", row)} |").ToList();
        text.Append(rows[0]).Append('\n').Append(string.Concat(Enumerable.Repeat("|---", rows[0].Count(c => c == '|') - 1))).Append("|\n");
        foreach (var row in rows.Skip(1))
        {
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }

    private static string Document([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/LEASE.md"));
}
