using System.Runtime.CompilerServices;
using Xunit;

namespace Harepd.Core.Tests.Transcripts;

/// <summary>
/// Behaviour as readable transcripts, in the manner of etcd raft's testdata: each file is played and compared with itself.
/// After a wanted change: <c>HAREPD_REWRITE=1 dotnet test --filter Transcript</c>, then read the difference.
/// </summary>
public sealed class TranscriptTests
{
    public static TheoryData<string> Files => new(Directory.GetFiles(Folder(), "*.txt").Select(path => Path.GetFileName(path)).Order());

    [Theory]
    [MemberData(nameof(Files))]
    public void Transcript_is_as_it_was_reviewed(string file)
    {
        var path = Path.Combine(Folder(), file);
        var expected = File.ReadAllText(path);

        var played = Script.Play(expected);

        if (Environment.GetEnvironmentVariable("HAREPD_REWRITE") == "1")
        {
            File.WriteAllText(path, played);
            return;
        }

        Assert.Equal(expected, played, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void There_are_transcripts() => Assert.NotEmpty(Files);

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
