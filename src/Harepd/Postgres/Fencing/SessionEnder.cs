using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Fencing;

/// <summary>
/// Ends every client session of the server, logins under way included, and knows when the last one that could have slipped in is gone: until
/// the closed gate is in force whoever is there is told to go; what is there at that moment must be gone; who comes later meets the closed gate.
/// Runs on its own thread, may hang on a hanging process, and is then left behind.
/// </summary>
internal sealed class SessionEnder(ServerSessions sessions, DataFolder folder, FenceSettings settings)
{
    /// <summary>
    /// A child without a title is asked for its sockets only if it stays so; most get theirs at once. One without a connection must not be told to go: on a
    /// busy machine it can be the startup process, and a server whose startup process ends ends too. It is waited for like the others.
    /// </summary>
    private static readonly TimeSpan _untitledGrace = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan _askAgain = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan _repeat = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _whileServerEndsThem = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<(int Pid, long Start), Instant> _firstSeen = [];
    private readonly Dictionary<(int Pid, long Start), Instant> _told = [];
    private HashSet<(int Pid, long Start)>? _mustGo;
    private long _shutAt;
    private volatile int _left;
    private volatile int _ended;
    private volatile bool _stop;

    /// <summary>Sessions told to end that are gone.</summary>
    public int Ended => _ended;

    /// <summary>Sessions that were there at the last look.</summary>
    public int Left => _left;

    /// <summary>When the last session was gone after the gate was shut; zero until then.</summary>
    public Instant EmptyAt { get; private set; }

    /// <summary>The closed gate is in force since this moment.</summary>
    public void GateShutAt(Instant at) => Interlocked.Exchange(ref _shutAt, at.Nanos);

    /// <summary>Ends <see cref="Run"/> at its next turn.</summary>
    public void Stop() => _stop = true;

    /// <summary>Works until every session is gone, or the deadline, or <see cref="Stop"/>.</summary>
    /// <param name="deadline">Boot-time clock.</param>
    /// <param name="isServerEndingThem">A fast shutdown begins meanwhile: from then on the server tells them, and the looks are fewer to leave it the processors.</param>
    public void Run(Instant deadline, bool isServerEndingThem = false)
    {
        var askAt = Instant.Zero;
        while (!_stop && BootClock.Now < deadline)
        {
            // The moment of shutting is read before the look: only what is seen after it counts.
            var isShut = Interlocked.Read(ref _shutAt) != 0;
            var search = folder.FindPostmaster(BootClock.Now + settings.AskSessions);
            using var postmaster = search.Found;
            var isLeftToServer = isServerEndingThem && postmaster is { IsStopping: true };
            if (postmaster is not null && !isLeftToServer && BootClock.Now >= askAt)
            {
                sessions.Ask(Instant.Min(deadline, BootClock.Now + settings.AskSessions));
                askAt = BootClock.Now + _askAgain;
            }

            if (postmaster is not null ? EndClients(postmaster, isShut, mayTell: !isLeftToServer) : search.IsCertain && EndOrphans(isShut))
            {
                EmptyAt = BootClock.Now;
                return;
            }

            Thread.Sleep(isLeftToServer ? _whileServerEndsThem : TimeSpan.FromMilliseconds(1));
        }
    }

    private bool EndClients(Postmaster postmaster, bool isShut, bool mayTell)
    {
        var now = BootClock.Now;
        var clients = new HashSet<(int Pid, long Start)>();
        foreach (var (process, kind) in sessions.ChildrenOf(postmaster, isThorough: isShut && _mustGo is null))
        {
            var id = (process.Pid, process.StartTicks);
            if (kind is ServerProcessKind.Client or ServerProcessKind.Untitled && (_mustGo?.Contains(id) ?? true))
            {
                clients.Add(id);
                _firstSeen.TryAdd(id, now);
                if (mayTell && (kind == ServerProcessKind.Client || (now - _firstSeen[id] >= _untitledGrace && ProcessFacts.HasSocketBeside(process.Pid, postmaster.Pid))))
                {
                    Tell(process, postmaster, now);
                }
            }
        }

        Count(clients);
        if (isShut && _mustGo is null)
        {
            _mustGo = clients;
        }

        return _mustGo is { } mustGo && !mustGo.Overlaps(clients);
    }

    private bool EndOrphans(bool isShut)
    {
        if (folder.Known is not { } path)
        {
            return isShut;
        }

        var now = BootClock.Now;
        var orphans = ServerSessions.OrphansIn(path);
        foreach (var orphan in orphans)
        {
            // One without a title may be a new postmaster about to write its pid file; it is given a moment to become one.
            var firstSeen = _firstSeen.GetValueOrDefault((orphan.Pid, orphan.StartTicks), now);
            _firstSeen[(orphan.Pid, orphan.StartTicks)] = firstSeen;
            if (ProcessFacts.TitleOf(orphan.Pid).StartsWith("postgres: ", StringComparison.Ordinal) || now - firstSeen > _repeat)
            {
                _told[(orphan.Pid, orphan.StartTicks)] = now;
                SendTo(orphan, Kernel.SigKill);
            }
        }

        Count([.. orphans.Select(orphan => (orphan.Pid, orphan.StartTicks))]);
        return isShut && orphans.Count == 0;
    }

    private void Tell(ProcessFacts process, Postmaster postmaster, Instant now)
    {
        var id = (process.Pid, process.StartTicks);
        if (_told.TryGetValue(id, out var before) && now - before < _repeat)
        {
            return;
        }

        if (ProcessFacts.Of(process.Pid) is { } still && still.IsSameAs(process) && still.ParentPid == postmaster.Pid)
        {
            _told[id] = now;
            SendTo(process, Kernel.SigTerm);
        }
    }

    private void Count(HashSet<(int Pid, long Start)> present)
    {
        _left = present.Count;
        _ended = _told.Keys.Count(id => !present.Contains(id));
    }

    // The descriptor pins the process; that it is the one meant is checked after it is pinned.
    internal static void SendTo(ProcessFacts process, int signal)
    {
        var pidfd = Kernel.PidfdOpen(process.Pid);
        if (ProcessFacts.Of(process.Pid) is { } still && still.IsSameAs(process))
        {
            _ = pidfd >= 0 ? Kernel.PidfdSendSignal(pidfd, signal) : Kernel.Kill(process.Pid, signal);
        }

        if (pidfd >= 0)
        {
            _ = Posix.Close(pidfd);
        }
    }
}
