using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Explorer;

/// <summary>What a candidate may ask, numbered, so that an answer is computed by the product once and looked up afterwards.</summary>
internal readonly record struct Question(QuestionKind Kind, int Round, int Member, int Incarnation)
{
    public const int Count = 4 * 6 * 3 * 4;

    public int Index => (((int)Kind * 6 + Round) * 3 + Member) * 4 + Incarnation;

    public Ballot Ballot => new(Round, Bounds.Members[Member], new Incarnation((ulong)Incarnation));

    public LeaseRequest Request(Bounds bounds) => Kind switch
    {
        QuestionKind.Prepare => new LeaseRequest.Prepare(bounds.Membership.Stamp, Ballot),
        QuestionKind.Release => new LeaseRequest.Release(bounds.Membership.Stamp, Ballot),
        QuestionKind.ShortAccept => new LeaseRequest.Accept(bounds.Membership.Stamp, Ballot, Bounds.Unit, Samples.First, Samples.OneSystem),
        _ => new LeaseRequest.Accept(bounds.Membership.Stamp, Ballot, bounds.Settings.Duration, Samples.First, Samples.OneSystem),
    };
}

internal enum QuestionKind
{
    Prepare,
    Accept,
    Release,
    ShortAccept,
}

/// <summary>All states of a voter that were met, and what the product makes of each; every answer is the product's own.</summary>
internal sealed class VoterTable(Bounds bounds, Flaw flaw)
{
    private readonly List<VoterState> _states = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<int[]> _answers = [];
    private readonly List<int[]> _later = [];
    private readonly List<int[]> _swapped = [];

    public int Count => _states.Count;

    public VoterState this[int id] => _states[id];

    public int IdOf(VoterState state)
    {
        state = Local.Canonical(state, flaw);
        var key = Local.KeyOf(state);
        if (!_ids.TryGetValue(key, out var id))
        {
            id = _states.Count;
            _ids[key] = id;
            _states.Add(state);
            _answers.Add(Enumerable.Repeat(-1, Question.Count).ToArray());
            _later.Add(Enumerable.Repeat(-1, 8).ToArray());
            _swapped.Add([-1, -1, -1]);
        }

        return id;
    }

    /// <summary>A voter that never forgot anything.</summary>
    public int Fresh => IdOf(new VoterState { Timeline = new DurableTimeline(Samples.OneSystem, Samples.First), AbstainUntil = Bounds.Base });

    /// <summary>A voter that lost its memory.</summary>
    public int Restarted => IdOf(_states[Fresh] with { AbstainUntil = Bounds.Base + bounds.Settings.AbstainFor - Bounds.Unit * flaw.AbstainsLess });

    /// <summary>The same voter with a resume file that does not say until when it abstains.</summary>
    public int WithoutAbstention(int id) => IdOf(_states[id] with { AbstainUntil = Bounds.Base });

    public bool IsAbstaining(int id) => _states[id].AbstainUntil > Bounds.Base;

    /// <summary>The state afterwards, and 1 when it promised, 2 when it accepted, else 0.</summary>
    public (int Id, int Yes) Ask(int id, Question question)
    {
        var packed = _answers[id][question.Index];
        if (packed < 0)
        {
            var step = flaw.Vote(_states[id], question.Request(bounds), bounds);
            var yes = step.Reply switch
            {
                LeaseReply.Promised => 1,
                LeaseReply.Accepted => 2,
                _ => 0,
            };
            packed = IdOf(step.State) << 2 | yes;
            _answers[id][question.Index] = packed;
        }

        return (packed >> 2, packed & 3);
    }

    public int Later(int id, int units)
    {
        var later = _later[id][units];
        if (later < 0)
        {
            later = IdOf(Local.Later(_states[id], units, flaw));
            _later[id][units] = later;
        }

        return later;
    }

    /// <summary>The same state with two candidates' names exchanged.</summary>
    public int Swap(int id, int left, int right)
    {
        // The pairs (0,1), (0,2) and (1,2) have the sums 1, 2 and 3.
        var pair = left + right - 1;
        var swapped = _swapped[id][pair];
        if (swapped < 0)
        {
            swapped = IdOf(Local.Swap(_states[id], Bounds.Members[left], Bounds.Members[right]));
            _swapped[id][pair] = swapped;
        }

        return swapped;
    }

    /// <summary>As <see cref="Later"/>, but a lease that would be over lasts one unit more.</summary>
    public int LaterButLate(int id, int units)
    {
        var later = Later(id, units);
        return _states[id].Lease is { } lease && _states[later].Lease is null
            ? IdOf(_states[later] with { Lease = lease with { Expiry = Bounds.Base + Bounds.Unit }, Highest = _states[id].Highest })
            : later;
    }
}
