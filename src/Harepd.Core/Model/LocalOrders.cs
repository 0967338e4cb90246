namespace Harepd.Core.Model;

/// <summary>The orders in force on this node. They end by themselves.</summary>
public sealed record LocalOrders
{
    /// <summary>In maintenance until then; zero when it is not.</summary>
    public Instant MaintainedUntil { get; init; }

    /// <summary>Fenced by an order until then; zero when it is not.</summary>
    public Instant FencedUntil { get; init; }

    /// <summary>A fence that is not confirmed yet, and who waits for it; null when nobody does.</summary>
    public FenceAwaited? Awaited { get; init; }

    /// <summary>The server that is no holder's is stopped, or being stopped, by an order; null when it is not.</summary>
    public ServerStop? Stop { get; init; }

    /// <summary>The server is being started as a standby by an order; null when it is not.</summary>
    public ServerStart? Start { get; init; }

    /// <summary>Nothing may be opened here, and no lease asked for.</summary>
    public bool IsShut => IsFenced || Stop is not null;

    public bool IsMaintained => MaintainedUntil != Instant.Zero;

    public bool IsFenced => FencedUntil != Instant.Zero;
}

/// <summary>Who ordered a fence and waits until it is confirmed.</summary>
/// <param name="Id">Of the order.</param>
/// <param name="Began">When it was taken.</param>
/// <param name="Ends">It is waited for no longer; the fence itself goes on being tried.</param>
public sealed record FenceAwaited(long Id, Instant Began, Instant Ends);

/// <summary>The steps of a stop by order.</summary>
public enum StopStep
{
    /// <summary>The gate is shut first.</summary>
    Shut = 0,

    /// <summary>The server is being stopped.</summary>
    Stop,

    /// <summary>It is down, until an order or somebody starts it.</summary>
    Down,
}

/// <summary>A stop by order of a server that is no holder's.</summary>
/// <param name="Id">Of the order.</param>
/// <param name="Step">How far it is.</param>
/// <param name="Began">When it was ordered.</param>
/// <param name="StepEnds">The deadline of the step; of <see cref="StopStep.Down"/> when it began.</param>
public sealed record ServerStop(long Id, StopStep Step, Instant Began, Instant StepEnds)
{
    /// <summary>How long the server may take.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Number of the order that is waited for.</summary>
    public long Awaited { get; init; }
}

/// <summary>A start by order, as a standby, or of a crashed primary behind a shut gate.</summary>
/// <param name="Id">Of the order.</param>
/// <param name="Awaited">Number of the order to the server.</param>
/// <param name="Began">When it was ordered.</param>
/// <param name="Ends">It is not waited for beyond this.</param>
public sealed record ServerStart(long Id, long Awaited, Instant Began, Instant Ends)
{
    /// <summary>Nobody ordered it.</summary>
    public bool IsOwn { get; init; }
}
