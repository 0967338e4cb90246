using System.Collections.Immutable;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Pgbouncer;

/// <summary>
/// Brings one PgBouncer to one desire, from what it says that it is, and changes only the difference. To close is to pause: clients that come wait for
/// the next writer instead of failing. Run by the lane's thread alone.
/// </summary>
/// <param name="target">What is managed.</param>
/// <param name="console">The PgBouncer.</param>
/// <param name="file">Shared with the other lanes.</param>
/// <param name="timeout">Bound of one exchange.</param>
/// <param name="leaseDeadline">The live lease's deadline, <see cref="Instant.Zero"/> without one; asked before and after this node is named.</param>
internal sealed class PointPass(
    PgbouncerTarget target, PgbouncerConsole console, IncludeFile file, TimeSpan timeout, Func<Instant> leaseDeadline)
{
    /// <summary>PAUSE answers late where clients are busy; it is carried out long before.</summary>
    private static readonly TimeSpan PauseMoment = TimeSpan.FromMilliseconds(30);

    private const int SlowestLook = 10;

    /// <summary>Databases that this lane left to their clients: one that is found paused later was paused by somebody else.</summary>
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);

    /// <summary>Options in the file may be newer than what PgBouncer runs with: it is told to read it once, whatever its databases say.</summary>
    private bool _hasLoaded;

    /// <summary>True while clients wait here by this lane's doing.</summary>
    public bool IsHolding { get; private set; }

    private Instant Soon => BootClock.Now + timeout;

    /// <param name="desire">What to bring about.</param>
    /// <param name="hold">The hold that is wished for, null for none.</param>
    /// <param name="isFirst">A new desire overrides an operator's PAUSE once; a repair leaves it.</param>
    /// <param name="isOvertaken">True when something newer waits: the pass ends at its next safe point.</param>
    public PointOutcome Run(PointDesire desire, PoolHold? hold, bool isFirst, Func<bool> isOvertaken)
    {
        if (console.Read(Soon, out var reason) is not { } view)
        {
            return PointOutcome.Unheard(reason);
        }

        IsHolding = hold is not null && hold.Term == desire.Term && BootClock.Now < hold.Until;
        if (desire.Place is null || IsHolding)
        {
            return Close(view, endsOwn: desire.Place is null, isOvertaken);
        }

        if (IsLate(desire.Place))
        {
            return Close(view, endsOwn: true, isOvertaken) with { Ok = false, Detail = "not pointed here: the lease is over" };
        }

        if (isFirst)
        {
            _left.Clear();
        }

        var outcome = Point(desire.Place, view, isOvertaken);
        return IsLate(desire.Place) && console.Read(Soon, out _) is { } late
            ? Close(late, endsOwn: true, isOvertaken) with { Ok = false, Detail = "pointed here too late, and paused again" }
            : outcome;
    }

    /// <summary>Serves what this lane paused: whoever stops steering leaves nobody waiting.</summary>
    public void LetGo()
    {
        if (_left.Count == 0 && console.Read(Soon, out _) is { } view)
        {
            foreach (var row in view.Databases.Where(row => row.IsPaused && target.Manages(row.Name)))
            {
                console.Resume(row.Name, Soon);
            }
        }
    }

    /// <summary>Pauses, and where this server is no writer ends what PgBouncer still has open towards it.</summary>
    private PointOutcome Close(PgbouncerView view, bool endsOwn, Func<bool> isOvertaken)
    {
        _left.Clear();
        var open = view.Databases.Where(row => !row.IsPaused && target.Manages(row.Name)).ToList();
        foreach (var row in open)
        {
            console.Pause(row.Name, Instant.Min(Soon, BootClock.Now + PauseMoment));
        }

        if (open.Count > 0)
        {
            if (console.Read(Soon, out var reason) is not { } after)
            {
                return PointOutcome.Unheard(reason);
            }

            view = after;
        }

        if (view.Databases.FirstOrDefault(row => !row.IsPaused && target.Manages(row.Name)) is { } rest)
        {
            return PointOutcome.Failed($"{rest.Name} is not paused");
        }

        if (endsOwn && End(view, IsOwn, isOvertaken) is { Length: > 0 } left)
        {
            return PointOutcome.Failed($"paused, but {left}");
        }

        return new PointOutcome(true, IsHolding ? "held, clients wait" : "no writer is known, clients wait");
    }

    private PointOutcome Point(WriterPlace place, PgbouncerView view, Func<bool> isOvertaken)
    {
        if (!_hasLoaded || !IsPointed(view, place) || !file.Says(place))
        {
            if (file.Put(place) is { Length: > 0 } failure)
            {
                return PointOutcome.Failed($"not pointed: {failure}");
            }

            if (console.Reload(Soon) is { Length: > 0 } refusal)
            {
                return PointOutcome.Failed($"not pointed: {refusal}");
            }

            if (console.Read(Soon, out var reason) is not { } after)
            {
                return PointOutcome.Unheard(reason);
            }

            (view, _hasLoaded) = (after, true);
            if (!IsPointed(view, place))
            {
                return PointOutcome.Failed($"not pointed: {Wrong(view, place)} after a RELOAD; its own file must end with   %include {target.IncludeFile}");
            }
        }

        if (End(view, link => link.Host != place.Host || link.Port != place.Port, isOvertaken) is { Length: > 0 } left)
        {
            return PointOutcome.Failed($"points at {place.Host}:{place.Port}, but {left}");
        }

        return isOvertaken() ? PointOutcome.Failed("overtaken") : Serve(place);
    }

    /// <summary>
    /// Waits until no managed database has a connection of this kind: a fence ends them by itself. After half the command timeout they are killed, and
    /// their clients with them: a dead host ends nothing, and a session cannot be moved. Empty, or what is left.
    /// </summary>
    private string End(PgbouncerView view, Func<PoolLink, bool> mustEnd, Func<bool> isOvertaken)
    {
        var patience = BootClock.Now + (timeout / 2);
        for (var pause = 1; ; pause = Math.Min(pause * 2, SlowestLook))
        {
            var busy = view.Links.Where(link => target.Manages(link.Database) && mustEnd(link)).Select(link => link.Database).ToImmutableSortedSet();
            if (busy.IsEmpty)
            {
                return "";
            }

            if (isOvertaken())
            {
                return "connections to another server are ending";
            }

            if (BootClock.Now >= patience)
            {
                var refusal = busy.Select(database => console.Kill(database, Soon)).FirstOrDefault(answer => answer.Length > 0);
                return console.Read(Soon, out var unheard) is not { } last ? unheard
                    : last.Links.FirstOrDefault(link => target.Manages(link.Database) && mustEnd(link)) is { } stubborn
                        ? refusal ?? $"{stubborn.Database} keeps a connection to {stubborn.Host}:{stubborn.Port}" : "";
            }

            Thread.Sleep(pause);
            if (console.Read(Soon, out var reason) is not { } after)
            {
                return reason;
            }

            view = after;
        }
    }

    private PointOutcome Serve(WriterPlace place)
    {
        if (console.Read(Soon, out var reason) is not { } view)
        {
            return PointOutcome.Unheard(reason);
        }

        var managed = view.Databases.Where(row => target.Manages(row.Name)).ToList();
        foreach (var row in managed.Where(row => row.IsPaused && !_left.Contains(row.Name)))
        {
            if (console.Resume(row.Name, Soon) is { Length: > 0 } refusal)
            {
                return PointOutcome.Failed($"points at {place.Host}:{place.Port}, but {refusal}");
            }
        }

        var kept = managed.Where(row => row.IsDisabled || (row.IsPaused && _left.Contains(row.Name))).Select(row => row.Name).ToList();
        _left.UnionWith(managed.Select(row => row.Name));
        return new PointOutcome(true, kept.Count == 0
            ? $"points at {place.Host}:{place.Port}"
            : $"points at {place.Host}:{place.Port}; an operator keeps out {string.Join(", ", kept)}");
    }

    private bool IsPointed(PgbouncerView view, WriterPlace place) =>
        target.Databases.All(database => view.Find(database.Name) is { } row && row.Host == place.Host && row.Port == place.Port);

    private string Wrong(PgbouncerView view, WriterPlace place) => target.Databases
        .Select(database => (database.Name, Row: view.Find(database.Name)))
        .Where(pair => pair.Row is null || pair.Row.Host != place.Host || pair.Row.Port != place.Port)
        .Select(pair => pair.Row is null ? $"PgBouncer has no database {pair.Name}" : $"{pair.Name} is at {pair.Row.Host}:{pair.Row.Port}")
        .FirstOrDefault() ?? "";

    private bool IsOwn(PoolLink link) => link.Host == target.OwnHost && link.Port == target.OwnPort;

    private bool IsLate(WriterPlace place) => target.IsOwn(place) && BootClock.Now >= leaseDeadline();
}
