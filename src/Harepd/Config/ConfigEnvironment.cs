namespace Harepd.Config;

/// <summary>What reading a configuration asks of the host beside the file itself; a test gives its own.</summary>
internal sealed record ConfigEnvironment
{
    /// <summary>The host as it is.</summary>
    public static readonly ConfigEnvironment Host = new()
    {
        FileExists = File.Exists,
        ReadLines = ReadHostLines,
        Variable = Environment.GetEnvironmentVariable,
        UserName = Environment.UserName,
        HomeFolder = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
    };

    public required Func<string, bool> FileExists { get; init; }

    /// <summary>A small text file, or null where it cannot be read.</summary>
    public required Func<string, IReadOnlyList<string>?> ReadLines { get; init; }

    /// <summary>An environment variable, or null: those of libpq.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required string UserName { get; init; }

    public required string HomeFolder { get; init; }

    private static string[]? ReadHostLines(string path)
    {
        const int most = 64 * 1024;
        try
        {
            return new FileInfo(path) is { Exists: true, Length: <= most } ? File.ReadAllLines(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
