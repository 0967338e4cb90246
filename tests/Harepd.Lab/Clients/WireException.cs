namespace Harepd.Lab.Clients;

/// <summary>What a server answered instead of a result.</summary>
public sealed class WireException : Exception
{
    public WireException()
    {
    }

    public WireException(string message)
        : base(message)
    {
    }

    public WireException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <param name="state">The SQLSTATE, or <c>eof</c>, <c>protocol</c>, <c>authentication</c>.</param>
    /// <param name="text">The message.</param>
    public WireException(string state, string text)
        : base($"{state} {text}") => State = state;

    public string State { get; } = "";

    /// <summary>The server closed the connection with it.</summary>
    public bool IsFatal { get; init; }
}
