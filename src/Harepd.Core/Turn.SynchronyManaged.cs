using System.Collections.Immutable;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core;

/// <summary>failover.synchronous: managed. The holder lets its server wait for the standbys that stream, and no longer for one that does not (ADR 0018).</summary>
internal sealed partial class Turn
{
    /// <summary>A standby that lacks more is not waited for yet: every commit would wait for it to catch up.</summary>
    private const ulong NearBytes = 1 << 20;

    private static readonly TimeSpan SynchronizeWithin = TimeSpan.FromSeconds(5);

    private void SettleSynchrony()
    {
        if (ReignNow() is not { } held)
        {
            _state = _state.Synchrony.Target is null ? _state : _state with { Synchrony = _state.Synchrony with { Target = null } };
            return;
        }

        if (_state.Synchrony.Reign != held.Term)
        {
            _state = _state with { Synchrony = Begun(_state.Synchrony, held.Term) };
        }

        NoteStreams();
        var (wanted, reason) = Wanted(_state.Synchrony.InForce!);
        NoteStrangers(wanted);
        var known = _state.Synchrony;
        if (known.IsOwn && known.Open is null && wanted.Equals(known.InForce))
        {
            _state = _state with { Synchrony = known with { Target = null } };
            return;
        }

        _state = _state with { Synchrony = known = known with { Target = wanted } };
        if (known.Awaited != 0 && now >= known.NotBefore)
        {
            _state = _state with { Synchrony = known = known with { Awaited = 0 } };
            NoteTrouble("the order to the server was not answered");
        }

        var isDone = known.Told?.Equals(wanted) == true && known.DoneAt != Instant.Forever;
        if (isDone && now >= known.NotBefore)
        {
            NoteTrouble("the server does not do as it was told: is synchronous_commit below on, or set for the user of harepd?");
        }

        if (known.Awaited == 0 && (now >= known.NotBefore || known.Told?.Equals(wanted) != true) && IsNoted(held, wanted))
        {
            Synchronize(held, wanted, reason);
        }
    }

    private SynchronyState Begun(SynchronyState known, Term term) => known with
    {
        Reign = term,
        ReignBegan = now,
        IsOwn = false,
        Streamed = known.Streamed.Clear(),
        WasStandby = known.WasStandby && known.Reign == Term.None,
    };

    /// <summary>The lease under which the server's setting is this machine's business; null while it is not.</summary>
    private HeldLease? ReignNow() => settings.Failover is { Promoter: Promoter.Harepd, ManagesSynchrony: true } && _state.Server.IsWritable && now - _state.Server.At <= settings.Freshness
        && _state is { Synchrony.InForce: not null, Promotion.Current: null, IsStopping: false } && _state.Move is not { IsOver: false }
        && _state.Lease!.Held is { } held && held.Under?.Timeline == _state.Server.Timeline ? held : null;

    /// <summary>
    /// A majority noted no more than this with the last ballot that was sent: an Accept under way that says more could still arrive, and would count as the
    /// newer word.
    /// </summary>
    private bool IsNoted(HeldLease held, Synchrony wanted) =>
        held.Ballot == _state.Lease!.HighestSent && (held.Under!.Stated is not { } noted || wanted.Implies(noted));

    private void Synchronize(HeldLease held, Synchrony wanted, string reason)
    {
        var known = _state.Synchrony;
        var sequence = _state.OrderSequence + 1;
        var isNews = known.Told?.Equals(wanted) != true && !wanted.Equals(known.InForce);
        _opens.Add(new Effect.Synchronize(sequence, held.Term, wanted, now + SynchronizeWithin));
        _state = _state with
        {
            OrderSequence = sequence,
            Synchrony = known with
            {
                Told = wanted,
                Proven = Synchrony.Weaker(known.Proven, wanted),
                Open = known.Open is { } open ? Synchrony.Weaker(open, wanted) : wanted,
                Awaited = sequence,
                DoneAt = Instant.Forever,
                NotBefore = now + SynchronizeWithin,
            },
        };
        if (isNews)
        {
            Note(DecisionKind.SynchronyAsked, held.Term, known.InForce!.ToString(), wanted.ToString(), reason);
        }
    }

    private void TakeSynchronized(Input.OrderDone done)
    {
        if (_state.Synchrony.Awaited == 0 || _state.Synchrony.Awaited != done.Sequence)
        {
            return;
        }

        _state = _state with { Synchrony = _state.Synchrony with { Awaited = 0, DoneAt = done.IsDone ? now : Instant.Forever } };
        _sends.Add(new Effect.Look());
        if (!done.IsDone)
        {
            NoteTrouble(done.Detail);
        }
    }

    private void NoteTrouble(string trouble)
    {
        if (_state.Synchrony.Trouble != trouble)
        {
            _state = _state with { Synchrony = _state.Synchrony with { Trouble = trouble } };
            Note(DecisionKind.SynchronyFailed, _state.HighestTerm, _state.Synchrony.InForce?.ToString() ?? "", _state.Synchrony.Told?.ToString() ?? "", trouble);
        }
    }

    /// <summary>Those that stream, near enough; and those waited for now that streamed a short while ago.</summary>
    private (Synchrony Wanted, string Reason) Wanted(Synchrony inForce)
    {
        var policy = settings.Failover;
        var server = _state.Server;
        var near = server.Replicas.Where(link => link.State == "streaming" && link.FlushLsn >= _state.Synchrony.WrittenBefore && link.FlushLsn.Value + NearBytes >= server.WriteLsn.Value)
            .Select(link => Synchrony.Fold(link.ApplicationName)).ToHashSet(StringComparer.Ordinal);
        var standbys = StandbyNames();
        var gone = inForce.Names.Where(name => IsGone(name) || IsStranger(name, standbys)).ToList();
        var names = standbys.Where(near.Contains).Union(inForce.Names.Except(gone)).ToList();
        if (names.Count == 0 && policy.SynchronousStrict && !inForce.IsNone)
        {
            return (inForce, "no standby streams, and failover.synchronousStrict wants one");
        }

        var wanted = new Synchrony(Math.Min(policy.SynchronousCount, names.Count), names);
        var reason = gone.Count > 0 ? $"{string.Join(", ", gone)} did not stream, or not get on, for {policy.SynchronousDegradeAfter.TotalSeconds:0.#} s, or not since this server is the primary"
            : wanted.IsNone ? "no standby streams"
            : "so many standbys stream";
        return (wanted, reason);
    }

    /// <summary>A standby that streams under another name than its node's cannot be waited for.</summary>
    private void NoteStrangers(Synchrony wanted)
    {
        var members = StandbyNames();
        var strangers = _state.Server.Replicas.Where(link => link.State == "streaming" && !members.Contains(Synchrony.Fold(link.ApplicationName)))
            .Select(link => link.ApplicationName).Distinct().ToList();
        if (wanted.IsNone && strangers.Count > 0 && IsStranger(Synchrony.Fold(strangers[0]), members))
        {
            NoteTrouble($"{string.Join(", ", strangers)} streams, and that is no member's node name: set application_name in its primary_conninfo");
        }
    }

    private bool IsGone(string name)
    {
        var known = _state.Synchrony;
        return known.Streamed.TryGetValue(name, out var seen)
            ? now - seen.At >= settings.Failover.SynchronousDegradeAfter
            : known.WasStandby || now - known.ReignBegan >= settings.Failover.SynchronousDegradeAfter;
    }

    /// <summary>No member's name; not said of any before all members were heard.</summary>
    private bool IsStranger(string name, HashSet<string> standbys) => !standbys.Contains(name)
        && settings.Membership.Everyone.All(member => member == settings.Self || _state.View.Reports.ContainsKey(member));

    /// <summary>The data members that say of themselves that they are standbys of this system, by node name; of one that says nothing any more the name is kept.</summary>
    private HashSet<string> StandbyNames() => _state.View.Reports.Values.Select(seen => seen.Report)
        .Where(report => report.Member != settings.Self && report is { IsWitness: false, NodeName.Length: > 0, InRecovery: not false }
            && (report.System.IsUnknown || report.System == _state.Server.SystemId))
        .Select(report => Synchrony.Fold(report.NodeName)).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// A stream that has everything, or got on since the look before, is alive; a frozen standby's connection stands for a minute (wal_sender_timeout). Only names
    /// that are waited for matter, so the list is bounded.
    /// </summary>
    private void NoteStreams()
    {
        var known = _state.Synchrony;
        var streamed = known.Streamed.RemoveRange(known.Streamed.Keys.Where(name => !known.InForce!.Names.Contains(name)));
        foreach (var link in _state.Server.Replicas.Where(link => link.State == "streaming" && known.InForce!.Has(link.ApplicationName)))
        {
            var name = Synchrony.Fold(link.ApplicationName);
            var getsOn = !streamed.TryGetValue(name, out var before) || link.FlushLsn > before.Flushed || link.FlushLsn >= _state.Server.WriteLsn;
            streamed = getsOn ? streamed.SetItem(name, new StreamSeen(_state.Server.At, link.FlushLsn)) : streamed;
        }

        _state = _state with { Synchrony = known with { Streamed = streamed } };
    }
}
