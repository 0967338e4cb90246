using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>The voter's desk: answers votes, and holds back those that wait for a timeline to reach the disk.</summary>
internal sealed partial class Turn
{
    private void Vote(Input.VoteAsked asked)
    {
        if (_state.Voter is not { } voter)
        {
            var none = new LeaseReply.Refused(settings.Self, asked.Request.Ballot, RefusalReason.NotAMember, default, null, TimeSpan.Zero);
            _sends.Add(new Effect.Answer(asked.RequestId, none));
            return;
        }

        var step = Voter.Handle(voter, asked.Request, settings.Self, settings.Membership, settings.Lease, now);
        if (step.Reply is LeaseReply.Accepted && IsSavingAnother(asked.Request))
        {
            AnswerAskAgain(asked);
            return;
        }

        // What the voter heard of, the candidate has heard of too: its next ballot is above it (R11).
        _state = _state with { Voter = step.State, Lease = _state.Lease is { } own && own.Highest < step.State.Highest ? own with { Highest = step.State.Highest } : _state.Lease };
        // One's own release is no news; waking up to it would undo the back-off after each failed election.
        if (step.Frees && _state.Lease is { } lease && asked.Request.Ballot.Member != settings.Self)
        {
            _state = _state with { Lease = LeaseMachine.Wake(lease, now) };
        }

        if (step.MakeDurable is { } timeline && TryWait(asked, timeline))
        {
            return;
        }

        if (step.Reply is LeaseReply.Refused { Reason: RefusalReason.OtherMembership })
        {
            NoteStranger(asked.Request);
        }

        _sends.Add(new Effect.Answer(asked.RequestId, step.Reply));
    }

    /// <summary>Keeps the vote until the timeline is on disk; false when it cannot wait and the answer "ask again" goes out.</summary>
    private bool TryWait(Input.VoteAsked asked, DurableTimeline timeline)
    {
        if (_state.WaitingVotes.Length >= NodeState.MaxWaitingVotes || (_state.SavingTimeline is { } saving && saving != timeline))
        {
            return false;
        }

        if (_state.SavingTimeline is null)
        {
            _saves.Add(new Effect.SaveTimeline(timeline));
        }

        _state = _state with { SavingTimeline = timeline, WaitingVotes = _state.WaitingVotes.Add(asked) };
        return true;
    }

    /// <summary>
    /// While a timeline is on its way to the disk no lease is given on another: it would be below the one that is durable a moment later,
    /// and its holder could not renew.
    /// </summary>
    private bool IsSavingAnother(LeaseRequest request) =>
        _state.SavingTimeline is { } saving && request is LeaseRequest.Accept accept && saving != new DurableTimeline(accept.System, accept.Timeline);

    /// <summary>The disk refused: whoever waited asks again, and the next to ask tries the disk anew.</summary>
    private void DropTimeline(Input.TimelineNotSaved lost)
    {
        var waiting = _state.WaitingVotes;
        _state = _state with { SavingTimeline = null, WaitingVotes = [] };
        Note(DecisionKind.TimelineNotSaved, Term.None, "", lost.Timeline.Point.ToString(), lost.Detail);
        foreach (var asked in waiting)
        {
            AnswerAskAgain(asked);
        }
    }

    private void AnswerAskAgain(Input.VoteAsked asked)
    {
        var reply = new LeaseReply.Refused(settings.Self, asked.Request.Ballot, RefusalReason.TimelineBeingSaved, _state.Voter!.Highest, null, TimeSpan.Zero);
        _sends.Add(new Effect.Answer(asked.RequestId, reply));
    }

    /// <summary>The timeline is durable: the votes that waited are handled anew, by the clock of now (R6).</summary>
    private void TakeTimeline(DurableTimeline timeline)
    {
        if (_state.Voter is not { } voter)
        {
            return;
        }

        var waiting = _state.WaitingVotes;
        var isHigher = voter.Timeline.Judge(timeline.System, timeline.Point) == RefusalReason.None;
        _state = _state with
        {
            Voter = isHigher ? voter with { Timeline = timeline, IsTimelineLost = false } : voter,
            SavingTimeline = null,
            WaitingVotes = [],
        };
        foreach (var asked in waiting)
        {
            Vote(asked);
        }
    }

    private void NoteStranger(LeaseRequest request)
    {
        if (_state.RecordedRefusal == RefusalReason.OtherMembership)
        {
            return;
        }

        _state = _state with { RecordedRefusal = RefusalReason.OtherMembership };
        Note(DecisionKind.MembershipRefused, Term.None, settings.Membership.Stamp.ToString(), request.Stamp.ToString(), $"{request.Ballot.Member} votes under another membership");
    }

    /// <summary>Saves what must outlive the process before anything of this step leaves it (R7).</summary>
    private void SettleMemory()
    {
        var hasVoterChanged = !ReferenceEquals(_state.Voter, _before.Voter) && _state.Voter != _before.Voter;
        var lease = _state.Lease;
        var hasLeaseChanged = lease?.Held != _before.Lease?.Held || lease?.HighestSent != _before.Lease?.HighestSent;
        if (hasVoterChanged || hasLeaseChanged)
        {
            _saves.Add(new Effect.SaveMemory(_state.Voter, lease));
        }
    }
}
