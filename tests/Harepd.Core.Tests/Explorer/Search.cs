using System.Diagnostics;
using System.Globalization;
using System.Text;
using Harepd.Core.Decide;

namespace Harepd.Core.Tests.Explorer;

/// <summary>What a search found.</summary>
/// <param name="States">How many states were met.</param>
/// <param name="Depth">The longest shortest way to one of them; with a violation, the length of the shortest way to it.</param>
/// <param name="Trace">The way to two owners at once, one line a step; null when there is none.</param>
/// <param name="IsExhausted">Every state within the bounds was met.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record Finding(int States, int Depth, string? Trace, bool IsExhausted, double Seconds)
{
    public bool IsSafe => Trace is null;
}

/// <summary>
/// Breadth-first through every state of a small cluster within bounds. Nothing is forced to happen except the passing of time and the
/// guard, so stalls, losses, delays and duplicates anywhere are all in it; the voters and candidates are the product's own functions.
/// </summary>
internal sealed class Search(Bounds bounds, Flaw flaw)
{
    private readonly VoterTable _voters = new(bounds, flaw);
    private readonly CandidateTable _candidates = new(bounds, flaw);
    private readonly StateSet _seen = new();
    private readonly List<World> _next = [];
    private readonly List<(string Who, string What)> _labels = [];
    private World _from;
    private bool _isTelling;

    public Finding Run()
    {
        var clock = Stopwatch.StartNew();
        _seen.Add(Start(), -1);
        var (depth, layerEnd) = (0, 1);
        for (var i = 0; i < _seen.Count; i++)
        {
            if (i == layerEnd)
            {
                depth++;
                layerEnd = _seen.Count;
            }

            Successors(_seen[i]);
            foreach (var next in _next)
            {
                var state = Canonical(next);
                if (_seen.Add(state, i) && Claims(state) > 1)
                {
                    return new Finding(_seen.Count, depth + 1, Trace(_seen.Count - 1), false, clock.Elapsed.TotalSeconds);
                }
            }

            if (_seen.Count > bounds.MostStates)
            {
                return new Finding(_seen.Count, depth, null, false, clock.Elapsed.TotalSeconds);
            }
        }

        return new Finding(_seen.Count, depth, null, true, clock.Elapsed.TotalSeconds);
    }

    private World Start()
    {
        var world = default(World);
        for (var i = 0; i < Bounds.Voters; i++)
        {
            world.SetVoter(i, _voters.Fresh);
            world.SetFile(i, flaw.SavesLate ? _voters.Fresh : 0);
        }

        for (var c = 0; c < bounds.Candidates; c++)
        {
            world.SetCandidate(c, _candidates.Fresh(c, 1));
        }

        return world;
    }

    private int Claims(World world)
    {
        var claims = 0;
        for (var c = 0; c < bounds.Candidates; c++)
        {
            claims += _candidates[world.Candidate(c)].Claims ? 1 : 0;
        }

        return claims;
    }

    private void Successors(World world)
    {
        _next.Clear();
        _labels.Clear();
        _from = world;
        for (var c = 0; c < bounds.Candidates; c++)
        {
            CandidateMoves(world, c);
        }

        for (var v = 0; v < Bounds.Voters; v++)
        {
            VoterMoves(world, v);
        }

        Time(world);
    }

    private void Emit(World world, string who, string what)
    {
        if (world.Equals(_from))
        {
            return;
        }

        _next.Add(world);
        if (_isTelling)
        {
            _labels.Add((who, what));
        }
    }

    private void CandidateMoves(World world, int c)
    {
        var id = world.Candidate(c);
        var state = _candidates[id];
        for (var round = 1; round <= bounds.Ballots; round++)
        {
            if (world.Owner(round) < 0)
            {
                Begin(world, c, round, isShort: false);
                if (flaw.HasShortRenewals && state.Lease.Held is not null)
                {
                    Begin(world, c, round, isShort: true);
                }
            }
        }

        if (state.Lease.Attempt is { } attempt)
        {
            Answers(world, c, attempt);
        }

        if (flaw.IsLazy)
        {
            Step(world, c, _candidates.Notice(id), "notices what is over");
        }

        Step(world, c, _candidates.Withdraw(id), "withdraws");
        Step(world, c, _candidates.GiveUp(id), "gives up");
        Step(world, c, _candidates.Shut(id), "has shut its gate");
        Step(world, c, _candidates.Resume(id), "restarts and resumes");
        if (world.CandidateRestarts < bounds.CandidateRestarts && _candidates.Crash(id) is { IsPossible: true } crashed)
        {
            var next = world;
            next.SetCandidate(c, crashed.Id);
            next.CandidateRestarts++;
            Emit(next, NameOf(c), "restarts as a new owner");
        }

        FlawedMoves(world, c, id, state);
    }

    private void FlawedMoves(World world, int c, int id, Candidate state)
    {
        if (flaw.ReleasesBeforeFence)
        {
            Step(world, c, _candidates.ReleaseEarly(id), "releases before its gate is shut");
        }

        if (flaw.OpensLate)
        {
            Step(world, c, _candidates.OpenLate(id), "opens late");
        }

        if (flaw.RestartsTimer)
        {
            Step(world, c, _candidates.RestartTimer(id), "asks again and restarts its timer");
        }

        if (flaw.RenewsWithSameBallot)
        {
            Step(world, c, _candidates.RenewAlike(id), "renews with the same ballot");
        }

        if (flaw.ResumesReleased)
        {
            Step(world, c, _candidates.ResumeFile(id), "restarts and resumes a released lease");
        }

        if (flaw.ReleasesFailedRenewal && _candidates.DropRenewal(id) is { IsPossible: true } dropped)
        {
            var next = world;
            next.SetCandidate(c, dropped.Id);
            next.SendRelease((int)state.Lease.HighestSent.Round);
            Emit(next, NameOf(c), "releases a failed renewal");
        }
    }

    private void Begin(World world, int c, int round, bool isShort)
    {
        var moved = _candidates.Begin(world.Candidate(c), round, isShort);
        if (!moved.IsPossible)
        {
            return;
        }

        var next = world;
        next.Claim(round, c, (int)_candidates[moved.Id].Lease.Me.Incarnation.Value);
        if (isShort)
        {
            next.MakeShort(round);
        }

        Step(next, c, moved, isShort ? $"renews for a shorter time with {round}" : $"begins {round}");
    }

    /// <summary>The candidate reads the yeses of some voters; fewer than a majority change nothing that lasts.</summary>
    private void Answers(World world, int c, LeaseAttempt attempt)
    {
        var round = (int)attempt.Ballot.Round;
        var areAccepted = attempt.Phase == AttemptPhase.Accept;
        var given = areAccepted ? world.Accepted(round) : world.Promised(round);
        if (areAccepted && flaw.CountsOldAccepted)
        {
            for (var old = 1; old < round; old++)
            {
                given |= world.Owner(old) == c ? world.Accepted(old) : 0;
            }
        }

        given |= flaw.CountsItself ? 1 << c : 0;
        var countsTwice = areAccepted ? flaw.CountsAcceptedTwice : flaw.CountsPromisedTwice;
        if (countsTwice && given != 0)
        {
            given |= given << 1 & 7 | 1;
        }

        foreach (var voters in (ReadOnlySpan<int>)[3, 5, 6])
        {
            if ((given & voters) == voters)
            {
                var moved = _candidates.Answered(world.Candidate(c), areAccepted, voters);
                Step(world, c, moved, areAccepted ? $"is accepted for {round}" : $"is promised {round} and asks to accept");
            }
        }
    }

    private void Step(World world, int c, Moved moved, string what)
    {
        if (!moved.IsPossible)
        {
            return;
        }

        Apply(ref world, c, moved);
        Emit(world, NameOf(c), moved.Released > 0 ? $"{what}, releases {moved.Released}" : what);
    }

    private void Apply(ref World world, int c, Moved moved)
    {
        var attempt = _candidates[moved.Id].Lease.Attempt;
        world.SetCandidate(c, moved.Id);
        if (moved.IsPrepareSent)
        {
            world.SendPrepare((int)attempt!.Ballot.Round);
        }

        if (moved.IsAcceptSent)
        {
            world.SendAccept((int)attempt!.Ballot.Round);
        }

        if (moved.Released > 0)
        {
            world.SendRelease(moved.Released);
        }
    }

    private void VoterMoves(World world, int v)
    {
        var id = world.Voter(v);
        for (var round = 1; round <= bounds.Ballots; round++)
        {
            if (world.Owner(round) < 0)
            {
                continue;
            }

            if (world.IsPrepareSent(round))
            {
                Ask(world, v, round, QuestionKind.Prepare);
            }

            if (world.IsAcceptSent(round))
            {
                Ask(world, v, round, world.IsShort(round) ? QuestionKind.ShortAccept : QuestionKind.Accept);
            }

            if (world.IsReleaseSent(round))
            {
                Ask(world, v, round, QuestionKind.Release);
            }
        }

        if (world.VoterRestarts < bounds.VoterRestarts)
        {
            var next = world;
            next.VoterRestarts++;
            next.SetVoter(v, flaw.SavesLate ? world.File(v) : flaw.ForgetsAbstention && _voters.IsAbstaining(id) ? _voters.WithoutAbstention(id) : _voters.Restarted);
            Emit(next, $"v{v}", "restarts");
        }

        if (flaw.SavesLate && world.File(v) != id)
        {
            var next = world;
            next.SetFile(v, id);
            Emit(next, $"v{v}", "writes its file");
        }
    }

    private void Ask(World world, int v, int round, QuestionKind kind)
    {
        var question = new Question(kind, round, world.Owner(round), world.Incarnation(round));
        var (id, yes) = _voters.Ask(world.Voter(v), question);
        world.SetVoter(v, id);
        if (yes == 1)
        {
            world.SetPromised(round, world.Promised(round) | 1 << v);
        }
        else if (yes == 2)
        {
            world.SetAccepted(round, world.Accepted(round) | 1 << v);
        }

        Emit(world, $"v{v}", $"gets {kind} {round}{(yes == 0 ? "" : ": yes")}");
    }

    /// <summary>A tick of true time: each clock that matters moves by its slow or its fast step, chosen anew for each.</summary>
    private void Time(World world)
    {
        var clocks = Bounds.Voters + bounds.Candidates;
        for (var fast = 0; fast < 1 << clocks; fast++)
        {
            if (bounds.Slow == bounds.Fast && fast > 0)
            {
                break;
            }

            var next = world;
            for (var v = 0; v < Bounds.Voters; v++)
            {
                var units = (fast >> v & 1) == 1 ? bounds.Fast : bounds.Slow;
                next.SetVoter(v, _voters.Later(world.Voter(v), units));
                next.SetFile(v, flaw.SavesLate ? _voters.Later(world.File(v), units) : 0);
            }

            for (var c = 0; c < bounds.Candidates; c++)
            {
                next.SetCandidate(c, _candidates.Later(world.Candidate(c), (fast >> (Bounds.Voters + c) & 1) == 1 ? bounds.Fast : bounds.Slow).Id);
                Notice(ref next, c);
            }

            Emit(next, "--", "time passes");
            if (flaw.VotersAreLate)
            {
                for (var v = 0; v < Bounds.Voters; v++)
                {
                    next.SetVoter(v, _voters.LaterButLate(world.Voter(v), (fast >> v & 1) == 1 ? bounds.Fast : bounds.Slow));
                }

                Emit(next, "--", "time passes, voters are late");
            }
        }
    }

    /// <summary>
    /// What is over is noticed: the product does so before anything else in every step, and to send a release early only adds to what may
    /// arrive, so nothing is lost by not waiting.
    /// </summary>
    private void Notice(ref World world, int c)
    {
        if (flaw.IsLazy)
        {
            return;
        }

        Apply(ref world, c, _candidates.Notice(world.Candidate(c)));
        if (_candidates[world.Candidate(c)] is { GateUntil: null, Lease.IsYielding: true })
        {
            Apply(ref world, c, _candidates.Shut(world.Candidate(c)));
        }
    }

    /// <summary>Yeses that nobody will read are dropped, and the voters, who are alike, are put in order.</summary>
    private World Canonical(World world)
    {
        for (var round = 1; round <= bounds.Ballots; round++)
        {
            var owner = world.Owner(round);
            if (owner < 0)
            {
                continue;
            }

            var attempt = _candidates[world.Candidate(owner)].Lease.Attempt;
            var isCurrent = attempt?.Ballot.Round == round;
            if (!isCurrent || attempt!.Phase != AttemptPhase.Prepare)
            {
                world.SetPromised(round, 0);
            }

            if (!isCurrent && !flaw.CountsOldAccepted && !flaw.RenewsWithSameBallot)
            {
                world.SetAccepted(round, 0);
            }
        }

        if (flaw.BreaksSymmetry)
        {
            return world;
        }

        // Candidates are alike, too, in all but their names.
        var least = Ordered(world);
        Consider(Exchanged(world, 0, 1));
        if (bounds.Candidates == 3)
        {
            Consider(Exchanged(world, 0, 2));
            Consider(Exchanged(world, 1, 2));
            Consider(Exchanged(Exchanged(world, 0, 1), 0, 2));
            Consider(Exchanged(Exchanged(world, 0, 1), 1, 2));
        }

        return least;

        void Consider(World other)
        {
            other = Ordered(other);
            least = other.CompareTo(least) < 0 ? other : least;
        }
    }

    private World Ordered(World world)
    {
        Order(ref world, 0, 1);
        Order(ref world, 1, 2);
        Order(ref world, 0, 1);
        return world;
    }

    private World Exchanged(World world, int left, int right)
    {
        var next = world;
        for (var c = 0; c < bounds.Candidates; c++)
        {
            var from = c == left ? right : c == right ? left : c;
            next.SetCandidate(c, _candidates.Swap(world.Candidate(from), left, right));
        }

        for (var v = 0; v < Bounds.Voters; v++)
        {
            next.SetVoter(v, _voters.Swap(world.Voter(v), left, right));
            next.SetFile(v, flaw.SavesLate ? _voters.Swap(world.File(v), left, right) : 0);
        }

        for (var round = 1; round <= bounds.Ballots; round++)
        {
            var owner = world.Owner(round);
            if (owner >= 0)
            {
                next.Claim(round, owner == left ? right : owner == right ? left : owner, world.Incarnation(round));
            }
        }

        return next;
    }

    private void Order(ref World world, int left, int right)
    {
        var (a, b) = (Rank(world, left), Rank(world, right));
        if (a <= b)
        {
            return;
        }

        var (voter, file) = (world.Voter(left), world.File(left));
        world.SetVoter(left, world.Voter(right));
        world.SetVoter(right, voter);
        world.SetFile(left, world.File(right));
        world.SetFile(right, file);
        for (var round = 1; round <= bounds.Ballots; round++)
        {
            world.SetPromised(round, Swap(world.Promised(round), left, right));
            world.SetAccepted(round, Swap(world.Accepted(round), left, right));
        }
    }

    private ulong Rank(World world, int voter)
    {
        var rank = (ulong)(uint)world.Voter(voter) << 16 | (uint)world.File(voter);
        for (var round = 1; round <= bounds.Ballots; round++)
        {
            rank = rank << 2 | (uint)(world.Promised(round) >> voter & 1) << 1 | (uint)(world.Accepted(round) >> voter & 1);
        }

        return rank;
    }

    private static int Swap(int voters, int left, int right)
    {
        var (a, b) = (voters >> left & 1, voters >> right & 1);
        return (voters & ~(1 << left | 1 << right)) | b << left | a << right;
    }

    private static string NameOf(int c) => $"c{c}";

    private string Trace(int index)
    {
        var way = new List<int>();
        for (var at = index; at >= 0; at = _seen.ParentOf(at))
        {
            way.Insert(0, at);
        }

        var text = new StringBuilder();
        _isTelling = true;
        for (var i = 0; i + 1 < way.Count; i++)
        {
            Successors(_seen[way[i]]);
            var taken = _next.FindIndex(next => Canonical(next).Equals(_seen[way[i + 1]]));
            text.Append(CultureInfo.InvariantCulture, $"  {i + 1,2} {_labels[taken].Who} {_labels[taken].What}\n");
        }

        return text.ToString();
    }
}
