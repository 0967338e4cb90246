using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.House;

/// <summary>The files of the repository, as git lists them: what is written but not ignored.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static readonly Lazy<string[]> Listed = new(() => Command
        .Run("git", "-c", "safe.directory=*", "-C", Root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
        .Split('\0', StringSplitOptions.RemoveEmptyEntries)
        .Where(path => File.Exists(Path.Combine(Root, path)))
        .Order(StringComparer.Ordinal)
        .ToArray());

    /// <summary>Paths below the root, with slashes.</summary>
    public static IEnumerable<string> Files(params string[] extensions) =>
        Listed.Value.Where(path => extensions.Length == 0 || extensions.Contains(Path.GetExtension(path), StringComparer.Ordinal));

    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    /// <summary>Every line of the given files that a rule complains of, as <c>path:line: text</c>.</summary>
    public static IEnumerable<string> Offences(IEnumerable<string> files, Func<string, bool> isOffence) =>
        from path in files
        from line in Lines(path).Index()
        where isOffence(line.Item)
        select $"{path}:{line.Index + 1}: {line.Item.Trim()}";

    /// <summary>Fails with every offence on a line of its own.</summary>
    public static void AssertNone(IEnumerable<string> offences)
    {
        var all = offences.Distinct(StringComparer.Ordinal).ToList();
        Assert.True(all.Count == 0, $"{all.Count} offences:\n{string.Join('\n', all)}");
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Harepd.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("the tests run outside the repository");
    }
}
