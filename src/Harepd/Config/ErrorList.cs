using System.Collections.Immutable;

namespace Harepd.Config;

/// <summary>Collects the errors of one file while it is read. Not thread-safe.</summary>
/// <param name="file">The file as it was named, shown in every error.</param>
internal sealed class ErrorList(string file)
{
    // Enough for any honest mistake; a file of another kind would otherwise print thousands.
    private const int MaxErrors = 100;
    private readonly List<ConfigError> _errors = [];

    public bool IsEmpty => _errors.Count == 0;

    public void Add(int line, string key, string? value, string problem, string mend)
    {
        if (_errors.Count < MaxErrors)
        {
            _errors.Add(new ConfigError(file, line, key, value, problem, mend));
        }
    }

    /// <summary>In the order of the file.</summary>
    public ImmutableArray<ConfigError> Sorted() => [.. _errors.OrderBy(error => error.Line)];
}
