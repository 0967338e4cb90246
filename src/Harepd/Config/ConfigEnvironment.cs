namespace Harepd.Config;

/// <summary>What reading a configuration asks of the host beside the file itself; a test gives its own.</summary>
internal sealed record ConfigEnvironment
{
    /// <summary>The host as it is.</summary>
    public static readonly ConfigEnvironment Host = new()
    {
        FileExists = File.Exists,
        Variable = Environment.GetEnvironmentVariable,
        UserName = Environment.UserName,
    };

    public required Func<string, bool> FileExists { get; init; }

    /// <summary>An environment variable, or null: libpq's PGHOST, PGPORT, PGUSER, PGDATABASE.</summary>
    public required Func<string, string?> Variable { get; init; }

    public required string UserName { get; init; }
}
