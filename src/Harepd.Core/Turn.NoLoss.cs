using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;

namespace Harepd.Core;

/// <summary>
/// failover.synchronousOnly: between the promises of a majority and the Accept, the proof that nothing acknowledged can be lacking (ADR 0018). The promises say
/// what the last primary waited for; where that leaves it open who has the last commit, every standby is asked how far it received, after the lease of before
/// is over.
/// </summary>
internal sealed partial class Turn
{
    /// <summary>A majority's notes were no proof: what they lack comes with another lease only, or with a voter that was away.</summary>
    private static readonly TimeSpan DoubtLasts = TimeSpan.FromSeconds(30);

    private bool NeedsProof() => settings.Failover is { Promoter: Promoter.Harepd, SynchronousOnly: true } && !IsHandedOver() && _state.Promotion.Ordered is not { Order.AcceptsLoss: true };

    private bool HasProof() => _state.Lease!.Attempt is { IsRenewal: false } attempt && _state.Promotion.Proof is { Given: not null } proof && proof.Ballot == attempt.Ballot;

    /// <summary>Looks at the promises that came, before the verdict of this step.</summary>
    private void SettleProof()
    {
        var promotion = _state.Promotion;
        if (promotion.Current is not null)
        {
            return;
        }

        // What was proven for one election says nothing in the next.
        var isIdle = !NeedsProof() || _state.Server.InRecovery != true;
        if (promotion.Proof is { } old && (isIdle || (_state.Lease!.Held is null && _state.Lease.Attempt?.Ballot != old.Ballot)))
        {
            promotion = promotion with { Proof = null };
            _state = _state with { Promotion = promotion };
        }

        if (isIdle || _state.Lease!.Attempt is not { IsRenewal: false, Phase: AttemptPhase.Prepare } attempt || !settings.Membership.IsMajority(attempt.Yes))
        {
            return;
        }

        if (promotion.Proof?.Ballot != attempt.Ballot)
        {
            promotion = promotion with { Proof = new LossProof(attempt.Ballot, now) };
            _state = _state with { Promotion = promotion };
            _sends.Add(new Effect.Look());
        }

        if (promotion.Proof!.Given is null)
        {
            Prove(attempt, promotion.Proof);
        }
    }

    private void Prove(LeaseAttempt attempt, LossProof proof)
    {
        var everyone = settings.Membership.Everyone.Count;
        var note = NoLoss.Highest(attempt, settings.Membership);
        if (note is null)
        {
            // Whoever has not answered yet may know.
            if (attempt.Yes.Count + attempt.No.Count >= everyone || now >= attempt.Began + settings.Lease.ElectionTimeout / 2)
            {
                Doubt(NoLoss.Unknown.Reason);
            }

            return;
        }

        // With one position to compare there is nothing to ask.
        var needsReading = note.Stated is { Enough: > 1 };
        var doubt = NoLoss.Doubt(Question(), note, attempt.Ballot);
        if (doubt is { Answer: FailoverAnswer.No })
        {
            Doubt(doubt.Value.Reason);
        }
        else if (doubt is null && (!needsReading || _state.Server.At > proof.At))
        {
            _state = _state with { Promotion = _state.Promotion with { Proof = proof with { Given = note.Stated } } };
        }
    }

    private void Doubt(string reason) =>
        _state = _state with { Promotion = _state.Promotion with { Doubt = reason, DoubtUntil = now + DoubtLasts, DoubtTerm = _state.HighestTerm } };

    /// <summary>Why a majority forbade it, as long as that stands.</summary>
    private string DoubtNow() => now < _state.Promotion.DoubtUntil && _state.Promotion.DoubtTerm == _state.HighestTerm ? _state.Promotion.Doubt : "";

    /// <summary>The question to the other standbys, as long as the election asks it.</summary>
    private Ballot AsksPositions() =>
        _state.Promotion.Proof is { Given: null } proof && _state.Lease?.Attempt is { IsRenewal: false } attempt && attempt.Ballot == proof.Ballot ? proof.Ballot : default;

    /// <summary>Another member asks how far this standby received: the server is read anew, and the next report says so.</summary>
    private void HearQuestion(NodeReport report)
    {
        var ballot = report.AsksPositions;
        if (ballot != default && ballot.Member == report.Member && ballot > (_state.Positions?.Ballot ?? default) && settings.Membership.Everyone.Contains(report.Member) && _state.Lease is not null)
        {
            _state = _state with { Positions = new PositionQuestion(ballot, now) };
            _sends.Add(new Effect.Look());
        }
    }

    private Ballot SeenAfter() => _state.Positions is { } asked && _state.Server.At > asked.At ? asked.Ballot : default;
}
