using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Hba;

/// <summary>Makes the running server take pg_hba.conf as it is on disk, and finds out whether it did. One thread at a time; a second one waits or goes without.</summary>
internal sealed class HbaReload(PostgresSettings settings) : IDisposable
{
    /// <summary>How long a closing waits for the session's answer before it signals: on a healthy server it is there in a hundredth of that.</summary>
    private static readonly TimeSpan _beforeSignal = TimeSpan.FromMilliseconds(20);

    private readonly Lock _busy = new();
    private readonly HbaCheck _check = new(settings.Endpoint("hba"));

    /// <summary>Opens the session that later orders use.</summary>
    public bool Warm(Instant deadline) => Exclusive(deadline, () => _check.Warm(deadline), false);

    /// <summary>Would this content be in force after a reload? Null problem: yes.</summary>
    public (string LoadTime, string? Problem) Judge(ReadOnlyMemory<byte> content, Instant deadline) =>
        Exclusive(deadline, () => JudgeNow(content.Span, deadline), ("", "another order holds the session for checking"));

    /// <summary>Sends the reload signal; works without a session and with full slots. False when neither signal nor session does it.</summary>
    public bool Signal(Postmaster postmaster, Instant deadline) =>
        postmaster.Signal(Kernel.SigHup) || (postmaster.IsAlive && Exclusive(deadline, () => _check.AskForReload(deadline), false));

    /// <summary>Waits until the server loaded its files after <paramref name="before"/> was read.</summary>
    public (bool IsLoaded, string Problem) Wait(string before, Instant deadline) =>
        Exclusive(deadline, () => (_check.WaitForLoad(before, deadline, out var problem), problem), (false, "another order holds the session for checking"));

    /// <summary>
    /// The closing's order: signal first, ask afterwards. What is known of the last load is taken just before if the session answers at once; else the
    /// signal is sent a second time so that a change can be seen.
    /// </summary>
    public (Instant SignalledAt, string Problem) SignalThenConfirm(ReadOnlyMemory<byte> content, Postmaster postmaster, Instant deadline, Action signalled)
    {
        var isLate = BootClock.Now >= deadline;
        var before = isLate ? ("", null) : Judge(content, Instant.Min(deadline, BootClock.Now + _beforeSignal));
        if (!Signal(postmaster, deadline))
        {
            return (Instant.Zero, "the postmaster cannot be signalled to reload");
        }

        var at = BootClock.Now;
        signalled();
        if (isLate || BootClock.Now >= deadline)
        {
            return (at, "there was no time left to confirm the reload");
        }

        if (before.LoadTime.Length == 0)
        {
            // A login of our own may be ended by the fence that this closing is part of: it is tried again.
            before = Judge(content, deadline);
            while (before.LoadTime.Length == 0 && postmaster.IsAlive && BootClock.Now < deadline)
            {
                Thread.Sleep(2);
                before = Judge(content, deadline);
            }

            _ = before.LoadTime.Length > 0 && Signal(postmaster, deadline);
        }

        if (before.Problem is { } problem)
        {
            return (at, problem);
        }

        var (isLoaded, late) = Wait(before.LoadTime, deadline);
        return (at, isLoaded ? "" : late);
    }

    /// <summary>
    /// Another closing's order, before a stop: a fast shutdown instead of the reload, and true once the server says that it is stopping, or has ended. It lets nobody
    /// in from then on, whatever it has loaded, and is spared the reload of all its processes. False where it may not be told or does not say so in time.
    /// </summary>
    public static bool SignalStop(Postmaster postmaster, Instant deadline, Action signalled, out Instant at)
    {
        var isTold = postmaster.Signal(Kernel.SigInt);
        at = BootClock.Now;
        if (!isTold)
        {
            return false;
        }

        signalled();
        while (postmaster.IsAlive)
        {
            if (postmaster.IsStopping)
            {
                return true;
            }

            if (BootClock.Now >= deadline)
            {
                return false;
            }

            Thread.Sleep(1);
        }

        return true;
    }

    public void Dispose() => _check.Dispose();

    private (string LoadTime, string? Problem) JudgeNow(ReadOnlySpan<byte> content, Instant deadline) =>
        _check.Judge(content, deadline, out var fault) is { } known
            ? (known.LoadTime, known.Problem.Length == 0 ? null : known.Problem)
            : ("", $"PostgreSQL cannot be asked about pg_hba.conf: {fault?.ToString() ?? "its answer makes no sense"}");

    private T Exclusive<T>(Instant deadline, Func<T> action, T whenBusy)
    {
        var wait = deadline - BootClock.Now;
        if (!_busy.TryEnter(wait > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Min(wait.TotalMilliseconds, int.MaxValue)) : TimeSpan.Zero))
        {
            return whenBusy;
        }

        try
        {
            return action();
        }
        finally
        {
            _busy.Exit();
        }
    }
}
