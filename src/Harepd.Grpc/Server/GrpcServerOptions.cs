namespace Harepd.Grpc;

/// <summary>The bounds of one method on the serving side. Every call is bounded even where the caller sets no deadline.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>Largest request, plain and inflated, in bytes. Raising it lets each call in flight cost that much memory.</summary>
    public int MaxMessageBytes { get; init; } = 1024 * 1024;

    /// <summary>Handlers of this method running at once; one more is answered ResourceExhausted. A handler that runs on past its deadline counts.</summary>
    public int MaxConcurrentCalls { get; init; } = 256;

    /// <summary>The longest a caller may wait, whatever it asks for.</summary>
    public TimeSpan MaxDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The longest the request itself may take to arrive.</summary>
    public TimeSpan MaxReadTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Told of a handler's unexpected exception (method path, exception). The caller of the method sees only Unknown, without text.</summary>
    public Action<string, Exception>? OnFault { get; init; }
}
