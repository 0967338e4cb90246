using System.Globalization;
using Harepd.Clock;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>What shows that one run of the postmaster has ended.</summary>
internal interface IDeathSign : IDisposable
{
    /// <summary>For poll: readable at the end of the run, perhaps before.</summary>
    int Descriptor { get; }

    /// <summary>Names the run; two signs of one run that were made alike have the same.</summary>
    RunName Run { get; }

    /// <summary>Asked when the descriptor is readable: what became of the run. May take as long as a statement may.</summary>
    SignVerdict Judge();

    /// <summary>A look without waiting; false where only <see cref="Judge"/> can tell.</summary>
    bool IsDeadNow { get; }

    /// <summary>Told to stop, by the postmaster's own word; false where that cannot be read.</summary>
    bool IsStopping { get; }
}

/// <summary>What a readable death sign meant.</summary>
internal enum SignVerdict
{
    Alive = 0,
    Dead,

    /// <summary>This sign is of no use any more, and the run may well go on: another sign is needed.</summary>
    Lost,
}

/// <summary>One run of the postmaster: its process where that can be seen, else its start as SQL tells it. Only names of one sort can be compared.</summary>
/// <param name="Pid">Zero where the process cannot be seen.</param>
/// <param name="Began">Start in kernel ticks, or the server's own start time.</param>
internal readonly record struct RunName(int Pid, string Began)
{
    /// <summary>True where both are known to be different runs.</summary>
    public bool IsSurelyNot(RunName other) => (Pid == 0) == (other.Pid == 0) && this != other;

    public static RunName Of(Postmaster postmaster) => new(postmaster.Pid, postmaster.StartTicks.ToString(CultureInfo.InvariantCulture));

    public override string ToString() => Pid == 0 ? "the postmaster" : string.Create(CultureInfo.InvariantCulture, $"the postmaster (process {Pid})");
}

/// <summary>The postmaster's pidfd: readable as soon as the process has ended, a zombie included.</summary>
internal sealed class PidfdSign(Postmaster postmaster) : IDeathSign
{
    public int Descriptor => postmaster.Pidfd;

    public RunName Run { get; } = RunName.Of(postmaster);

    public bool IsDeadNow => Judge() == SignVerdict.Dead;

    public bool IsStopping => postmaster.IsStopping;

    public SignVerdict Judge() =>
        Kernel.Poll([new PollEntry(postmaster.Pidfd, Kernel.PollIn)], 0) > 0 ? SignVerdict.Dead : SignVerdict.Alive;

    public void Dispose() => postmaster.Dispose();
}

/// <summary>
/// An idle session, where the kernel has no pidfd or shows no process: every backend ends when the postmaster dies. A session also ends for
/// smaller reasons, so its end is checked: the dead take no connection.
/// </summary>
internal sealed class SessionSign : IDeathSign
{
    private readonly PgSession _session;
    private readonly Postmaster? _postmaster;
    private readonly PostgresSettings _settings;

    private SessionSign(PgSession session, Postmaster? postmaster, PostgresSettings settings)
    {
        _session = session;
        _postmaster = postmaster;
        _settings = settings;
    }

    public int Descriptor => _session.Descriptor;

    public RunName Run { get; private init; }

    public bool IsDeadNow => _postmaster is { IsAlive: false };

    public bool IsStopping => _postmaster is { IsStopping: true };

    /// <summary>Opens the session; null where the server does not let it in now.</summary>
    /// <param name="settings">How to reach the server.</param>
    /// <param name="postmaster">The process, if it can be seen at all; owned by the sign when there is one.</param>
    public static SessionSign? TryOpen(PostgresSettings settings, Postmaster? postmaster)
    {
        var deadline = BootClock.Now + settings.HangTimeout;
        var session = PgSession.TryOpen(settings.Endpoint("watch"), deadline, out _);
        if (session?.Query("select pg_postmaster_start_time()", deadline).Value is { } began)
        {
            return new SessionSign(session, postmaster, settings) { Run = postmaster is null ? new RunName(0, began) : RunName.Of(postmaster) };
        }

        session?.Dispose();
        return null;
    }

    public SignVerdict Judge()
    {
        var deadline = BootClock.Now + _settings.HangTimeout;
        if (_session.Query("select 1", deadline).Fault is null)
        {
            return SignVerdict.Alive;
        }

        if (_postmaster is not null)
        {
            return _postmaster.IsAlive ? SignVerdict.Lost : SignVerdict.Dead;
        }

        using var channel = PgChannel.TryConnect(_settings.Endpoint("watch"), deadline, interrupt: null, out var fault);
        return channel is null && fault?.Kind == PgFaultKind.NotThere ? SignVerdict.Dead : SignVerdict.Lost;
    }

    public void Dispose()
    {
        _session.Dispose();
        _postmaster?.Dispose();
    }
}
