namespace Harepd.Config;

/// <summary>What came of reading one value: the value, or what is wrong with it and the mend.</summary>
internal readonly record struct Parsed<T>
{
    private Parsed(T? value, string? problem, string? mend)
    {
        Value = value;
        Problem = problem;
        Mend = mend;
    }

    public T? Value { get; }

    /// <summary>Null when the value is good.</summary>
    public string? Problem { get; }

    public string? Mend { get; }

    public static Parsed<T> Good(T value) => new(value, null, null);

    public static Parsed<T> Bad(string problem, string mend) => new(default, problem, mend);
}
